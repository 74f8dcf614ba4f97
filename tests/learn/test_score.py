"""Shares with their intervals, confusion, and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from fl0p_py.learn.score import NOTHING, Counts, Share, confusion, f1_interval


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilson(part: int, whole: int, low: float, high: float) -> None:
    """The last row is an example of Newcombe, Two-sided confidence intervals (1998)."""
    interval = Share(part, whole).interval
    assert interval == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing() -> None:
    assert Share(0, 0).value is None and Share(0, 0).interval is None and str(Share(0, 0)) == "-"


def test_confusion_counts_what_was_said_for_what() -> None:
    table = confusion(["a", "a", "b", None, "b"], ["a", "b", "b", "a", None])
    assert table.names == ("a", "b", NOTHING)
    assert table.table.tolist() == [[1, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert table.counts("a") == Counts(right=1, false=1, missed=1)
    assert table.counts("a").f1 == 0.5


def test_f1_of_nothing() -> None:
    assert Counts(0, 0, 0).f1 is None


def test_the_bootstrap_is_by_source_and_seeded() -> None:
    true = np.array([True] * 60)
    said = np.array([True] * 40 + [False] * 20)
    source = np.repeat([0, 1, 2], 20)  # all that was missed is of one capture
    interval = f1_interval(true, said, source, seed=1)
    assert interval == f1_interval(true, said, source, seed=1)
    assert interval is not None and interval[0] < 0.6 and interval[1] == 1.0
    alone = np.arange(60)
    narrow = f1_interval(true, said, alone, seed=1)
    assert narrow is not None and narrow[0] > interval[0]


def test_two_captures_say_nothing_of_the_spread() -> None:
    some = np.array([True, False, True])
    assert f1_interval(some, some, np.array([0, 0, 1]), seed=1) is None
