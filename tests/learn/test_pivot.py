"""Pivots: the message that is always there, wherever it comes."""

from __future__ import annotations

import numpy as np

from fl0p_py.learn.pivot import pivots
from fl0p_py.learn.turn import turns_in
from tests.learn.build import corpus


def test_a_message_after_any_number_of_others() -> None:
    texts = [f"tcp 22 < {'c5 s6 ' * number}c{number + 10} s77 c4 s3" for number in range(6)]
    others = [f"tcp 22 < {'c5 s6 ' * number}c{number + 10} s{number} c4 s3" for number in range(1, 7)]
    own, other = (turns_in(corpus(each), np.arange(6)) for each in (texts, others))
    times = np.ones(6, np.int64)
    found = pivots(own, times, other, times, np.arange(6))
    variant = found[0]
    assert variant.rows.tolist() == list(range(6))
    where = dict(zip(variant.rows.tolist(), variant.columns.tolist(), strict=True))
    assert all(77 in own.total[row, columns].tolist() for row, columns in where.items())
    place = {columns[own.total[row, columns].tolist().index(77)] for row, columns in where.items()}
    assert place == {1 + 2 * number for number in where}


def test_nothing_stands_out() -> None:
    flows = turns_in(corpus([f"tcp 22 < c{size} s{size}" for size in range(1, 60)]), np.arange(59))
    times = np.ones(59, np.int64)
    assert pivots(flows, times, flows, times, np.arange(59)) == []
