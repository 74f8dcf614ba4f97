"""Whoever asks for the end of a connection asks again while it goes on, and once it is silent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.sensor.request import AGAIN, Killer
from fl0p_py.sensor.target import Target
from fl0p_py.settings import EngineOptions
from fl0p_py.tracker import Step, Tracker
from tests.flow.conversation_frames import HANDSHAKE, SECOND, Segment, frame
from tests.support.frames import batch

WORD = b"word"


class Live:
    """Batches as from a device: a word of the client in each for which `says` is True, else none."""

    linktypes = (1,)

    def __init__(self, says: list[bool]) -> None:
        self._says = says

    def __iter__(self) -> Iterator[PacketBatch]:
        at = 0
        for number, speaks in enumerate([True, *self._says]):
            segments = [] if number else list(HANDSHAKE)
            if speaks:
                segments.append(Segment(number, "c", at, WORD))
                at += len(WORD)
            made = batch([frame(segment) for segment in segments])
            made.now_ns = (number + 1) * SECOND
            yield made


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ([], [0]),
        ([False] * 3, [0]),
        ([True], [0, 1]),
        ([True, False, False], [0, 1, 2]),
        ([True, True, False, True, False], [0, 1, 2, 3, 4, 5]),
        ([True] * (AGAIN + 9), list(range(AGAIN))),
        ([*[True] * (AGAIN + 9), False, False], [*range(AGAIN), AGAIN + 10]),
    ],
)
def test_it_is_asked_for_again(says: list[bool], expected: list[int]) -> None:
    """expected : the batches at which the connection's end is asked for"""
    tracker = Tracker(Live(says), EngineOptions(records="packets", hash_key=bytes(16)))
    asked: list[int] = []
    steps: list[Step] = []

    def ask(target: Target) -> bool:
        assert target.sport == 22
        asked.append(len(steps))
        return True

    killer = Killer(tracker.table, ask)
    for step in tracker:
        if step.batch is None:
            break
        killer.watch(step)
        if not asked:
            with tracker.table.steady:
                row = tracker.table.rows[0]
                assert killer.end(0, int(row["serial"]))
        steps.append(step)
    assert asked == expected
