"""Alignment against the textbook's table, flow by flow, and by example."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.learn.align import BEHIND, FARTHEST, MISSING, OCTAVE, UNEQUAL, align

Row = list[int]
"""Sizes of turns; column 0 is the client's."""

ROWS = st.lists(st.integers(1, 3000), min_size=1, max_size=9)


def filled(rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    width = max(map(len, rows)) + 1
    total = np.zeros((len(rows), width), np.int32)
    for number, row in enumerate(rows):
        total[number, : len(row)] = row
    return total, np.zeros(len(rows), np.int64), np.array([len(row) for row in rows])


def twin(row: Row, reference: Row) -> int:
    """The least cost, by the textbook."""

    def pair(a: int, b: int) -> int:
        logs = (round(OCTAVE * log2(size + 8)) for size in (a, b))
        return min(abs(next(logs) - next(logs)), FARTHEST) + (0 if a == b else UNEQUAL)

    m, n = len(reference), len(row)
    table = [[0] * (n + 1) for _ in range(m + 1)]
    for j in range(1, n + 1):
        table[0][j] = j * MISSING
    for i in range(1, m + 1):
        for j in range(n + 1):
            ways = [table[i - 1][j] + (BEHIND if j == n else MISSING)]
            if j:
                ways.append(table[i][j - 1] + MISSING)
                if (i - j) % 2 == 0:
                    ways.append(table[i - 1][j - 1] + pair(row[j - 1], reference[i - 1]))
            table[i][j] = min(ways)
    return min(table[m][j] + (n - j) * BEHIND for j in range(n + 1))


@settings(max_examples=80)
@given(st.lists(ROWS, min_size=1, max_size=5), ROWS)
def test_costs_as_the_textbook(rows: list[Row], reference: Row) -> None:
    cost, columns = align(*filled(rows), np.array(reference, np.int32))
    assert cost.tolist() == [twin(row, reference) for row in rows]
    for row, found in zip(rows, columns.tolist(), strict=True):
        met = [(i, column) for i, column in enumerate(found) if column >= 0]
        assert [column for _, column in met] == sorted({column for _, column in met})
        assert all(column < len(row) and (column - i) % 2 == 0 for i, column in met)


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ([40, 100, 20, 30, 25, 500, 60, 900], [0, 1, 2, 3, 4, 5, 6, 7]),
        ([40, 100, 25, 500, 60, 900], [0, 1, -1, -1, 2, 3, 4, 5]),
        ([40, 100, 7, 9, 20, 30, 25, 500, 60, 900], [0, 1, 4, 5, 6, 7, 8, 9]),
        ([40, 100], [0, 1, -1, -1, -1, -1, -1, -1]),
    ],
    ids=["equal", "an exchange lacks", "an exchange more", "it ends early"],
)
def test_where_the_turns_stand(row: Row, columns: list[int]) -> None:
    reference = np.array([40, 100, 20, 30, 25, 500, 60, 900], np.int32)
    _, found = align(*filled([row]), reference)
    assert found[0].tolist() == columns
