"""Pivots: turns of one certain size that most flows of a class have somewhere, and others hardly ever.

Where the same message comes after any number of others, an alignment of whole flows may miss it; the flows
laid side by side with that message in one column show what stands around it.  These are the snippets of
GGFAST with the pivot as their fixed point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.turn import Turns
from fl0p_py.learn.variant import Variant

MOST_PIVOTS = 8

SHARE = 0.1
"""Of the class's flows that have it."""

LIFT = 3.0
"""How many times as large that share is as among the others."""

BEFORE, BEHIND = 4, 4
"""Turns around a pivot that are looked at."""

Array = NDArray[Any]


def pivots(own: Turns, own_times: Array, other: Turns, other_times: Array, rows: Array) -> list[Variant]:
    """Some of the class's flows along each pivot, where it comes first and where it comes last."""
    found: list[Variant] = []
    here = _shares(own, own_times, rows)
    there = _shares(other, other_times, np.arange(len(other)))
    ranked = sorted(
        (there.get(key, 0.0) - share, key)
        for key, share in here.items()
        if share >= SHARE and share >= LIFT * there.get(key, 0.0)
    )
    for _, (client, size) in ranked[:MOST_PIVOTS]:
        first, last = _places(own, rows, client, size)
        for place in (first, last) if (first != last).any() else (first,):
            variant = _around(own, rows[place >= 0], place[place >= 0])
            if len(variant):
                found.append(variant)
    return found


def _shares(turns: Turns, times: Array, rows: Array) -> dict[tuple[bool, int], float]:
    """By (client, size): the share of the flows that have such a turn."""
    found: dict[tuple[bool, int], float] = {}
    whole = float(times[rows].sum()) or 1.0
    for parity in (0, 1):
        total = turns.total[rows, parity::2]
        row, column = np.nonzero(total)
        pairs = np.unique(np.stack([row, total[row, column]], axis=1), axis=0)
        sizes, inverse = np.unique(pairs[:, 1], return_inverse=True)
        sums = np.bincount(inverse, times[rows][pairs[:, 0]], len(sizes))
        found |= {
            (parity == 0, int(size)): float(count) / whole
            for size, count in zip(sizes, sums, strict=True)
            if count >= SHARE / LIFT * whole
        }
    return found


def _places(turns: Turns, rows: Array, client: bool, size: int) -> tuple[Array, Array]:
    """Columns of the first and of the last turn of that size in each row; -1: there is none."""
    hit = turns.total[rows] == size
    hit[:, int(client) :: 2] = False
    width = hit.shape[1]
    any_ = hit.any(axis=1)
    first = np.where(any_, hit.argmax(axis=1), -1)
    last = np.where(any_, width - 1 - hit[:, ::-1].argmax(axis=1), -1)
    return first, last


def _around(turns: Turns, rows: Array, place: Array) -> Variant:
    """The flows with the pivot in one column, as many turns around it as nearly all of them have."""
    before = int(min(BEFORE, np.percentile(place - turns.begin[rows], 5)))
    behind = int(min(BEHIND, np.percentile(turns.end[rows] - 1 - place, 5)))
    kept = (place - turns.begin[rows] >= before) & (turns.end[rows] - 1 - place >= behind)
    columns = place[kept, None] + np.arange(-before, behind + 1)
    return Variant(rows[kept], columns.astype(np.int32))
