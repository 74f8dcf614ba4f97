"""The twin itself: every row of the semantics, and flows made so that they match."""

from __future__ import annotations

import pytest

from fl0p_py.signature.parser import parse_pattern
from tests.signature.reference_matcher import fires, flow_of
from tests.signature.semantics import SEMANTICS, TOLERANT


@pytest.mark.parametrize(("pattern", "flow", "expected"), SEMANTICS)
def test_a_row_of_the_semantics(pattern: str, flow: str, expected: list[tuple[int, int]]) -> None:
    fired = fires(parse_pattern(pattern), flow_of(parse_pattern(flow)), count=True)
    assert [(completion.tokens, completion.moment) for completion in fired] == expected


@pytest.mark.parametrize(("pattern", "flow", "expected"), SEMANTICS)
def test_without_count_only_the_first_completion_fires(
    pattern: str, flow: str, expected: list[tuple[int, int]]
) -> None:
    fired = fires(parse_pattern(pattern), flow_of(parse_pattern(flow)))
    assert [(completion.tokens, completion.moment) for completion in fired] == expected[:1]


@pytest.mark.parametrize(("pattern", "flow", "expected"), TOLERANT)
def test_tolerance(pattern: str, flow: str, expected: bool) -> None:
    assert bool(fires(parse_pattern(pattern), flow_of(parse_pattern(flow)), tolerant=True)) is expected
