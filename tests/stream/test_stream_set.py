"""Streams: what goes on when, what is told instead, whose bytes stay, and how much is held."""

from __future__ import annotations

import numpy as np
import pytest

from fl0p_py.flow.table import FlowTable
from fl0p_py.stream.stream_set import StreamSet
from tests.flow.conversation_frames import HANDSHAKE, Segment, frame
from tests.stream.reading import Reading
from tests.support.frames import ether, ip4, tcp, udp

Said = tuple[str, str, int, bytes | int]


def said(segments: list[Segment], policy: str = "first", snaplen: int = 0) -> list[Said]:
    """Of a conversation whose handshake was seen, in one batch; then the end of the file."""
    reading = Reading(policy, want_all=True)
    frames = [frame(segment) for segment in HANDSHAKE + segments]
    reading.take(
        [(*one, len(one[1])) if not snaplen else (one[0], one[1][:snaplen], len(one[1])) for one in frames]
    )
    reading.finish()
    assert reading.said[-1][0] == "end"
    return reading.said[:-1]


def c(start: int, data: bytes, ack: int = 0, flags: str = "A", at_s: float = 1) -> Segment:
    return Segment(at_s, "c", start, data, ack, flags)


def acked(by: int, at_s: float = 1) -> Segment:
    return Segment(at_s, "s", 0, b"", by)


CASES: list[tuple[str, list[Segment], list[Said]]] = [
    ("in order at once", [c(0, b"abc"), c(3, b"de"), acked(5)],
     [("data", "c", 0, b"abc"), ("data", "c", 3, b"de")]),
    ("out of order when the hole is filled", [c(3, b"de"), c(0, b"abc"), acked(5)],
     [("data", "c", 0, b"abc"), ("data", "c", 3, b"de")]),
    ("several at once", [c(5, b"f"), c(3, b"de"), c(0, b"abc"), acked(6)],
     [("data", "c", 0, b"abc"), ("data", "c", 3, b"def")]),
    ("sent again", [c(0, b"abc"), c(0, b"abc"), c(1, b"bcd"), acked(4)],
     [("data", "c", 0, b"abc"), ("data", "c", 3, b"d")]),
    ("a keep-alive", [c(0, b"abc"), acked(3), c(2, b"\0"), acked(3)],
     [("data", "c", 0, b"abc"), ("conflict", "c", 2, b"\0")]),
    ("a hole that the peer has acknowledged", [c(3, b"de"), acked(5)],
     [("gap", "c", 0, 3), ("data", "c", 3, b"de")]),
    ("a hole that nothing came behind, acknowledged", [c(0, b"ab"), acked(9), c(9, b"x"), acked(10)],
     [("data", "c", 0, b"ab"), ("gap", "c", 2, 7), ("data", "c", 9, b"x")]),
    ("a hole that lasts", [c(3, b"de"), c(5, b"f", at_s=3), acked(6, 3)],
     [("gap", "c", 0, 3), ("data", "c", 3, b"de"), ("data", "c", 5, b"f")]),
    ("what comes for a gap", [c(3, b"de"), acked(5), c(0, b"abc"), acked(5)],
     [("gap", "c", 0, 3), ("data", "c", 3, b"de"), ("late", "c", 0, b"abc")]),
    ("never acknowledged", [c(0, b"abc"), acked(2)], [("data", "c", 0, b"abc"), ("unacked", "c", 2, 1)]),
    ("not acknowledged, not filled", [c(3, b"de")],
     [("gap", "c", 0, 3), ("data", "c", 3, b"de"), ("unacked", "c", 0, 5)]),
    ("half closed", [c(0, b"abc", flags="FA"), acked(4), Segment(2, "s", 0, b"more", 4), c(4, b"", 4)],
     [("data", "c", 0, b"abc"), ("fin", "c", 3, 0), ("data", "s", 0, b"more")]),
    ("nothing behind a FIN", [c(0, b"abc", flags="FA"), c(3, b"zz"), acked(4)],
     [("data", "c", 0, b"abc"), ("fin", "c", 3, 0)]),
    ("sent again and different", [c(0, b"abcd"), c(1, b"bXd"), acked(4)],
     [("data", "c", 0, b"abcd"), ("conflict", "c", 2, b"Xd")]),
]  # fmt: skip


