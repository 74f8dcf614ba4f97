"""One signature inside another, and two that meet: by rows, and never against the reference matcher."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.errors import PatternError
from fl0p_py.signature.overlap import Shape, included, meeting, shape
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Pattern, Sequence, Signature
from fl0p_py.signature.printer import pattern_text
from tests.signature.reference_matcher import Flow, Token, completions, flow_of
from tests.signature.strategies import SMALL, patterns


def shaped(pattern: str | Pattern) -> Shape:
    tree = parse_pattern(pattern) if isinstance(pattern, str) else pattern
    return shape(Signature("x", "x", tree))


# narrow, wide, inside?
INSIDE = [
    ("tcp * c5", "tcp * c5", True),
    ("tcp * c5", "tcp * c1-9", True),
    ("tcp * c1-9", "tcp * c5", False),
    ("tcp * c5", "udp * c5", False),
    ("tcp 22 c5", "tcp 1-1023 c5", True),
    ("tcp * c5", "tcp 1-1023 c5", False),
    ("tcp * < c5", "tcp * c5", True),
    ("tcp * c5", "tcp * < c5", False),
    ("tcp * < c5 s6", "tcp * < c5", True),
    ("tcp * < c5 s6 >", "tcp * s6", True),
    ("tcp * c5", "tcp * c5 >", False),
    ("tcp * c5 >", "tcp * c5", True),
    ("tcp * c1 c5 s6 c7", "tcp * c5 s6", True),
    ("tcp * c1 c5 + s6 c7", "tcp * c5 s6", False),
    ("tcp * c1 c5 + s6 c7", "tcp * c5 +? s6", True),
    ("tcp * c5 +? s6", "tcp * c5 s6", False),
    ("tcp * c5 s6", "tcp * + c5 s6", False),
    ("tcp * s1 + c5 s6", "tcp * + c5 s6", True),
    ("tcp * c5 + s6", "tcp * c5 +", True),
    ("tcp * c5 s6", "tcp * c5 +", False),
    ("tcp * C5 s6", "tcp * C1-9", True),
    ("tcp * c5 s6", "tcp * C5", False),
    ("tcp * ( c5 | c6 ) s1", "tcp * c5-6 s1", True),
    ("tcp * ( c5 | c7 ) s1", "tcp * ( c5 | c6 ) s1", False),
    ("tcp * c5{3}", "tcp * c5{2,}", True),
    ("tcp * < c5{3,} s1", "tcp * < c5{2,} s1", True),
    ("tcp * < c5{2,} s1", "tcp * < c5{3,} s1", False),
    ("tcp * c5 s6", "tcp * ( c5 & s6 )", True),
    ("tcp * ( c5 & s6 )", "tcp * c5 s6", False),
    ("tcp * ( c5 | s6 c5 ) s1", "tcp * c5 s1", True),
]


@pytest.mark.parametrize(("narrow", "wide", "inside"), INSIDE)
def test_inside(narrow: str, wide: str, inside: bool) -> None:
    assert included(shaped(narrow), shaped(wide)) is inside


# a, b, with tolerance, the flow on which both complete with one token
MEETING = [
    ("tcp * c5", "tcp * c5", False, "tcp 0 c5"),
    ("tcp * c5", "tcp * c6", False, None),
    ("tcp * c5", "tcp * c5-6", True, "tcp 0 c5"),
    ("tcp * c5", "tcp * c7", True, "tcp 0 c6"),
    ("tcp * = c5", "tcp * c6", True, "tcp 0 c5"),
    ("tcp * = c5", "tcp * = c6", True, None),
    ("tcp * c5", "tcp * s5", False, None),
    ("tcp * c5", "udp * c5", False, None),
    ("tcp 1-99 c5", "tcp 22,200 c5", False, "tcp 22 c5"),
    ("tcp 22 c5", "tcp 23 c5", False, None),
    ("icmp * c5", "icmp * c5", False, "icmp * c5"),
    ("tcp * < c5 s6 c7", "tcp * s6 c7", False, "tcp 0 < c5 s6 c7"),
    ("tcp * < c5 s6 c7", "tcp * < s6 c7", False, None),
    ("tcp * < c5 s6 c7", "tcp * + s6 c7", False, None),
    ("tcp * c5 + s6 c7", "tcp * + s6 c7", False, "tcp 0 c5 + s6 c7"),
    ("tcp * + s6 c7", "tcp * + s6 c7", False, "tcp 0 c1 + s6 c7"),
    ("tcp * c5 + s6", "tcp * c5 s6", False, None),
    ("tcp * c5 +? s6", "tcp * c5 + s6", False, "tcp 0 c5 + s6"),
    ("tcp * c5 >", "tcp * c5", False, None),
    ("tcp * c5 >", "tcp * < c5 >", False, "tcp 0 < c5 >"),
    ("tcp * c5 +", "tcp * c5", False, None),
    ("tcp * c5 +", "tcp * c4-6 +", False, "tcp 0 c5 +"),
    ("tcp * C5-9 s1", "tcp * c7 s1", False, "tcp 0 c7 s1"),
    ("tcp * ( c1 | c5 ) s1{2,}", "tcp * c5 s1 s1 s1", False, "tcp 0 c5 s1 s1 s1"),
    (
        "tcp * c9 ( s1 c1 ){2,} s2",
        "tcp * < c9 s1 c1 s1 c1 s1 c1 s2",
        False,
        "tcp 0 < c9 s1 c1 s1 c1 s1 c1 s2",
    ),
]


@pytest.mark.parametrize(("a", "b", "tolerant", "flow"), MEETING)
def test_meeting(a: str, b: str, tolerant: bool, flow: str | None) -> None:
    for one, other in ((a, b), (b, a)):
        found = meeting(shaped(one), shaped(other), tolerant)
        assert (found and pattern_text(found)) == flow


tokens = st.lists(
    st.builds(Token, st.sampled_from("cs"), st.integers(1, SMALL), st.booleans()), min_size=1, max_size=7
)


@given(patterns(SMALL), patterns(2), st.lists(tokens, min_size=1, max_size=8), st.booleans())
def test_what_is_inside_never_matches_alone(
    narrow: Pattern, wide: Pattern, tried: list[list[Token]], end: bool
) -> None:
    shorter = Sequence(narrow.sequence.items[-2:])
    for outer in (
        wide._replace(proto=narrow.proto, ports=()),
        narrow._replace(start=False),
        narrow._replace(end=False),
        narrow._replace(start=False, sequence=shorter),
    ):
        try:
            parse_pattern(pattern_text(outer))
        except PatternError:
            continue
        if not included(shaped(narrow), shaped(outer)):
            continue
        for found in tried:
            flow = Flow(
                (Token(found[0].direction, found[0].size), *found[1:]), True, end, False, narrow.proto, 22
            )
            first, second = completions(narrow, flow), completions(outer, flow)
            if first:
                assert second
                assert (second[0].tokens, second[0].moment) <= (first[0].tokens, first[0].moment)


@given(patterns(SMALL))
def test_every_pattern_is_inside_itself_and_what_has_no_anchors(pattern: Pattern) -> None:
    itself = shaped(pattern)
    if itself.certain:
        assert included(itself, itself)
        assert included(itself, shaped(pattern._replace(start=False)))
        assert included(itself, shaped(pattern._replace(end=False)))


@given(patterns(SMALL, bursts=False))
def test_a_pattern_without_bursts_meets_itself(pattern: Pattern) -> None:
    flow = meeting(shaped(pattern), shaped(pattern), False)
    assert flow is not None
    assert completions(pattern, flow_of(flow))
