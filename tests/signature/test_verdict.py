"""Facets: who sets them when several signatures complete, as rows."""

from __future__ import annotations

import pytest

from fl0p_py.signature.trial import TrialFlow
from tests.signature.lines import said, trial

A = "#: id=a class=ssh\ntcp 22 < c10 : a\n"  # 16 + 8 + 16 bits
B = "#: id=b class=smtp\ntcp * < c10 : b\n"  # 16 + 8 bits
FAILED = "#: outcome=auth-failed\ntcp 22 = < c10 : f\n"
SUCCESS = "#: outcome=auth-success\ntcp * = s5 : s\n"
ROWS = [
    (A + B, "tcp 22 < c10", ["a@1", "b@1 lost"], {"class_": "ssh"}, "the more specific one wins"),
    (B + A, "tcp 22 < c10", ["a@1", "b@1 lost"], {"class_": "ssh"}, "whatever the order of the lines"),
    (B + B.replace("b", "c"), "tcp 9 < c10", ["b@1", "c@1 lost"], {"class_": "smtp"}, "a tie: file order"),
    (A + B.replace("c10", "c10 s1-"), "tcp 22 < c10 s5", ["a@1", "b@2 lost"], {"class_": "ssh"},
     "later and less specific"),
    (B + A.replace("c10", "c10 s5"), "tcp 22 < c10 s5", ["b@1", "a@2"], {"class_": "ssh"},
     "later and more specific"),
    (FAILED + SUCCESS, "tcp 22 < c10 s5",
     ["f@1", "s@2"], {"outcome": "auth-success"}, "a later outcome replaces an earlier one"),
    (FAILED + SUCCESS.replace("success", "failed"), "tcp 22 < c10 s5",
     ["f@1", "s@2 lost"], {"outcome": "auth-failed"}, "the same outcome adds nothing"),
    (A + "#: activity=shell actor=human\ntcp * < c10 : c\n", "tcp 22 < c10", ["a@1", "c@1"],
     {"class_": "ssh", "activity": "shell", "actor": "human"}, "facet by facet"),
    ("tcp * < c10 : p\ntcp * < c10 s5 : q\n", "tcp 22 < c10 s5", ["p@1", "q@2"], {},
     "without facets: each says itself"),
    ("tcp * < c10 : p\ntcp * c10 : q\n", "tcp 22 < c10", ["p@1", "q@1 lost"], {},
     "without facets: the more specific one of a token"),
    ("tcp * = < c10-12 : range\ntcp * < c11 : near\n", "tcp 22 < c10", ["near@1 80%", "range@1 lost"], {},
     "tolerance is part of the size"),
    ("tcp * < c10 : near\ntcp * < c11 : exact\n", "tcp 22 < c11", ["exact@1", "near@1 80% lost"], {},
     "of two equally specific the better score"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "flow", "expected", "facets", "why"), ROWS, ids=[row[4] for row in ROWS])
def test_facets(lines: str, flow: str, expected: list[str], facets: dict[str, str], why: str) -> None:
    assert said(lines, flow) == expected
    verdict = trial(lines, flow).verdict
    assert {name: value for name, value in verdict.facets._asdict().items() if value} == facets


def test_attempts_count_every_completion_that_does_not_overlap() -> None:
    line = "#: class=ssh outcome=auth-failed count\ntcp 22 = c100 s50 c100 : failed\n"
    flow = "tcp 22 < c100 s50 c100 s50 c100 s50 c100 s50 c100"
    result = trial(line, flow)
    assert said(line, flow) == ["failed@3", "failed@7"]
    assert result.verdict.attempts == 2


def test_several_counting_signatures_at_one_token_count_one_attempt() -> None:
    line = "#: class=ssh count\ntcp 22 = c100 s50 : a\n#: class=ssh count\ntcp * = s50 : b\n"
    assert trial(line, "tcp 22 < c100 s50 c100 s50").verdict.attempts == 2


def test_counting_goes_on_beyond_the_identifications_that_are_kept() -> None:
    line = "#: class=ssh count\ntcp 22 = c100 : a\n"
    result = trial(line, "tcp 22 " + "c100 " * 200)
    assert (result.verdict.attempts, len(result.identifications)) == (200, 32)


def test_what_looks_like_keys_among_chaff_says_nothing_of_the_actor() -> None:
    """Keys behind a pause, each echoed: so are the messages by which OpenSSH hides keys, 20 ms apart."""
    line = "#: class=ssh activity=shell actor=human\ntcp * = + c36 s36 c36 s36 c36 s36 c36 s36 : typed\n"
    sizes, gaps = [112, -500, *[36, -36] * 100], [0.0, 1.0, 900.0, 0.5, *[19.5, 0.5] * 99]
    assert trial(line, TrialFlow(sizes, gaps, end=True)).verdict.facets.actor is None
    by_hand = [0.0, 1.0, 900.0, 0.5, *[119.5, 0.5] * 3]
    assert trial(line, TrialFlow(sizes[:10], by_hand, end=True)).verdict.facets.actor == "human"
