"""Spool: what flows said before somebody wanted them, as long as there is room."""

from __future__ import annotations

from typing import Any

import pytest

from fl0p_py.flow.table import FlowTable
from fl0p_py.stream.spool import Spool
from fl0p_py.stream.stream_set import StreamSet
from tests.flow.conversation_frames import HANDSHAKE, Segment, Steps, frame
from tests.support.frames import ether, ip4, udp


class Kept:
    """A table, its streams and a spool, a batch at a time."""

    def __init__(self, **options: Any) -> None:
        self.steps = Steps(capacity=64)
        self.streams = StreamSet(self.steps.table)
        self.spool = Spool(self.steps.table, **options)

    def take(self, frames: list[tuple[int, bytes]] | None, wanted: tuple[int, ...] = ()) -> list[Any]:
        """Histories of the wanted flows (rows, which here are serials) after these frames; None: the end."""
        batch = self.steps.take(frames) if frames is not None else self.steps.finish()
        events = self.steps.table.hand_over()
        chunks = self.streams.take(events, batch)
        self.spool.add(chunks)
        histories = [self.spool.take(flow, flow) for flow in wanted]
        self.spool.sweep(chunks)
        self.steps.table.release(events)
        return histories


def said(history: Any) -> list[tuple[str, int, bytes]]:
    return [("cs"[one.direction], one.offset, one.data) for one in history.chunks]


def test_all_from_the_beginning_and_then_no_more() -> None:
    kept = Kept()
    kept.take([frame(one) for one in [*HANDSHAKE, Segment(1, "c", 0, b"hello"), Segment(1, "s", 0, b"you")]])
    (history,) = kept.take([frame(Segment(2, "c", 5, b" world" * 500))], (0,))
    assert history.complete
    assert said(history) == [("c", 0, b"hello"), ("s", 0, b"you"), ("c", 5, b" world" * 500)]
    kept.take([frame(Segment(3, "c", 3005, b"more"))])
    (history,) = kept.take([frame(Segment(3, "c", 3009, b"and more"))], (0,))
    assert said(history) == []


def test_gaps_are_kept_too() -> None:
    kept = Kept()
    segments = [Segment(1, "c", 3, b"de"), Segment(1, "s", 0, b"", 5)]
    (history,) = kept.take([frame(one) for one in [*HANDSHAKE, *segments]], (0,))
    assert [(one.offset, one.length, one.data) for one in history.chunks] == [(0, 3, b""), (3, 2, b"de")]


def test_a_flow_that_nobody_heard_of_has_an_empty_history() -> None:
    assert Kept().take([], (5,)) == [(True, [])]


def test_a_flow_is_kept_up_to_the_limit() -> None:
    kept = Kept(limit=200, total=4096)
    for n in range(10):
        kept.take([frame(Segment(n, "c", 50 * n, b"%050d" % n))])
    (history,) = kept.take([], (0,))
    assert not history.complete
    assert [one.offset for one in history.chunks] == [0, 50]
    assert kept.spool.cut == 1


def test_the_flow_that_began_first_makes_room() -> None:
    kept = Kept(limit=2048, total=4096)  # four blocks of 1 KiB
    free = kept.spool.blocks_left
    for port in range(6):
        kept.take([(port, ether(ip4(udp(bytes(500), 1000 + port))))])
    histories = kept.take([], tuple(range(6)))
    assert [history.complete for history in histories] == [False] * 2 + [True] * 4
    assert kept.spool.evicted == 2
    assert kept.spool.blocks_left == free


def test_the_end_of_a_flow_empties_its_shelf() -> None:
    kept = Kept(limit=2048, total=4096)
    free = kept.spool.blocks_left
    kept.take([(1, ether(ip4(udp(bytes(500), 7))))])
    assert kept.spool.blocks_left == free - 1
    (history,) = kept.take(None, (0,))
    assert len(history.chunks) == 1
    kept.take([(2, ether(ip4(udp(bytes(500), 8))))])
    kept.take(None)
    assert kept.spool.blocks_left == free


@pytest.mark.parametrize("options", [{"limit": 10}, {"limit": 1 << 31}, {"limit": 4096, "total": 4096}])
def test_limits_that_make_no_sense_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected"):
        Spool(FlowTable(capacity=8), **options)
