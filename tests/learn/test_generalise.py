"""How far ranges reach, and what becomes of a turn that varies."""

from __future__ import annotations

import numpy as np
import pytest

from fl0p_py.learn.course import Course
from fl0p_py.learn.generalise import GENEROUS, LEVELS, LIKELY, SEEN, Level, bounds, grid, turn
from fl0p_py.learn.turn import turns_in
from fl0p_py.signature.pattern import Size
from fl0p_py.signature.printer import sequence_text, size_text
from tests.learn.build import corpus


@pytest.mark.parametrize(
    ("sizes", "width", "expected"),
    [
        ([40, 40, 40], GENEROUS, "40"),
        ([40], SEEN, "40"),
        ([100, 108], SEEN, "100-108"),
        (list(range(100, 201)), LIKELY, "97-203"),
        (list(range(100, 201)), GENEROUS, "75-225"),
        ([64, 80, 112] * 20, LIKELY, "48-128"),
        ([64, 80, 112] * 20, SEEN, "64-112"),
        ([1, 5, 9], GENEROUS, "-17"),
        ([12, 14, 1900], GENEROUS, "8-3316"),
    ],
)
def test_bounds(sizes: list[int], width: int, expected: str) -> None:
    assert size_text(bounds(np.array(sizes), width)) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([200, *range(230, 680, 30), *range(700, 9000, 30)], "110-9070"),
        ([200, *range(201, 216), *range(220, 9000, 30)], "134-9065"),
        (list(range(200, 9000, 300)), "132-9744"),
        ([9, *range(30, 9000, 30)], "5-9060"),
    ],
    ids=["as thin as all others", "dense", "few", "half of it at most"],
)
def test_below_the_smallest_size_there_is_the_more_room_the_thinner_they_lie_there(
    sizes: list[int], expected: str
) -> None:
    assert size_text(bounds(np.array(sizes), LIKELY)) == expected


def test_of_sizes_that_are_even_hardly_any_is_left_out() -> None:
    draw = np.random.default_rng(1)
    left_out = []
    for _ in range(200):
        size = bounds(draw.integers(80, 9001, 280), LIKELY)
        left_out.append((max(0, size.low - 80) + max(0, 9000 - size.high)) / 8920)
    assert np.mean(left_out) < 0.0006


@pytest.mark.parametrize(
    ("sizes", "block"),
    [([64, 80, 112], 16), ([52, 60, 84], 8), ([44, 52, 56], 4), ([44, 52], 1), ([44, 52, 57], 1)],
)
def test_grid(sizes: list[int], block: int) -> None:
    assert grid(np.array(sizes)) == block


def test_bounds_stay_on_the_grid_and_hold_what_was_seen() -> None:
    size = bounds(np.array([36, 52, 100]), GENEROUS)
    assert size == Size(20, 148, exact=False)
    assert size.low % 16 == size.high % 16 == 36 % 16


@pytest.mark.parametrize(
    ("texts", "level", "expected"),
    [
        (["c40 s5", "c40 s6"], LEVELS[0], "C40"),
        (["c40 s5", "c40 s6"], LEVELS[-1], "c40"),
        ([f"c40 s{n}" for n in range(1, 121)] + ["c30 c10 s5"], LEVELS[1], "C40"),
        (["c40 c2 s5", "c42 s5"], LEVELS[-1], "C42"),
        (["c40 c2 s5", "c41 c2 s5"], LEVELS[-1], "c40-41 c2"),
        (["c40 c2 s5", "c41 c2 s5"], LEVELS[-1]._replace(tokens=False), "C42-43"),
        (["c40 + c2 s5", "c40 c2 s5"], LEVELS[-1], "c40 +? c2"),
        (["c40 + c2 s5", "c40 c2 c6 s5"], LEVELS[-1], "c2-40 ( +? c2-40 ){1,2}"),
        (["c2000 s5", "c2000 s5"], LEVELS[0], "C2000"),
    ],
    ids=[
        "one token",
        "in one piece",
        "one was cut",
        "split",
        "two tokens",
        "two as a burst",
        "pause",
        "run",
        "segments",
    ],
)
def test_a_turn(texts: list[str], level: Level, expected: str) -> None:
    rows = turns_in(flows := corpus([f"tcp 22 < {text}" for text in texts]), np.arange(len(texts)))
    at = np.arange(len(flows)) * rows.total.shape[1]
    assert sequence_text(Course((turn(rows, at, level),), start=True).sequence()) == expected


def test_a_last_turn_asks_for_no_more_than_its_beginning() -> None:
    rows = turns_in(corpus(["tcp 22 < c4 s60", "tcp 22 < c4 s1448 s1448 s900"]), np.arange(2))
    at = np.arange(2) * rows.total.shape[1] + 1
    last = turn(rows, at, LEVELS[-1], last=True)
    assert sequence_text(Course((last,), start=True).sequence()) == "S60-"
