"""Datagrams put together from fragments: scripts of pieces in, records out."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest

from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.decode.limits import FragmentLimits
from fl0p_py.decode.status import FRAGMENT_COUNTER_NAMES
from tests.decode.both import KEY, Both, records
from tests.support.frames import batch, ether, ip4, ip6, tcp, udp

SECOND = 1_000_000_000
PAYLOAD = bytes(range(256)) * 4


def piece4(
    packet: bytes, start: int, end: int | None, *, id: int = 7, at: int | None = None, **header: Any
) -> bytes:
    """A frame with bytes start to end (None: the last) of an IPv4 packet's payload; `at` lies about where."""
    body = packet[20:]
    where = start if at is None else at
    header = {"src": "10.0.0.1", "dst": "10.0.0.2", "proto": packet[9]} | header
    return ether(ip4(body[start:end], id=id, mf=end is not None, offset=where // 8, **header))


def piece6(packet: bytes, start: int, end: int | None, *, id: int = 7, at: int | None = None) -> bytes:
    where = start if at is None else at
    header = struct.pack(">BBHI", packet[6], 0, where | (end is not None), id)
    return ether(ip6(packet[40:][start:end], proto=packet[6], extensions=header, next_header=44))


WHOLE4, WHOLE6 = ip4(udp(PAYLOAD)), ip6(udp(PAYLOAD))
VERSIONS = pytest.mark.parametrize(
    ("piece", "whole"), [(piece4, WHOLE4), (piece6, WHOLE6)], ids=["IPv4", "IPv6"]
)
CUTS = [(0, 400), (400, 800), (800, None)]


def counters(decoder: Decoder) -> dict[str, int]:
    return {
        name: int(count)
        for name, count in zip(FRAGMENT_COUNTER_NAMES, decoder.fragment_counts, strict=True)
        if count
    }


def run(*frames: bytes | tuple[int, bytes]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Records and counters of frames, each at second 0 or with its own time in seconds."""
    both = Both()
    timed = [frame if isinstance(frame, tuple) else (0, frame) for frame in frames]
    found = both.decode(batch([(int(when * SECOND), frame) for when, frame in timed]))
    return found, counters(both.kernel)


def statuses(found: list[dict[str, Any]]) -> list[str]:
    return [record["status"] for record in found]


@VERSIONS
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_pieces_in_any_order(piece: Any, whole: bytes, order: tuple[int, ...]) -> None:
    frames = [piece(whole, *CUTS[number]) for number in order]
    found, counts = run(*frames)
    assert statuses(found) == ["FRAGMENT", "FRAGMENT", "FLOW"]
    last = found[-1]
    assert (last["payload"], last["payload_len"], last["dport"]) == (PAYLOAD, len(PAYLOAD), 53)
    assert (last["checksum"], last["reassembled"]) == ("RIGHT", 1)
    assert last["frame_len"] == sum(len(frame) for frame in frames)
    assert counts == {"fragments": 3, "datagrams completed": 1}


@VERSIONS
def test_across_batches(piece: Any, whole: bytes) -> None:
    both = Both()
    for cut in CUTS[:2]:
        assert statuses(both.decode(batch([(0, piece(whole, *cut))]))) == ["FRAGMENT"]
    assert both.decode(batch([(0, piece(whole, *CUTS[2]))]))[0]["payload"] == PAYLOAD


@VERSIONS
def test_interleaved_datagrams_are_told_apart(piece: Any, whole: bytes) -> None:
    found, counts = run(
        *[piece(whole, *cut, id=number) for cut in CUTS for number in (1, 2, 3)],
    )
    assert statuses(found) == ["FRAGMENT"] * 6 + ["FLOW"] * 3
    assert counts["datagrams completed"] == 3


def test_the_protocol_is_part_of_the_key_with_ipv4() -> None:
    segment = ip4(tcp(PAYLOAD))
    found, _ = run(*[piece4(packet, *cut) for cut in CUTS for packet in (WHOLE4, segment)])
    assert [record["proto"] for record in found[-2:]] == [17, 6]
    assert statuses(found[-2:]) == ["FLOW", "FLOW"]


def test_a_first_fragment_too_small_for_the_header_does_not_fool() -> None:
    """RFC 1858: flags in the second fragment; RFC 7112 for IPv6."""
    for piece, whole in ((piece4, ip4(tcp(b"x" * 30, flags="S"))), (piece6, ip6(tcp(b"x" * 30, flags="S")))):
        found, _ = run(piece(whole, 0, 8), piece(whole, 8, None))
        assert statuses(found) == ["FRAGMENT", "FLOW"]
        assert (found[1]["tcp_flags"], found[1]["payload"]) == (2, b"x" * 30)


@VERSIONS
def test_a_missing_piece_completes_nothing(piece: Any, whole: bytes) -> None:
    found, counts = run(piece(whole, 0, 400), piece(whole, 800, None))
    assert statuses(found) == ["FRAGMENT"] * 2
    assert counts == {"fragments": 2}


@VERSIONS
def test_exact_duplicates_are_ignored(piece: Any, whole: bytes) -> None:
    first, second, last = (piece(whole, *cut) for cut in CUTS)
    found, counts = run(first, first, last, last, second)
    assert statuses(found) == ["FRAGMENT"] * 4 + ["FLOW"]
    assert counts == {"fragments": 5, "duplicate fragments": 2, "datagrams completed": 1}


@VERSIONS
@pytest.mark.parametrize(
    "cut",
    [
        pytest.param((392, 800, 392), id="begins too early"),
        pytest.param((400, 808, 400), id="ends too late"),
        pytest.param((408, 416, 408), id="in the hole, where the next one overlaps it"),
        pytest.param((0, 808, 0), id="around"),
        pytest.param((400, None, 400), id="a last one over others"),
        pytest.param((1000, None, 2000), id="a second end"),
    ],
)
def test_overlaps_drop_the_datagram_and_what_follows(
    piece: Any, whole: bytes, cut: tuple[int, int | None, int]
) -> None:
    start, end, at = cut
    first, second, last = (piece(whole, *wanted) for wanted in CUTS)
    found, counts = run(first, last, piece(whole, start, end, at=at), second, first, last)
    assert statuses(found) == ["FRAGMENT"] * 6
    assert counts == {"fragments": 6, "datagrams dropped for overlapping fragments": 1}


@VERSIONS
def test_a_piece_behind_the_end_drops_the_datagram(piece: Any, whole: bytes) -> None:
    _, counts = run(piece(whole, 0, 400, at=2000), piece(whole, 800, None))
    assert counts == {"fragments": 2, "datagrams dropped for overlapping fragments": 1}


@VERSIONS
def test_time_runs_from_the_first_fragment(piece: Any, whole: bytes) -> None:
    first, second, last = (piece(whole, *cut) for cut in CUTS)
    found, _ = run((0, first), (59, second), (60, last))
    assert statuses(found)[-1] == "FLOW"
    found, counts = run((0, first), (59, second), (60.1, last))
    assert statuses(found)[-1] == "FRAGMENT"
    assert counts == {"fragments": 3, "datagrams timed out": 1}


@VERSIONS
@pytest.mark.parametrize(
    ("start", "end", "at"),
    [
        pytest.param(0, 401, 0, id="not a multiple of 8"),
        pytest.param(0, None, 65528, id="beyond 65535: ping of death"),
        pytest.param(0, 0, 8, id="empty"),
        pytest.param(2000, None, 8, id="empty and last"),
    ],
)
def test_fragments_that_cannot_be(piece: Any, whole: bytes, start: int, end: int | None, at: int) -> None:
    found, _ = run(piece(whole, start, end, at=at))
    assert statuses(found) == ["BAD_IP"]


def test_a_fragment_whose_length_lies_is_dropped() -> None:
    frame = piece4(WHOLE4, 0, 400)
    found, _ = run(frame[:16] + b"\xff\xff" + frame[18:])
    assert statuses(found) == ["BAD_IP"]


def test_the_largest_datagram() -> None:
    payload = random.Random(1).randbytes(65535 - 20 - 8)
    whole = ip4(udp(payload))
    cuts = [(start, start + 1480 if start + 1480 < 65515 else None) for start in range(0, 65515, 1480)]
    found, _ = run(*[piece4(whole, *cut) for cut in cuts])
    assert (found[-1]["payload"], found[-1]["checksum"]) == (payload, "RIGHT")


def test_many_datagrams_in_a_batch_make_the_buffer_grow() -> None:
    whole = ip4(udp(b"y" * 60000))
    cuts = [(0, 20000), (20000, 40000), (40000, None)]
    found, counts = run(*[piece4(whole, *cut, id=number) for number in range(20) for cut in cuts])
    assert counts["datagrams completed"] == 20
    assert all(record["payload"] == b"y" * 60000 for record in found if record["status"] == "FLOW")


def test_captured_bytes_end_where_the_first_cut_fragment_does() -> None:
    frames = [piece4(WHOLE4, *cut) for cut in CUTS]
    shape = [(0, frames[0]), (0, frames[1][:134], len(frames[1])), (0, frames[2])]
    record = Both().decode(batch(shape))[-1]
    assert (record["status"], record["payload_len"], record["checksum"]) == (
        "FLOW",
        len(PAYLOAD),
        "UNCHECKED",
    )
    assert record["payload"] == PAYLOAD[: 400 + 100 - 8]
    assert record["frame_len"] == sum(len(frame) for frame in frames)


def test_a_wrong_header_checksum_of_one_piece_makes_the_whole_wrong() -> None:
    frames = [bytearray(piece4(WHOLE4, *cut)) for cut in CUTS]
    frames[1][24] ^= 1
    assert run(*[bytes(frame) for frame in frames])[0][-1]["checksum"] == "WRONG"


def test_a_fragment_inside_a_fragment_is_refused() -> None:
    inner = struct.pack(">BBHI", 17, 0, 1, 3) + b"z" * 16
    packet = ip6(inner, proto=44)
    assert statuses(run(piece6(packet, 0, 8), piece6(packet, 8, None))[0]) == ["FRAGMENT", "BAD_IP"]


def limited(frames: list[bytes], **limits: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    decoder, into = Decoder(key=KEY, fragments=FragmentLimits(**limits)), DecodedBatch()
    decoder.decode(batch([(0, frame) for frame in frames]), into)
    return records(into), counters(decoder)


def test_a_full_table_drops_the_oldest_datagram() -> None:
    firsts = [piece4(WHOLE4, 0, 400, id=number) for number in range(5)]
    lasts = [piece4(WHOLE4, 400, None, id=number) for number in range(5)]
    found, counts = limited(firsts + lasts[1:], datagrams=4)
    assert statuses(found) == ["FRAGMENT"] * 5 + ["FLOW"] * 4
    assert counts == {"fragments": 9, "datagrams completed": 4, "datagrams dropped for memory": 1}


def test_full_memory_drops_the_oldest_datagrams() -> None:
    firsts = [piece4(WHOLE4, 0, 400, id=number) for number in range(8)]
    _, counts = limited(firsts, bytes=4 * 512)
    assert counts == {"fragments": 8, "datagrams dropped for memory": 4}


def test_a_datagram_larger_than_all_memory_is_dropped() -> None:
    found, counts = limited([piece4(WHOLE4, 0, 800), piece4(WHOLE4, 800, None)], bytes=512)
    assert statuses(found) == ["FRAGMENT"] * 2
    assert counts == {"fragments": 2, "datagrams dropped for memory": 1}


def test_too_many_pieces_drop_the_datagram() -> None:
    frames = [piece4(WHOLE4, start, start + 8) for start in range(0, 80, 8)] + [piece4(WHOLE4, 80, None)]
    found, counts = limited(frames, pieces=10)
    assert statuses(found) == ["FRAGMENT"] * 11
    assert counts == {"fragments": 11, "datagrams dropped for memory": 1}
    assert statuses(limited(frames, pieces=11)[0])[-1] == "FLOW"


def test_memory_is_given_back() -> None:
    """A table with room for one datagram puts ten thousand together, one after the other."""
    decoder, into = Decoder(key=KEY, fragments=FragmentLimits(datagrams=1, bytes=4 * 512)), DecodedBatch()
    for number in range(10):
        frames = [piece4(WHOLE4, *cut, id=1000 * number + n) for n in range(1000) for cut in CUTS[::-1]]
        decoder.decode(batch([(0, frame) for frame in frames]), into)
    assert counters(decoder) == {"fragments": 30000, "datagrams completed": 10000}


@pytest.mark.parametrize("field", ["datagrams", "bytes", "pieces", "timeout_s"])
def test_limits_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        FragmentLimits(**{field: 0})