@pytest.mark.parametrize(("segments", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_is_said(segments: list[Segment], expected: list[Said]) -> None:
    assert said(segments) == expected


OVERLAPS = [
    # what comes while byte 0 is missing (then byte 0), and the stream by policy: first, last, linux
    ("begins before", [c(4, b"AAAA"), c(2, b"BBBB")], b"BBAAAA", b"BBBBAA", b"BBBBAA"),
    ("begins behind", [c(2, b"AAAA"), c(4, b"BBBB")], b"AAAABB", b"AABBBB", b"AAAABB"),
    ("together, longer", [c(2, b"AA"), c(2, b"BBBB")], b"AABB", b"BBBB", b"BBBB"),
    ("together, shorter", [c(2, b"AAAA"), c(2, b"BB")], b"AAAA", b"BBAA", b"AAAA"),
    ("inside", [c(2, b"AAAA"), c(3, b"BB")], b"AAAA", b"ABBA", b"AAAA"),
    ("around", [c(3, b"AA"), c(2, b"BBBB")], b"BAAB", b"BBBB", b"BBBB"),
    ("across two", [c(2, b"AA"), c(4, b"CC"), c(3, b"BB")], b"AACC", b"ABBC", b"AABC"),
]


@pytest.mark.parametrize(("policy", "column"), [("first", 2), ("last", 3), ("linux", 4)])
@pytest.mark.parametrize("row", OVERLAPS, ids=[str(row[0]) for row in OVERLAPS])
def test_whose_bytes_stay(row: tuple, policy: str, column: int) -> None:  # type: ignore[type-arg]
    reading = Reading(policy)
    reading.take([frame(segment) for segment in [*HANDSHAKE, *row[1], c(0, b"..")]])
    reading.finish()
    assert bytes(reading.streams[0, 0]) == b".." + row[column]
    conflicts = [what for words, _, _, what in reading.said if words == "conflict"]
    assert conflicts, "nothing was said of bytes that differ"


@pytest.mark.parametrize(("policy", "expected"), [("first", b"aaXX"), ("last", b"aabb"), ("linux", b"aabb")])
def test_what_fills_the_hole_and_more(policy: str, expected: bytes) -> None:
    reading = Reading(policy)
    reading.take([frame(segment) for segment in [*HANDSHAKE, c(2, b"XX"), c(0, b"aabb")]])
    assert bytes(reading.streams[0, 0]) == expected


def test_bytes_that_were_not_captured_are_a_gap() -> None:
    whole = c(0, b"abcdef")
    assert said([whole, acked(6)], snaplen=14 + 20 + 20 + 4) == [
        ("data", "c", 0, b"abcd"),
        ("gap cut", "c", 4, 2),
    ]


def test_a_pick_up_in_the_middle_begins_at_its_first_byte() -> None:
    reading = Reading()
    reading.take([frame(c(at, b"12345")) for at in (1000, 1005, 990)])
    assert [(what, at, data) for what, _, at, data in reading.said] == [
        ("data", 0, b"12345"),
        ("data", 5, b"12345"),
    ]


def test_a_jump_beyond_the_window_is_a_gap_when_the_peer_confirms_it() -> None:
    far = 200_000
    segments = [
        c(0, b"ab"),
        acked(2),
        c(far, b"xy"),
        acked(far + 2),
        c(far + 2, b"z", at_s=2),
        acked(far + 3, 2),
    ]
    assert said(segments) == [
        ("data", "c", 0, b"ab"),
        ("gap", "c", 2, far - 2),
        ("gap lost", "c", far, 2),
        ("data", "c", far + 2, b"z"),
    ]


def test_datagrams_and_payloads_of_no_flow() -> None:
    reading = Reading()
    frames = [ether(ip4(udp(b"query", 7, 53))), ether(ip4(b"route", proto=47))]
    reading.take([(at, one) for at, one in enumerate(frames)])
    assert reading.said == [("data datagram", "c", 0, b"query"), ("data datagram other", "c", 0, b"route")]


def test_a_flow_that_uses_a_row_again_has_a_stream_of_its_own() -> None:
    reading = Reading()
    handshake = [frame(segment, port=port) for port in (1, 2) for segment in [*HANDSHAKE, c(0, b"x" * port)]]
    reading.take(handshake[:4])
    reading.finish()
    reading.take(handshake[4:])
    reading.finish()
    assert {key: bytes(byte for byte in said if byte) for key, said in reading.streams.items()} == {
        (0, 0): b"x",
        (1, 0): b"xx",
    }


def opened(flows: int) -> list[tuple[int, bytes]]:
    """So many flows, each of which has sent bytes behind a hole."""
    frames = []
    for n in range(flows):
        src = f"10.{1 + (n >> 16)}.{n >> 8 & 255}.{n & 255}"
        frames += [
            (n, ether(ip4(tcp(b"", 1, 22, seq=99, flags="S"), src))),
            (n, ether(ip4(tcp(b"behind", 1, 22, seq=110, flags="A", ack=1), src))),
        ]
    return frames


def test_memory_for_what_waits_is_bounded_and_what_it_loses_is_told() -> None:
    flows, blocks = 40, 16
    reading = Reading(held_bytes=blocks * 2048)
    reading.steps.table = FlowTable(records="payload", batches=3, capacity=100)
    reading.set = StreamSet(reading.steps.table, held_bytes=blocks * 2048)
    reading.take(opened(flows))
    stats = reading.set.stats
    assert stats["held"] + stats["not_held"] == flows
    assert 0 < stats["held"] <= blocks
    reading.finish()
    kept = [what for words, _, _, what in reading.said if words == "data"]
    assert kept == [b"behind"] * stats["held"]
    gaps = [what for words, _, _, what in reading.said if words.startswith("gap")]
    assert gaps.count(10) == flows


def test_what_was_held_is_free_again_at_the_end() -> None:
    """As many flows, one after the other, as would fill the store many times over."""
    reading, frames = Reading(held_bytes=4 * 2048), opened(200)
    for n, first in enumerate(range(0, 400, 2)):
        reading.take([(n * 10**10, one) for _, one in frames[first : first + 2]])
    assert reading.set.stats["not_held"] == 0


def test_a_table_that_does_not_record_is_refused() -> None:
    with pytest.raises(ValueError, match="does not record"):
        StreamSet(FlowTable(capacity=8))


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(KeyError):
        StreamSet(FlowTable(capacity=8, records="payload"), policy="windows")


def test_chunks_of_an_empty_step() -> None:
    reading = Reading()
    reading.take([])
    assert len(reading.said) == 0
    assert np.array(reading.joints).size == 0
