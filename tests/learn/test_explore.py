"""An exploration shows what is there: clusters, what they have in common, where, and how sure."""

from __future__ import annotations

import html.parser
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.learn import trial
from fl0p_py.learn.cluster import cluster
from fl0p_py.learn.consensus import bursts_of, consensus
from fl0p_py.learn.corpus import EMPTY, Corpus
from fl0p_py.learn.explore import explore
from fl0p_py.learn.listing import json_lines, listing
from fl0p_py.learn.page import page
from fl0p_py.learn.picture import picture
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from tests.learn.build import corpus, signatures

NOTHING = SignatureSet(())


def common(*lines: str, distance: float = 1.0) -> str:
    """The consensus of flows that are all one cluster."""
    flows = corpus(lines)
    found, shapes = cluster(flows, distance=distance)
    assert len(found) == 1
    return pattern_text(consensus(flows, found[0], shapes))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["tcp 25 < c40 s60 >"] * 3, "tcp 25 < c40 s60 >"),
        (["tcp 25 < c40 s60 >", "tcp 25 < c44 s60 >"], "tcp 25 < c40-44 s60 >"),
        (["tcp 25 < c40 s60 >", "tcp 25 < c44 s60"], "tcp 25 < c40-44 s60"),
        (["tcp 25 < c40 + s60", "tcp 25 < c40 s60"], "tcp 25 < c40 +? s60"),
        (["tcp 25 < c40 + s60"] * 2, "tcp 25 < c40 + s60"),
        (["tcp 25 < c40 s1448 s52", "tcp 25 < c40 s1500"], "tcp 25 < c40 S1500"),
        (["tcp 25 < c40 s1448 s52", "tcp 25 < c44 s1448 s60"], "tcp 25 < c40-44 s1448 s52-60"),
        (["tcp 25 < c40 s60", "tcp 26 < c40 s60"], "tcp 25-26 < c40 s60"),
        ([f"tcp {port} < c40 s60" for port in range(25, 35)], "tcp * < c40 s60"),
        (["icmp * < c40 s60"] * 2, "icmp * < c40 s60"),
        (["tcp 25 c40 s60"] * 2, "tcp 25 c40 s60"),
        (["tcp 25 < c9 s9 + s90 c7"] * 3 + ["tcp 25 < c9 s9 c7"], "tcp 25 < c9 s9 ( + s90 ){0,1} c7"),
    ],
)
def test_what_flows_have_in_common(lines: list[str], expected: str) -> None:
    assert common(*lines) == expected


def test_what_is_rare_does_not_widen_the_pattern() -> None:
    usual = ["tcp 25 < c40 s60 c7 s8"] * 200
    assert common(*usual, "tcp 25 < c400 s60 c7 s8") == "tcp 25 < c40 s60 c7 s8"


def test_bursts() -> None:
    flows = corpus(["tcp 1 c1 c2 s3 + s4 c5", "tcp 1 s9"])
    order = np.argsort(flows.lengths)[::-1]
    bursts = bursts_of(flows.select(order))
    assert bursts.total.tolist() == [3, 3, 4, 5, 9] and bursts.tokens.tolist() == [2, 1, 1, 1, 1]
    assert bursts.client.tolist() == [True, False, False, True, False]
    assert bursts.paused.tolist() == [False, False, True, False, False]
    assert bursts.offsets.tolist() == [0, 4, 5]


WORDS = ["c40", "s60", "c44", "s1448", "s900", "+ c41", "+ s58", "c1", "s1048575", "c517"]
LINES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=70).map(
        lambda words: f"tcp 22 < {' '.join(words)}".replace("< +", "<")
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=60)
@given(LINES)
def test_every_consensus_is_a_pattern_that_can_be_pasted(lines: list[str]) -> None:
    flows = corpus(lines)
    for each in (found := explore(flows, NOTHING, distance=0.9, least=1)).rows:
        assert pattern_text(parse_pattern(each.pattern)) == each.pattern
        own = trial.each([Signature("x", "x", parse_pattern(each.pattern))], flows, fuzzy=False)
        assert (own > 0).sum() == each.takes + each.others
    assert sum(row.flows for row in found.rows) == len(flows)
    assert listing(found) and json_lines(found)


def mixed() -> Corpus:
    lines = [f"tcp 25 < s80 c{20 + n} s250 c6 s37" for n in range(8)]
    lines += [f"udp 53 < c{30 + n} s{90 + n}" for n in range(4)]
    lines += ["tcp 7 < c1 s1400 c9 c1 + s7"]
    return corpus(lines, sources=["<b>&\x1b[31m.log"] * len(lines), labels=["x"] * 8 + ["<i>"] * 5)


