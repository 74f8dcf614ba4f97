"""The kernels and the plain-Python twin make the same streams of the same segments."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.stream import joints, stream_set
from tests.flow.conversation_frames import HANDSHAKE, Segment, frame
from tests.stream.reading import Reading

ISNS = [(999, 4999), (2**32 - 8, 2**32 - 30)]


def test_the_compiled_kernels_are_the_ones_tested() -> None:
    assert Path(stream_set.__file__).suffix in (".so", ".pyd")
    assert Path(joints.__file__).suffix in (".so", ".pyd")


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    """Near the beginning of a stream, with bytes that tell where they are or, sometimes, something else."""
    start = draw(st.integers(-1, 24))
    size = draw(st.sampled_from([0, 1, 1, 2, 3, 5, 8]))
    mark = draw(st.sampled_from(b"aaaaaaAb"))
    data = bytes((mark + start + k) % 128 for k in range(size))
    return Segment(
        draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.3, 2.0])),
        draw(st.sampled_from("ccs")),
        start,
        data,
        draw(st.sampled_from([0, 0, 0, 4, 9, 30])),
        draw(st.sampled_from(["A", "A", "A", "A", "A", "A", "FA", "RA", "S"])),
    )


@settings(max_examples=300)
@given(
    made=st.lists(segments(), max_size=25),
    policy=st.sampled_from(["first", "last", "linux"]),
    isns=st.sampled_from(ISNS),
    middle=st.booleans(),
    cut=st.integers(1, 9),
    width=st.integers(2, 6),
    snaplen=st.sampled_from([0, 0, 0, 56]),
)
def test_twin_agrees(
    made: list[Segment], policy: str, isns: tuple[int, int], middle: bool, cut: int, width: int, snaplen: int
) -> None:
    reading, now_s = Reading(policy, width), 0.0
    frames = []
    for segment in [*([] if middle else HANDSHAKE), *made]:
        now_s += segment.at_s
        made_frame = frame(segment._replace(at_s=now_s), isns=isns)
        frames.append((*made_frame, len(made_frame[1])) if not snaplen else _cut(made_frame, snaplen))
    for at in range(0, len(frames), cut):
        reading.take(frames[at : at + cut])
    reading.finish()
    twin = reading.twin.streams
    for key in set(reading.streams) | set(twin):
        assert reading.streams[key] == twin[key].said
        assert reading.late[key] == [(at, data) for at, data in twin[key].late if data]
        assert (key in reading.closed) == twin[key].closed
    every_place_is_seen(reading, width)


def _cut(made: tuple[int, bytes], snaplen: int) -> tuple[int, bytes, int]:
    return made[0], made[1][:snaplen], len(made[1])


def every_place_is_seen(reading: Reading, width: int) -> None:
    """Each run of `width` bytes of a stream lies in a chunk or in a joint, as it is in the stream."""
    seen = set()
    for serial, direction, offset, data in reading.pieces + reading.joints:
        for at in range(len(data) - width + 1):
            seen.add((serial, direction, offset + at, data[at : at + width]))
    for (serial, direction), said in reading.streams.items():
        for at in range(len(said) - width + 1):
            run = said[at : at + width]
            if None not in run:
                assert (serial, direction, at, bytes(byte for byte in run if byte is not None)) in seen


@pytest.mark.parametrize("policy", ["first", "last", "linux"])
def test_no_other_than_the_sent_bytes_come_out_where_nobody_lies(policy: str) -> None:
    """Everything three times over, in pieces that overlap, first backwards (8 of them may wait)."""
    text = bytes(range(256))
    starts = [*range(216, -1, -36), *range(0, 250, 7), *range(0, 256, 32)]
    reading = Reading(policy)
    reading.take([frame(segment) for segment in HANDSHAKE])
    reading.take([frame(Segment(0.1, "c", at, text[at : at + 40])) for at in starts])
    reading.finish()
    assert bytes(reading.streams[0, 0]) == text
