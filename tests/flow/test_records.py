"""A table that is asked to tells of segments: whose, where in the stream, and what it made of them."""

from __future__ import annotations

import numpy as np
import pytest

from fl0p_py.decode.decoder import DecodedBatch
from fl0p_py.flow import segment_batch as flag
from fl0p_py.flow.segment_batch import SegmentBatch
from tests.flow.conversation_frames import HANDSHAKE, Segment, Steps, frame
from tests.support.frames import batch, ether, icmp, ip4, tcp, udp

NAMES = {
    flag.NEW: "new", flag.OLD: "old", flag.IN_ORDER: "ordered", flag.OVERLAP: "overlap", flag.LATE: "late",
    flag.HOLE: "hole", flag.FAR: "far", flag.COPY: "copy", flag.OTHER: "other",
}  # fmt: skip
NEW, OLD = "new ordered", "old ordered overlap"


def names(flags: int) -> str:
    return " ".join(name for value, name in NAMES.items() if flags & value)


Said = tuple[str, int, bytes | int, str]


def said(steps: Steps, data: bytes) -> list[Said]:
    """(direction, offset, bytes or, of a hole, its length, flags) of each record."""
    segments = steps.table.segments
    assert isinstance(segments, SegmentBatch)
    found: list[Said] = []
    for record in segments.records:
        memory = segments.copies.tobytes() if record["flags"] & flag.COPY else data
        start, size = int(record["at"]), int(record["captured"])
        hole = record["flags"] & flag.HOLE
        what = int(record["length"]) if hole else memory[start : start + size]
        found.append(("cs"[record["direction"]], int(record["offset"]), what, names(int(record["flags"]))))
    return found


CASES: list[tuple[str, list[Segment], list[Said]]] = [
    ("in order", [Segment(1, "c", 0, b"abc"), Segment(1, "c", 3, b"de"), Segment(1, "s", 0, b"xy", 5)],
     [("c", 0, b"abc", NEW), ("c", 3, b"de", NEW), ("s", 0, b"xy", NEW)]),
    ("bare ones are not told of", [Segment(1, "s", 0, b"", 0)], []),
    ("a FIN is", [Segment(1, "c", 0, b"", 0, "FA")], [("c", 0, b"", "ordered")]),
    ("sent again", [Segment(1, "c", 0, b"abc"), Segment(2, "c", 0, b"abc"), Segment(2, "c", 1, b"bcde")],
     [("c", 0, b"abc", NEW), ("c", 0, b"abc", OLD), ("c", 1, b"bcde", "new ordered overlap")]),
    ("out of order", [Segment(1, "c", 3, b"de"), Segment(1, "c", 0, b"abc")],
     [("c", 3, b"de", "new"), ("c", 0, b"abc", NEW)]),
    ("a hole that the peer has acknowledged",
     [Segment(1, "c", 3, b"de"), Segment(1, "s", 0, b"x", 5), Segment(1, "c", 0, b"abc")],
     [("c", 3, b"de", "new"), ("c", 0, 3, "hole"), ("s", 0, b"x", NEW),
      ("c", 0, b"abc", "new ordered overlap late")]),
    ("a hole that lasts a second", [Segment(1, "c", 3, b"de"), Segment(3, "c", 5, b"f")],
     [("c", 3, b"de", "new"), ("c", 0, 3, "hole"), ("c", 5, b"f", NEW)]),
    ("a hole that is too wide", [Segment(1, "c", 70_000, b"de")],
     [("c", 70_000, b"de", "far")]),
]  # fmt: skip