def test_numbers_of_an_exploration() -> None:
    known = signatures("tcp 25 s80 c20-23")
    found = explore(mixed(), known)
    assert (found.flows, found.sequences, found.clusters, found.left_out) == (13, 13, 3, 1)
    mail, dns = found.rows
    assert (mail.flows, mail.sequences, mail.servers, mail.clients) == (8, 8, 1, 8)
    assert mail.pattern == "tcp 25 < s80 c20-27 s250 c6 s37" and (mail.takes, mail.others) == (8, 0)
    assert mail.known == (("0", 4),) and mail.labels == (("x", 8),)
    assert mail.tokens[0] == -80 and (mail.low[1], mail.high[1]) == (20, 27)
    assert dns.top_ports == (("53", 4),)
    assert explore(mixed(), known, only_unknown=True).flows == 9
    assert len(explore(mixed(), known, most=1).rows) == 1
    assert len(explore(mixed(), known, least=1).rows) == 3


def test_patterns_are_judged_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = listing(explore(mixed(), NOTHING, least=1))
    monkeypatch.setattr("fl0p_py.learn.explore.TRIED_AT_ONCE", 1)
    assert listing(explore(mixed(), NOTHING, least=1)) == whole


def test_nothing_to_explore() -> None:
    found = explore(EMPTY, NOTHING)
    assert listing(found).startswith("0 flows, 0 sequences, 0 clusters")
    assert json.loads(json_lines(found))["clusters"] == 0
    assert "0 flows" in page(found, "nothing")


def test_the_listing_is_escaped() -> None:
    text = listing(explore(mixed(), NOTHING))
    assert "\x1b" not in text and "\\x1b[31m.log:1, :2, :3" in text
    coloured = listing(explore(mixed(), NOTHING), colour=True)
    assert "\x1b[33mc20-27\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text


def test_json_lines() -> None:
    *clusters, whole = map(json.loads, json_lines(explore(mixed(), NOTHING)).splitlines())
    assert whole == {
        "event_type": "exploration",
        "flows": 13,
        "sequences": 13,
        "clusters": 3,
        "shown": 2,
        "left_out": 1,
        "rest_ports": {"7": 1},
    }
    assert clusters[1]["pattern"] == "udp 53 < c30-33 s90-93" and clusters[1]["matches"] == 4
    assert clusters[0]["labels"] == {"x": 8}


class _Page(html.parser.HTMLParser):
    """What a browser would see: elements, attributes that lead somewhere, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {str(value) for name, value in attrs if name in ("href", "src", "xlink:href")}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_else_and_trusts_nothing() -> None:
    found = explore(mixed(), signatures("tcp 25 s80"))
    text = page(found, "<script>alert(1)</script>")
    seen = _Page()
    seen.feed(text)
    assert not seen.tags & {"script", "b>", "i", "img", "link", "iframe", "metadata"}
    assert all(link.startswith("#") for link in seen.links), seen.links
    assert "<script>alert(1)</script>" in seen.text and "<b>&\\x1b[31m.log:1" in seen.text
    assert text.count("<svg") == 3 and "default-src 'none'" in text
    assert page(found, "again") == page(found, "again")


def test_a_picture() -> None:
    assert picture([1, -10, 100, -1400, 20000], [False, False, True, False, False]) == ("▁  ▅ █", " ▔  █ ")
    assert picture([1] * 100, [False] * 100) == ("▁" * 32, " " * 32)


def test_the_same_whatever_the_order_and_another_seed_only_breaks_ties() -> None:
    flows = mixed()
    parts = [flows.select(np.arange(len(flows)) % 3 == rest) for rest in range(3)]
    forward, backward = Corpus.concat(parts), Corpus.concat(parts[::-1])
    assert listing(explore(forward, NOTHING)) == listing(explore(backward, NOTHING))
    other = explore(forward, NOTHING, seed=7)
    assert [row.flows for row in other.rows] == [8, 4]


def test_times_are_shown_where_they_are_known() -> None:
    flows = mixed()
    known = replace(flows, start_ns=np.full(len(flows), 10**18), end_ns=np.full(len(flows), 10**18 + 10**9))
    first = json.loads(json_lines(explore(known, NOTHING)).splitlines()[0])
    assert first["first"] == "2001-09-09T01:46:40.000000+0000" and first["last"][17:19] == "41"
