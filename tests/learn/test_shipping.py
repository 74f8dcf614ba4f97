"""The rule by which learned signatures ship, on flows of which it is plain what should come of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fl0p_py.learn.corpus import Corpus
from fl0p_py.signature.metadata import facets
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Example, Signature
from tests.learn.build import corpus
from tools.judge import SILENT
from tools.public_flows import PublicFlows
from tools.shipping import Court, Place, Tally, speaks, unlike

LAB = corpus(
    ["tcp 21 < s20 c11 s34", "tcp 21 < s30 c8", "tcp 25 < s40 c25 s174", "tcp 25 < s40 c6 s174"],
    labels=["class=ftp", "class=ftp", "class=smtp,actor=bot", "class=smtp"],
)
PUBLIC = PublicFlows(
    corpus(["tcp 21 < s25 c16 s33", "tcp 2121 < s25 c16 s33", "tcp 80 < c90 s300"]),
    ("FTP_CONTROL", SILENT, "HTTP"),
)
COURT = Court(LAB, PUBLIC)
FTP = Place("ftp", "class", "ftp")


def signature(name: str, pattern: str, *examples: str, **said: str) -> Signature:
    made = Signature(name, name, parse_pattern(pattern), facets({"class": "ftp"} | said), edits=False)
    made.examples = tuple(Example(text, parse_pattern(text), "") for text in examples)
    return made


ANSWERED = signature("ftp", "tcp 21 = < S10-2000 C5-260 S10-2000", "tcp 21 < s20 c11 s34")
LONG = signature("ftp.long", "tcp 21 = < S10-2000 C5-260 S10-2000", "tcp 21 < s900 c11 s34")
SPOKEN = "tcp 21 = < S10-200 C5-60"


@pytest.mark.parametrize(
    ("learned", "standing", "against", "needless"),
    [
        ([SPOKEN], [ANSWERED], None, ("ftp",)),
        ([SPOKEN], [LONG], None, ()),  # it names more, but not what LONG is for
        (["tcp 21 = < S10-200 C10-12"], [ANSWERED], "adds nothing", ()),
        (["tcp * = < S10-200 C5-60"], [ANSWERED], "smtp, class ftp: 2 more false", ()),
        (["tcp 21,80 = < ( S10-200 C5-60 | c90 )"], [ANSWERED], "1 public flow named falsely", ()),
    ],
)
def test_what_ships(
    learned: list[str], standing: list[Signature], against: str | None, needless: tuple[str, ...]
) -> None:
    new = tuple(signature("ftp", pattern) for pattern in learned)
    ruling = COURT.ruling(FTP, new, tuple(standing), COURT.state(standing))
    assert (ruling.against, ruling.needless) == (against, needless)


def test_a_public_flow_lost_speaks_against_it() -> None:
    before = COURT.state([ANSWERED])
    assert before.public.right == {0}
    assert COURT.state([signature("ftp", "tcp 21 = < s30 c8"), ANSWERED]).worse(before) is None
    assert COURT.state([signature("ftp", "tcp 21 = < S20-30 C8-11")]).worse(before) == "1 public flow lost"


def test_counts_are_of_flows_of_one_class() -> None:
    lab = COURT.state([signature("any", "tcp * = < S10-200 C5-60", actor="bot")]).lab
    assert lab[FTP] == Tally(2, 0, 2)
    assert lab[Place("smtp", "class", "ftp")] == Tally(0, 2, 0)
    assert lab[Place("smtp", "actor", "bot")] == Tally(1, 1, 1)
    assert lab[Place("ftp", "actor", "bot")] == Tally(0, 2, 0)


def test_a_signature_is_for_the_last_facet_that_it_sets() -> None:
    assert speaks(facets({"class": "ftp"})) == FTP
    assert speaks(facets({"class": "ftp", "actor": "bot"})) == Place("ftp", "actor", "bot")
    assert speaks(facets({"activity": "shell"})) == Place("", "activity", "shell")


def test_ids_are_made_different() -> None:
    assert [one.id for one in unlike([ANSWERED, LONG, ANSWERED, ANSWERED])] == [
        "ftp",
        "ftp.long",
        "ftp.v2",
        "ftp.v3",
    ]


# -- public flows -----------------------------------------------------------------------------------


def public(texts: list[str], opinions: list[str], captures: list[str]) -> PublicFlows:
    return PublicFlows(corpus(texts, sources=captures), tuple(opinions))


def ports(flows: Corpus) -> list[int]:
    return sorted(flows.server_port.tolist())


def test_labels_are_opinions_from_contents_divided_by_capture() -> None:
    texts = [f"tcp {port} < s20 c11" for port in (1, 2, 3, 4, 5)]
    opinions = ["FTP_CONTROL", "FTP_CONTROL~", "FTP_CONTROL", "TLS.Google", SILENT]
    flows = public(texts, opinions, ["one/a.pcap", "one/a.pcap", "one/b.pcap", "one/b.pcap", "one/b.pcap"])
    learn, aside = flows.labelled({"ftp"})
    assert sorted(ports(learn) + ports(aside)) == [1, 3]
    assert len(learn) == len(aside) == 1
    same = replace(flows.corpus, sources=("one/a.pcap", "two/a.pcap"))
    assert len(PublicFlows(same, flows.opinions).labelled({"ftp"})[1]) == 0


def test_others_are_sure_to_be_none_of_the_classes() -> None:
    texts = [f"tcp {port} < s20 c11" for port in (21, 22, 23, 24, 25)]
    opinions = ["FTP_CONTROL", "SSH~", SILENT, "SSH", "FTP_CONTROL~"]
    assert ports(public(texts, opinions, ["x"] * 5).others({"ftp"}, {21, 22})) == [23, 24]