@pytest.mark.parametrize(("segments", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_segments_are_told_of(segments: list[Segment], expected: list[Said]) -> None:
    steps = Steps()
    made = steps.take([frame(segment) for segment in HANDSHAKE + segments])
    assert said(steps, made.data.tobytes()) == expected


def test_offsets_go_on_where_sequence_numbers_wrap() -> None:
    isns = (2**32 - 3, 7)
    segments = [Segment(1, "c", at, b"12345") for at in range(0, 25, 5)]
    steps = Steps()
    steps.take([frame(segment, isns=isns) for segment in HANDSHAKE + segments])
    records = steps.table.segments.records
    assert records["offset"].tolist() == [0, 5, 10, 15, 20]
    assert records["seq"].tolist() == [(2**32 - 2 + at) % 2**32 for at in range(0, 25, 5)]


def test_what_came_before_a_pick_up_in_the_middle_has_a_negative_offset() -> None:
    steps = Steps()
    steps.take([frame(Segment(1, "c", at, b"12345")) for at in (100, 95)])
    assert steps.table.segments.records["offset"].tolist() == [0, -5]


def test_the_peers_acknowledgement_stands_beside_the_segment() -> None:
    segments = [Segment(1, "c", 0, b"abc"), Segment(1, "s", 0, b"x", 2), Segment(1, "c", 3, b"de", 1)]
    steps = Steps()
    steps.take([frame(segment) for segment in HANDSHAKE + segments])
    assert steps.table.segments.records["acked"].tolist() == [0, 0, 2]


def test_another_flow_in_the_same_row_has_another_serial() -> None:
    steps = Steps(capacity=1)
    frames = [(at, ether(ip4(udp(b"ab", port), "10.0.0.1", "10.0.0.2"))) for at, port in enumerate((7, 7, 8))]
    steps.take(frames[:2])
    steps.table.release()
    steps.take(frames[2:])
    steps.finish()
    steps.table.release()
    steps.take([(9, ether(ip4(udp(b"abcd", 9), "10.0.0.1", "10.0.0.2")))])
    (record,) = steps.table.segments.records
    assert (record["serial"], record["offset"]) == (2, 0)


def fragments(payload: bytes, number: int) -> list[bytes]:
    """A datagram of UDP in pieces of 8 bytes."""
    whole = bytes(udp(payload, 7, 8))
    return [
        ether(ip4(whole[at : at + 8], proto=17, id=number, offset=at // 8, mf=at + 8 < len(whole)))
        for at in range(0, len(whole), 8)
    ]


def test_datagrams_in_fragments_are_copied() -> None:
    steps = Steps()
    made = steps.take([(1, piece) for piece in fragments(b"0123456789abcdef", 5)])
    assert said(steps, made.data.tobytes()) == [("c", 0, b"0123456789abcdef", "new ordered copy")]


def test_bytes_are_copied_however_many_packets_follow() -> None:
    """The decoder uses the place of put together datagrams again, every few hundred packets."""
    steps = Steps()
    payloads = [b"%016d" % n for n in range(600)]
    made = steps.take([(n, piece) for n, one in enumerate(payloads) for piece in fragments(one, n + 1)])
    assert [what for _, _, what, _ in said(steps, made.data.tobytes())] == payloads


def test_other_payloads_of_ip_have_no_flow() -> None:
    gre = ip4(b"generic", "10.0.0.3", "10.0.0.4", proto=47)
    unreachable = ip4(icmp(b"what it was", type=3), "10.0.0.5", "10.0.0.6")
    steps = Steps()
    made = steps.take([(1, ether(gre)), (2, ether(unreachable))])
    assert said(steps, made.data.tobytes()) == [
        ("c", 0, b"generic", "other"),
        ("c", 0, b"what it was", "other"),
    ]
    others = steps.table.segments.others
    assert others["src"][:, 3].tolist() == [3, 5]
    assert others["proto"].tolist() == [47, 1]


def test_every_packet_where_that_is_asked() -> None:
    steps = Steps("packets")
    reset = (5, ether(ip4(tcp(b"", 1, 2, flags="R"), "10.0.0.8", "10.0.0.9")))
    segments = [*HANDSHAKE, Segment(1, "c", 0, b"abc")]
    made = steps.take([*(frame(segment) for segment in segments), reset])
    records = steps.table.segments.records
    assert [what for _, _, what, _ in said(steps, made.data.tobytes())] == [b"", b"", b"", b"abc", b""]
    assert records["tcp_flags"].tolist() == [0x02, 0x12, 0x10, 0x10, 0x04]
    assert records["packet"].tolist() == [0, 1, 2, 3, 4]
    assert names(records["flags"][-1]) == "other"


def test_a_full_batch_waits_until_it_was_read() -> None:
    steps = Steps()
    frames = [(n, ether(ip4(udp(b"x", 7, 8), "10.0.0.1", "10.0.0.2"))) for n in range(20_000)]
    made = batch(frames)
    table, seen = steps.table, 0
    decoded = DecodedBatch()
    steps.decoder.decode(made, decoded)
    done = False
    while not done:
        done = table.track(decoded)
        packets = table.segments.records["packet"]
        assert packets.tolist() == list(range(seen, seen + len(packets)))
        seen += len(packets)
        table.release()
    assert seen == len(frames)


def test_without_a_request_there_are_no_segments() -> None:
    assert Steps("").table.segments is None


def test_positions_in_the_batch_are_mapped_to_records() -> None:
    steps = Steps()
    made = steps.take([frame(segment) for segment in [*HANDSHAKE, *CASES[0][1]]])
    segments = steps.table.segments
    data = made.data.tobytes()
    second = data.index(b"de")
    at = np.array([0, data.index(b"abc"), second - 1, second + 1, len(data) - 1], np.int64)
    assert segments.locate(at).tolist() == [-1, 0, -1, 1, 2]
    start, stop = segments.span
    assert data[start : start + 3] == b"abc"
    assert data[:stop].endswith(b"xy")
