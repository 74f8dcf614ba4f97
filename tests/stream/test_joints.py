"""Joints: the places where a match can span two segments."""

from __future__ import annotations

import numpy as np
import pytest

from fl0p_py.flow.table import FlowTable
from fl0p_py.stream.joints import WIDEST, Joints
from fl0p_py.stream.stream_set import StreamSet
from tests.flow.conversation_frames import HANDSHAKE, Segment, Steps, frame
from tests.stream.reading import Reading

CASES: list[tuple[str, list[tuple[int, bytes]], list[tuple[int, bytes]]]] = [
    ("between two segments", [(0, b"abcdef"), (6, b"ghijkl")], [(3, b"defghi")]),
    ("short ones add up", [(0, b"a"), (1, b"b"), (2, b"cdefg")], [(0, b"ab"), (0, b"abcde")]),
    ("all of what had to wait", [(3, b"defghijkl"), (0, b"abc")], [(0, b"abcdefghijkl")]),
    ("nothing across a gap", [(0, b"abc"), (70_003, b"x"), (70_004, b"y")], []),
    ("only the new part of what overlaps", [(0, b"abcd"), (2, b"cdefgh")], [(1, b"bcdefg")]),
    ("sent again: none", [(0, b"abcd"), (0, b"abcd")], []),
]


@pytest.mark.parametrize(("sent", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_joints(sent: list[tuple[int, bytes]], expected: list[tuple[int, bytes]]) -> None:
    reading = Reading(width=4)
    reading.take([frame(one) for one in HANDSHAKE])
    for at, data in sent:  # each in a batch of its own: what came before is long gone
        reading.take([frame(Segment(1, "c", at, data))])
    assert [(offset, data) for _, _, offset, data in reading.joints] == expected


def test_directions_and_flows_are_apart() -> None:
    reading = Reading(width=4)
    frames = [frame(one, port=port) for port in (1, 2) for one in HANDSHAKE]
    for at in (0, 2):
        for port in (1, 2):
            frames += [frame(Segment(1, who, at, who.encode() * 2), port=port) for who in "cs"]
    reading.take(frames)
    assert reading.joints == [(n, d, 0, b"cccc" if d == 0 else b"ssss") for n in (0, 1) for d in (0, 1)]


def test_matches_that_cross_the_border_of_two_joints_are_none() -> None:
    steps = Steps()
    streams, joints = StreamSet(steps.table), Joints(steps.table, 3)
    batch = steps.take(
        [frame(one) for one in [*HANDSHAKE, *(Segment(1, "c", n, b"%d" % n) for n in range(4))]]
    )
    joined = joints.take(streams.take(steps.table.hand_over(), batch))
    assert bytes(joined.data) == b"01012123"
    starts = np.array([0, 1, 2, 5, 6], np.int64)
    assert joined.locate(starts, starts + 2).tolist() == [0, -1, 1, 2, 2]


def test_nothing_is_located_where_there_are_no_joints() -> None:
    steps = Steps()
    streams, joints = StreamSet(steps.table), Joints(steps.table, 3)
    batch = steps.take([frame(one) for one in HANDSHAKE])
    joined = joints.take(streams.take(steps.table.hand_over(), batch))
    assert joined.locate(np.array([0], np.int64), np.array([1], np.int64)).tolist() == [-1]


@pytest.mark.parametrize("width", [1, WIDEST + 1])
def test_widths_that_make_no_sense_are_refused(width: int) -> None:
    with pytest.raises(ValueError, match="width"):
        Joints(FlowTable(capacity=8), width)
