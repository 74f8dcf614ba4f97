"""What is found in streams and datagrams, however they are cut; against Python's `re` on the whole."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.grep import allowance, finder
from fl0p_py.grep.pattern import GrepError
from tests.grep.conversation import Conversation, events, grep, payloads
from tests.grep.test_expression import PATTERNS
from tests.support import frames


def one_stream(*pieces: bytes, from_client: bool = True) -> Conversation:
    made = Conversation()
    made.handshake()
    made.says(*pieces, from_client=from_client)
    return made


@pytest.mark.parametrize(
    ("pieces", "pattern", "found"),
    [
        ([b"GET / HTTP/1.1\r\n"], "HTTP/1", ["GET / HTTP/1.1\\x0d\\x0a"]),
        ([b"sec", b"re", b"t"], "secret", ["t"]),
        ([b"s", b"e", b"c", b"r", b"e", b"t"], "secret", ["t"]),
        ([b"GET /\r\nHo", b"st: x\r\n"], "^Host", ["st: x\\x0d\\x0a"]),
        ([b"GET /x", b"Host: x\r\n"], "^Host", []),
        ([b"foo ", b"x" * 1400, b"y" * 1400, b" bar"], "foo.*bar", [" bar"]),
        ([b"foo\n", b" bar"], "foo.*bar", []),
        ([b"foo", b"bar"], "foo$", []),
        ([b"foo", b"\nbar"], "foo$", ["\\x0abar"]),
        ([b"some foo"], "foo$", ["some foo"]),
        ([b"some foo"], "[a-z]{3}$", ["some foo"]),
        ([b"a", b"b"], r"a*a.\b", ["ab"]),
        ([b"foo", b"b", b"ar"], "foo(?=bar)", ["ar"]),
        ([b"foo", b"b", b"ar"], "foo(?!bar)", []),
        ([b"foo", b"b", b"az"], "foo(?!bar)", ["az"]),
        ([b"foobar", b" foo", b" ", b"bar"], "(?s)foo(?=.*bar)", ["foobar", "bar"]),
        ([b"foo", b"bar"], r"foo\b", []),
        ([b"foo", b"!"], r"foo\b", ["!"]),
        ([b"abc ab", b"c"], r"(abc) \1", ["c"]),
        ([b"pre", b"fix"], "(?<=pre)fix", ["fix"]),
        ([b"one two", b" one"], "one", ["one two", " one"]),
        ([b"\x16\x03", b"\x01\x02\x00"], r"\x16\x03\x01", ["\\x01\\x02\\x00"]),
        ([b"    x", b"foo"], r"^\s*foo", []),
        ([b"\n" + b" " * 1000, b" " * 1000, b"foo"], r"^\s*foo", ["foo"]),
    ],
)
@pytest.mark.parametrize("batch", [1, 1000])
def test_streams(pieces: list[bytes], pattern: str, found: list[str], batch: int) -> None:
    assert payloads(one_stream(*pieces), "-a", pattern, batch=batch) == found


def test_sides() -> None:
    made = one_stream(b"question")
    made.says(b"answer", from_client=False)
    assert payloads(made, "-c", "question", "-s", "question") == ["question"]
    assert payloads(made, "-s", "question") == [] == payloads(made, "-c", "answer")
    assert [event["flowgrep"]["direction"] for event in events(made, "-a", "e")] == ["to_server", "to_client"]


def test_datagrams_and_other_protocols_match_any_pattern() -> None:
    made = Conversation()
    made.datagram(b"version.bind")
    made.add(frames.ip4(b"version of something", "10.0.0.3", "10.0.0.4", proto=47))
    for side in ("-a", "-c", "-s"):
        found = events(made, side, "version")
        assert [event["proto"] for event in found] == ["UDP", "proto47"]
        assert [event["src_ip"] for event in found] == ["10.0.0.1", "10.0.0.3"]


def test_fragments_are_joined() -> None:
    made = Conversation()
    whole = frames.ip4(frames.udp(b"x" * 20 + b"needle" + b"y" * 20), "10.0.0.1", "10.0.0.2", id=7)
    body = whole[20:]
    for offset, more in ((0, 1), (32, 0)):
        part = body[offset : 32 if more else None]
        made.add(frames.ip4(part, "10.0.0.1", "10.0.0.2", proto=17, id=7, mf=more, offset=offset // 8))
    assert len(events(made, "-a", "needle")) == 1


@pytest.mark.parametrize("batch", [1, 1000])
def test_segments_out_of_order(batch: int) -> None:
    made = Conversation()
    made.handshake()
    for start in (7, 4, 1):
        made.segment(b"a secret!"[start - 1 : start + 2], seq=start)
    assert len(events(made, "-a", "a secret!", batch=batch)) == 1


@pytest.mark.parametrize(("policy", "found"), [("first", ["evil"]), ("last", ["good"])])
def test_overlaps_that_differ_go_by_the_policy(policy: str, found: list[str]) -> None:
    """Both come before what is missing, and one of them is what the receiver gets."""
    made = Conversation()
    made.handshake()
    made.segment(b"evil", seq=3)
    made.segment(b"good", seq=3)
    made.segment(b"xx", seq=1)
    got = [
        word
        for word in ("evil", "good")
        if events(made, "-a", f"xx{word}", "--policy", policy, "--checksums", "ignore")
    ]
    assert got == found


def test_a_gap_is_not_matched_over() -> None:
    made = Conversation()
    made.handshake()
    made.segment(b"sec", seq=1)
    made.segment(b"ret", seq=10)
    made.segment(b"", from_client=False, seq=1, ack=13, flags="A")
    assert payloads(made, "-a", "secret") == [] and payloads(made, "-a", "ret") == ["ret"]


def test_what_comes_after_it_was_given_up_is_matched_by_itself() -> None:
    made = Conversation()
    made.handshake()
    made.segment(b"tail of it", seq=100)
    made.segment(b"x", seq=110, gap_s=2)
    made.segment(b"POST / HTTP/1.1\r\n", seq=1)
    assert payloads(made, "-a", "^POST") == ["POST / HTTP/1.1\\x0d\\x0a"]


def test_distance() -> None:
    made = one_stream(b"User-Ag", b"emt: curl\r\n")
    (event,) = events(made, "-e", "User-Agent", "-D", "1")
    assert event["flowgrep"]["distance"] == 1.0 and event["flowgrep"]["patterns"] == ["User-Agent"]
    assert events(made, "-e", "User-Agent", "-D", "0") == []
    assert len(events(made, "-e", "user-agent", "-E", "hamming", "-i", "-D", "1")) == 1
    assert len(events(made, "-e", "curl\r\n", "-E", "jaccard", "-D", "1")) == 1


def test_of_many_patterns_each_that_matches_is_named() -> None:
    made = one_stream(b"one two three")
    words = [word for name in ("two", "four", "one", "t.*e", "five", "six") for word in ("-a", name)]
    (event,) = events(made, *words)
    assert event["flowgrep"]["patterns"] == ["two", "one", "t.*e"]


@pytest.mark.parametrize("most", [1, 5, 4096])
def test_patterns_with_and_without_a_literal_in_them_are_all_found(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(finder, "MOST_HITS", most)
    made = one_stream(b"one two ", b"three four")
    names = [
        "th[r]+ee",
        "one",
        r"t[w]o\b",
        "f[aio]ur",
        "[xyz]{3}",
        "tw[^o]",
        r"\sf[aeiou]+r",
        "[a-z]+[^ ]{4}",
    ]
    (first, second) = events(made, *[word for name in names for word in ("-a", name)])
    assert first["flowgrep"]["patterns"] == ["one", r"t[w]o\b"]
    assert second["flowgrep"]["patterns"] == ["th[r]+ee", "f[aio]ur", r"\sf[aeiou]+r", "[a-z]+[^ ]{4}"]


@pytest.mark.parametrize("pattern", ["(?s)ab.*?c$", "(?s)ab.{0,60000}c"])
def test_a_stream_in_tiny_pieces_is_given_up_before_it_costs_much(
    monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    made = one_stream(*[b"ab"] * 50, b"c")
    assert len(events(made, "-a", pattern)) == 1
    monkeypatch.setattr(allowance, "MOST_S", 0.0)
    monkeypatch.setattr(allowance, "WORTH_S", 1e-9)
    assert events(made, "-a", pattern) == []


def test_back_references_are_found_late_in_a_long_match() -> None:
    """What was told already takes no time again."""
    made = one_stream(*[b"a" * 1400] * 40)
    assert len(events(made, "-a", r"(a|b)\1{5}")) == 40


def test_where_pieces_are_everywhere_nothing_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "MOST_HITS", 5)
    made = Conversation()
    for port in range(40000, 40040):
        made.handshake(port)
        made.says(b"aaaaaaaa", b"aaab", port=port)
    assert len(events(made, "-a", "aab")) == 40


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|aa)+$", "(?:(a)|b)*\\1c", "(a*)*b(?=x)", "((a{1,9}){1,9}){1,9}b"]
)
def test_hostile_patterns_and_payloads_do_not_hang(pattern: str) -> None:
    made = one_stream(*[b"a" * 1400] * 30, b"!")
    begun_s = time.process_time()
    grep(made, "-a", pattern)
    assert time.process_time() - begun_s < 5


TEXTS = st.lists(
    st.sampled_from([b"ab", b"a", b"b", b"c", b"1", b"\n", b" ", b"abc"]), min_size=1, max_size=12
)
WHOLE = [
    "abc", "^ab", "b$", "a.*c", "a+b", "(?s)a.{0,3}c", r"\bab", r"c\b", "^$^a", "(a|b)c", r"(a)b\1",
    "(?<=a)b", "a(?!b)", "^a*c", " +a", "[^ab]c", "^.*bc", "ab.*$", r"\Aab", r"c\Z", "[a-c]{2}$", "1",
    "a*aa(?!b)", "(?s)a.*?b.*c$", "ab(?=c1)", "a(?!b[ac])", "ab(?=.*c)", r"b(?=(.)\1)", "(?s)b(?=.*1)",
    "(?x) a b (?=c) # ab", "^(?=.*b)(?=.*c)a", "c(?=a{3}$)", r"a*(?=b\b)b",
]  # fmt: skip


@given(
    TEXTS,
    st.data(),
    st.lists(st.sampled_from(WHOLE), min_size=1, max_size=8, unique=True),
    st.sampled_from([1, 3, 1000]),
    st.sampled_from([0, (1 << 32) - 5]),
    st.sampled_from([1, 512]),
)
@settings(max_examples=250)
def test_a_stream_matches_what_re_finds_in_it(
    texts: list[bytes], data: st.DataObject, patterns: list[str], batch: int, first: int, places: int
) -> None:
    """However it was cut, whatever came twice or too early, and where sequence numbers wrap around."""
    whole = b"".join(texts)
    cuts = sorted({0, len(whole), *data.draw(st.lists(st.integers(0, len(whole)), max_size=6))})
    segments = [(a, b) for a, b in pairwise(cuts)]
    order = data.draw(st.permutations(segments))
    again = data.draw(st.lists(st.sampled_from(segments), max_size=2))
    made = Conversation()
    made.handshake(first=first)
    for start, end in (*order, *again):
        made.segment(whole[start:end], seq=first + 1 + start)
    last = first + 1 + len(whole)
    made.segment(b"", seq=last, flags="FA")
    made.segment(b"", from_client=False, seq=1, ack=last + 1, flags="FA")
    made.segment(b"", seq=last + 1, ack=2, flags="A")
    with patch.object(finder, "MOST_PLACES", places):
        found = events(made, *[word for pattern in patterns for word in ("-a", pattern)], batch=batch)
    named = {name for event in found for name in event["flowgrep"]["patterns"]}
    assert named == {name for name in patterns if re.compile(name.encode(), re.M).search(whole)}


@given(PATTERNS, TEXTS, st.data(), st.sampled_from([1, 1000]))
@settings(max_examples=200)
def test_any_pattern_is_found_wherever_a_stream_is_cut(
    pattern: str, texts: list[bytes], data: st.DataObject, batch: int
) -> None:
    whole = b"".join(texts)
    cuts = sorted({0, len(whole), *data.draw(st.lists(st.integers(0, len(whole)), max_size=6))})
    made = Conversation()
    made.handshake()
    made.says(*(whole[a:b] for a, b in pairwise(cuts)))
    made.segment(b"", seq=1 + len(whole), flags="FA")
    try:
        expected = re.compile(pattern.encode(), re.M).search(whole) is not None
        assert bool(events(made, "-a", pattern, batch=batch)) == expected
    except GrepError:  # it matches no bytes at all
        return
