"""Tolerance and edits, as rows: a flow, and what `SIX` (six items, one edit) or `NINE` (two) say of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.signature.lines import said
from tests.support.examples import examples

SIX = "tcp * < c100 s200 c300 s400 + c500 s600 : six"
NINE = "tcp * < c100 s200 c300 s400 c500 s600 c700 s800 c900 : nine"

ROWS = [
    (SIX, "tcp 9 < c100 s200 c300 s400 + c500 s600", ["six@6"], "exact"),
    (SIX, "tcp 9 < c102 s196 c300 s400 + c500 s600", ["six@6 94%"], "tolerance"),
    (SIX, "tcp 9 < c103 s200 c300 s400 + c500 s600", [], "beyond tolerance, at the first item"),
    (SIX, "tcp 9 < c100 s200 c300 s400 c500 s600", ["six@6 84%"], "a gap missing"),
    (SIX, "tcp 9 < c100 s200 + c300 s400 + c500 s600", ["six@6 84%"], "a gap too many"),
    (SIX, "tcp 9 < c100 + s200 c300 s400 + c500 s600", [], "a gap before the second item"),
    (SIX, "tcp 9 < c100 s200 c300 s400 + c500 + s600", [], "a gap before the last item"),
    (SIX, "tcp 9 < c100 s200 c300 s400 s9 + c500 s600", ["six@7 84%"], "a token too many"),
    (SIX, "tcp 9 < c100 s200 s9 c300 s400 + c500 s600", [], "a token too many behind the second item"),
    (SIX, "tcp 9 < c100 s9 s200 c300 s400 + c500 s600", [], "a token too many behind the first item"),
    (SIX, "tcp 9 < c100 s200 s400 + c500 s600", ["six@5 84%"], "the third item missing"),
    (SIX, "tcp 9 < c100 s200 c300 s400 s600", ["six@5 84%"], "an item missing, and the gap with it"),
    (SIX, "tcp 9 < c100 s200 c300 s400 + c500", [], "the last item missing"),
    (SIX, "tcp 9 < c100 s200 c300 s450 + c500 s600", [], "one size wrong: a missing and an extra token"),
    (SIX.replace("*", "* =", 1), "tcp 9 < c100 s201 c300 s400 + c500 s600", [], "`=` forbids tolerance"),
    (SIX.replace("*", "* =", 1), "tcp 9 < c100 s200 c300 s400 c500 s600", [], "`=` forbids edits"),
    (SIX.replace("c300 ", ""), "tcp 9 < c100 s200 s400 c500 s600", [], "five items have no budget"),
    (SIX.replace("< ", ""), "tcp 9 c1 c100 s200 c300 s400 c500 s600", ["six@7 84%"], "unanchored"),
    (NINE, "tcp 9 < c100 s200 c300 s400 c500 s600 c700 s800 c900", ["nine@9"], "exact"),
    (NINE, "tcp 9 < c100 s200 c300 s450 c500 s600 c700 s800 c900", ["nine@9 78%"], "one size wrong"),
    (NINE, "tcp 9 < c100 s200 c500 s600 c700 s800 c900", ["nine@7 78%"], "two missing"),
    (NINE, "tcp 9 < c100 s200 c300 s9 c9 s400 c500 s600 c700 s800 c900", ["nine@11 78%"], "two too many"),
    (NINE, "tcp 9 < c100 s200 c300 s9 c9 s400 c500 s600 c700 c900", [], "three edits"),
    (NINE + "\n" + SIX, "tcp 9 < c100 s200 c300 s400 c500 s600 c700 s800 c900",
     ["six@6 84%", "nine@9"], "another signature was nearly there before"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "flow", "expected", "why"), ROWS, ids=[row[3] for row in ROWS])
def test_edits(lines: str, flow: str, expected: list[str], why: str) -> None:
    assert said(lines, flow) == expected


def test_without_fuzzy_matching_only_the_exact_flow_matches() -> None:
    assert said(SIX, "tcp 9 < c100 s200 c300 s400 + c500 s600", fuzzy=False) == ["six@6"]
    assert said(SIX, "tcp 9 < c100 s200 c300 s400 c500 s600", fuzzy=False) == []
    assert said(SIX, "tcp 9 < c100 s201 c300 s400 + c500 s600", fuzzy=False) == []


def test_a_repetitive_pattern_is_not_called_fuzzy_a_round_too_early() -> None:
    line = "tcp * < c100 s200 c36 s36 c36 s36 c36 s36 c36 s36 : loop"
    assert said(line, "tcp 9 < c100 s200 c36 s36 c36 s36 c36 s36 c36 s36") == ["loop@10"]
    assert said(line, "tcp 9 < c100 s200 c36 s36 c36 s36 c36 s36 > ") == ["loop@8 80%"]


def test_a_flow_that_matches_as_it_is_is_never_called_fuzzy_at_that_token() -> None:
    line = "tcp * < c100 s200 c36 c36 c36 c36 c36 c36 c36 : row"
    assert said(line, "tcp 9 < c100 s200 c36 c36 c36 c36 c36 c36 c36") == ["row@9"]
    other = "#: class=http\ntcp * < c100 s200 c36 : other\n#: class=http\n"
    assert said(other + line, "tcp 9 < c100 s200 c36 c36 c36 c36 c36 c36 c36") == ["other@3", "row@9 lost"]


alike = st.lists(st.sampled_from(["c100", "c300", "s200", "s400"]), min_size=6, max_size=10)
"""Items of which rows of so many have room for edits, and of which flows are made, too."""


@examples(150)
@given(st.lists(alike, min_size=1, max_size=4), st.booleans(), st.integers(0, 10), st.integers(0, 10), alike)
def test_no_match_is_lost_to_one_with_edits(
    rows: list[list[str]], start: bool, begin: int, end: int, more: list[str]
) -> None:
    lines = "\n".join(f"tcp * {'<' * start} {' '.join(row)} : {n}" for n, row in enumerate(rows))
    flow = f"tcp 9 < {' '.join(rows[0][:begin] + rows[0][min(begin, end) :] + more)}"
    found = {tuple(one.split()[0].split("@")): "%" in one for one in said(lines, flow)}
    for one in said(lines, flow, fuzzy=False):
        name, token = one.split()[0].split("@")
        before = (edited and other == name and int(at) < int(token) for (other, at), edited in found.items())
        assert found.get((name, token)) is False or any(before)


def test_vague_signatures_get_no_edits() -> None:
    line = "tcp * c1- s1- c1- s1- c1- s1- c1- : vague"
    assert said(line, "tcp 9 < c10 s20 c30 s40 + c50 s60 c70") == []


def test_edits_are_not_noted_where_an_exact_match_says_as_much() -> None:
    exact = "#: class=ssh\ntcp * < c100 s200 c300 s400 : exact\n"
    flow = "tcp 9 < c100 s200 c300 s400 c500 s600"
    assert said(exact + "#: class=ssh\n" + SIX, flow) == ["exact@4"]
    assert said(exact + "#: class=smtp\n" + SIX, flow) == ["exact@4"]
    assert said(exact + "#: activity=shell\n" + SIX, flow) == ["exact@4", "six@6 84%"]


def test_a_trailing_pause_and_the_end_are_asked_for_with_edits_too() -> None:
    flow = "tcp 9 < c100 s200 c300 s400 c500 s600"
    assert said(SIX.replace(" :", " > :"), flow) == []
    assert said(SIX.replace(" :", " > :"), flow + " >") == ["six@6 84%"]
    assert said(SIX.replace(" :", " + :"), flow + " c7") == []
    assert said(SIX.replace(" :", " + :"), flow + " + c7") == ["six@6 84%"]
