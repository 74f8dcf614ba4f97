"""Alignment: which turn of each flow stands where in a reference conversation.

Needleman and Wunsch (1970) over turns, all flows at once: a cell of the usual table is an array, one
entry a flow, and a row of the table is a few operations on a matrix.  Sizes are compared on a log
scale, equal ones cost nothing; a turn only meets a turn of its own side.  What a flow has behind
the reference's last turn, and the other way round, costs little: conversations differ most in how long
they go on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

OCTAVE = 8
"""Cost of a factor of two between sizes; all costs are whole numbers, so that nothing depends on rounding."""

FARTHEST = 4 * OCTAVE
"""Cost of a turn of another size altogether."""

UNEQUAL = 3
"""Cost of not being equal, however near."""

MISSING = 9
"""Cost of a turn that one of the two does not have."""

BEHIND = 1
"""The same, where one of them is over."""

NEVER = 1 << 20

Array = NDArray[Any]


def scaled(sizes: Array) -> Array:
    """int32: sizes on the log scale of the costs; 0 where there is no turn."""
    logs: Array = np.rint(OCTAVE * np.log2(np.maximum(sizes, 1).astype(np.float64) + 8)).astype(np.int32)
    logs[sizes == 0] = 0
    return logs


def align(total: Array, begin: Array, end: Array, reference: Array) -> tuple[Array, Array]:
    """Place the turns of each flow along the reference.

    total     : int32[n, T], sizes of turns; even columns are the client's
    begin, end: int64[n], the columns that each flow has
    reference : int32[m], sizes, likewise; 0 only in column 0, where the server began

    Returns (cost int32[n], column int32[n, m]): for each turn of the reference the flow's column, -1
    where it has none.
    """
    n, width = total.shape
    m = len(reference)
    logs, wanted = scaled(total), scaled(reference)
    columns = np.arange(width + 1)
    inside = (columns[:-1] >= begin[:, None]) & (columns[:-1] < end[:, None])
    over = np.minimum(columns[None, :], end[:, None]) - np.minimum(begin, end)[:, None]
    skipped = MISSING * np.maximum(over, 0)
    first = int(reference[0] == 0)
    cost = skipped.astype(np.int32)  # of the table's row: nothing of the reference is used yet
    came = np.zeros((m, n, width + 1), np.int8)  # 0: both, 1: the flow lacks the turn
    for i in range(first, m):
        apart = np.minimum(np.abs(logs - wanted[i]), FARTHEST)
        apart += np.where(total == reference[i], 0, UNEQUAL)
        apart = np.where(inside & ((columns[:-1] - i) % 2 == 0), apart, NEVER).astype(np.int32)
        lacking = cost + np.where(columns[None, :] >= end[:, None], BEHIND, MISSING)
        best = lacking.copy()
        both = cost[:, :-1] + apart
        better = both <= best[:, 1:]
        best[:, 1:][better] = both[better]
        came[i] = 1
        came[i][:, 1:][better] = 0
        # the flow's own turns between: the least over all columns before, each MISSING nearer
        slope = (MISSING * columns).astype(np.int32)
        reach = np.minimum.accumulate(best - slope, axis=1) + slope
        came[i][reach < best] = 2
        cost = reach
    tail = np.maximum(end[:, None] - columns[None, :], 0) * BEHIND
    final = cost + tail
    at = final.argmin(axis=1)
    least = final[np.arange(n), at].astype(np.int32)
    return least, _back(came, at, first)


def _back(came: Array, at: Array, first: int) -> Array:
    """Follow the table back from where each flow ends."""
    m, n, _ = came.shape
    rows = np.arange(n)
    found = np.full((n, m), -1, np.int32)
    at = at.copy()
    for i in range(m - 1, first - 1, -1):
        step = came[i][rows, at]
        while (step == 2).any():
            at -= step == 2
            step = came[i][rows, at]
        met = step == 0
        at -= met
        found[met, i] = at[met]
    return found
