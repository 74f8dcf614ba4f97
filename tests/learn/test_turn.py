"""Turns against a plain twin, and by example."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.learn.turn import MAX_TOKENS, MAX_TURNS, Turns, turns_of

Flow = list[tuple[int, bool]]
"""Tokens, each with whether a pause stands before it."""

TOKENS = st.tuples(st.integers(1, 2000), st.booleans(), st.booleans()).map(
    lambda token: (token[0] if token[1] else -token[0], token[2])
)


def made(flows: list[Flow]) -> Turns:
    tokens = np.array([token for flow in flows for token, _ in flow], np.int32)
    paused = np.array([pause for flow in flows for _, pause in flow], np.bool_)
    offsets = np.cumsum([0, *map(len, flows)])
    some = np.arange(len(flows)) % 2 == 0
    return turns_of(tokens, paused, offsets, some, ~some)


def twin(flow: Flow) -> dict[int, Flow]:
    """Tokens by column."""
    found: dict[int, Flow] = {}
    column = 0 if flow[0][0] > 0 else 1
    for number, (token, pause) in enumerate(flow):
        if number and (token > 0) != (flow[number - 1][0] > 0):
            column += 1
        found.setdefault(column, []).append((abs(token), pause and number > 0))
    return found


@settings(max_examples=60)
@given(st.lists(st.lists(TOKENS, min_size=1, max_size=60), min_size=1, max_size=6))
def test_as_the_twin_says(flows: list[Flow]) -> None:
    turns = made(flows)
    for row, flow in enumerate(flows):
        columns = twin(flow)
        assert turns.begin[row] == min(columns)
        assert turns.whole[row] == (max(columns) < MAX_TURNS)
        assert turns.end[row] == min(max(columns) + 1, MAX_TURNS)
        for column in range(turns.total.shape[1]):
            tokens = columns.get(column, []) if column < MAX_TURNS else []
            sizes = [size for size, _ in tokens]
            assert turns.total[row, column] == sum(sizes)
            assert turns.count[row, column] == len(sizes)
            assert turns.smallest[row, column] == min(sizes, default=0)
            assert turns.largest[row, column] == max(sizes, default=0)
            assert turns.final[row, column] == (sizes[-1] if sizes else 0)
            assert turns.inner[row, column] == sum(pause for _, pause in tokens[1:])
            assert turns.pause[row, column] == (tokens[0][1] if tokens else False)
            kept = [size for size in turns.tokens[row, column].tolist() if size]
            assert kept == sizes[:MAX_TOKENS]


@pytest.mark.parametrize("length", [MAX_TURNS - 1, MAX_TURNS, MAX_TURNS + 1, 3 * MAX_TURNS])
def test_there_is_always_a_place_behind_the_last_turn(length: int) -> None:
    turns = made([[(5 if number % 2 == 0 else -5, False) for number in range(length)]])
    assert not turns.total[:, -1].any()
    assert turns.whole[0] == (length <= MAX_TURNS)
