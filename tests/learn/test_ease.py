"""Easing: how far the ends of ranges are moved, and what keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from fl0p_py.learn.course import Course, Turn
from fl0p_py.learn.ease import eased
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Segment
from fl0p_py.signature.printer import pattern_text


def course(text: str) -> Course:
    """Bursts (capitals) and tokens, one after the other."""
    items = parse_pattern(f"tcp * = < {text}").sequence.items
    steps = [
        Turn(item.direction == "c", (item.size,), burst=item.burst)
        for item in items
        if isinstance(item, Segment)
    ]
    return Course(tuple(steps), start=True, exact=True)


def bounds(one: Course, place: int) -> tuple[int, int]:
    step: Any = one.steps[place]
    return step.sizes[0].low, step.sizes[0].high


@pytest.mark.parametrize(
    ("seen", "expected", "found"),
    [
        ("C60-160 s11", "C57-163 s11", "C57-163 s11"),
        ("C60-160 s11", "C70-150 s11", "C60-160 s11"),  # never narrower
        ("C60-160 s11", "C57-163 s8-14", "C57-163 s11"),  # constants stay
        ("C60-160 s11", "c57-163 s11", "C60-160 s11"),  # of another make
        ("C60-160 S9-90 C60-400", "C60-160 S9-90 C60-400", "C60-400 S9-90 C60-400"),
        ("C110-120 S9-90 C60-400", "C110-120 S9-90 C60-400", "C110-120 S9-90 C60-400"),  # hardly alike
        ("C60-160 S9-90 C77", "C60-160 S9-90 C77", "C60-160 S9-90 C77"),
    ],
)
def test_ranges_move_to_what_is_expected(seen: str, expected: str, found: str) -> None:
    again = eased(course(seen), course(expected).steps, lambda _: True)
    assert pattern_text(again.pattern("tcp")) == pattern_text(course(found).pattern("tcp"))


def test_where_others_are_named_on_the_way_half_of_it_is_gone() -> None:
    def fits(one: Course) -> bool:
        low, high = bounds(one, 0)
        return low > 40 and high < 170

    again = eased(course("C60-160 s11"), course("C20-200 s11").steps, fits)
    assert bounds(again, 0) == (50, 164)


def test_each_end_moves_by_itself() -> None:
    again = eased(course("C60-160 s11"), course("C20-200 s11").steps, lambda one: bounds(one, 0)[1] <= 160)
    assert bounds(again, 0) == (20, 160)


def test_what_is_not_known_stays() -> None:
    seen = course("C60-160 s11")
    assert eased(seen, [None, None], lambda _: True) == seen
