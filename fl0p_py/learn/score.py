"""Scores: how well what was said of flows agrees with what they are, and how sure that is.

Intervals of shares are Wilson's (Wilson, Probable inference, the law of succession, and statistical
inference, 1927), which hold for few flows and for shares near 0 and 1.  F1 is no share of one count, so
its interval is a bootstrap, by source: flows of one capture are alike, and to draw them one by one would
promise too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""Standard deviations on either side that hold 95 %."""

DRAWS = 1_000
"""Of the bootstrap."""

FEWEST_SOURCES = 3
"""With fewer captures, a bootstrap by capture says nothing."""

Array = NDArray[Any]


class Share(NamedTuple):
    """part of whole, with the interval that holds the true share 95 times in 100."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.whole:
            return None
        n, p = self.whole, self.part / self.whole
        middle = p + Z * Z / (2 * n)
        reach = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        scale = 1 + Z * Z / n
        return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)

    def __str__(self) -> str:
        if self.value is None or self.interval is None:
            return "-"
        low, high = self.interval
        return f"{self.value:.3f} ({low:.3f}-{high:.3f})"


class Counts(NamedTuple):
    """Of one value of a facet: said and true, said and not true, true and not said."""

    right: int
    false: int
    missed: int

    @property
    def precision(self) -> Share:
        return Share(self.right, self.right + self.false)

    @property
    def recall(self) -> Share:
        return Share(self.right, self.right + self.missed)

    @property
    def f1(self) -> float | None:
        return f1(self.right, self.false, self.missed)


def f1(right: int, false: int, missed: int) -> float | None:
    """The harmonic mean of precision and recall; None where there was nothing to say and nothing said."""
    whole = 2 * right + false + missed
    return 2 * right / whole if whole else None


class Confusion(NamedTuple):
    """names : values, sorted, the last is NOTHING; table : int64[true, said] flows."""

    names: tuple[str, ...]
    table: Array

    def counts(self, name: str) -> Counts:
        place = self.names.index(name)
        right = int(self.table[place, place])
        return Counts(right, int(self.table[:, place].sum()) - right, int(self.table[place].sum()) - right)


NOTHING = "-"
"""Stands for no value at all: nothing is true, nothing was said."""


def confusion(true: Sequence[str | None], said: Sequence[str | None]) -> Confusion:
    """How often what was said for what."""
    names = (*sorted({value for value in (*true, *said) if value is not None}), NOTHING)
    place = {name: number for number, name in enumerate(names)}
    table = np.zeros((len(names), len(names)), np.int64)
    rows = [place[value or NOTHING] for value in true]
    columns = [place[value or NOTHING] for value in said]
    np.add.at(table, (rows, columns), 1)
    return Confusion(names, table)


def f1_interval(true: Array, said: Array, source: Array, seed: int) -> tuple[float, float] | None:
    """Bootstrap by source of the F1 of one value; None with too few sources.

    true, said : bool[n]; source : int[n]
    """
    sources, place = np.unique(source, return_inverse=True)
    if len(sources) < FEWEST_SOURCES:
        return None
    counts = np.zeros((len(sources), 3))
    for column, what in enumerate((true & said, ~true & said, true & ~said)):
        np.add.at(counts[:, column], place, what)
    draws = np.random.default_rng(seed).integers(0, len(sources), (DRAWS, len(sources)))
    right, false, missed = counts[draws].sum(axis=1).T
    whole = 2 * right + false + missed
    values = (2 * right[whole > 0]) / whole[whole > 0]
    if not len(values):
        return None
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)
