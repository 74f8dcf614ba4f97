"""Hit: payload that was selected, with the flow that said it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fl0p_py.flow.segment_batch import SegmentBatch
from fl0p_py.output.line import address_text
from fl0p_py.stream.chunk_batch import NO_RECORD
from fl0p_py.tracker import Step

TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
WITH_PORTS = (TCP, UDP)


@dataclass(frozen=True, slots=True)
class Ends:
    """Who talks: packed addresses, of a flow its client's and its server's, else sender's and receiver's.

    row, serial : of the flow; row is -1 for a packet of no flow
    """

    client: bytes
    server: bytes
    cport: int
    sport: int
    proto: int
    vlan: int
    row: int = -1
    serial: int = 0
    start_ns: int = 0

    def sender(self, direction: int) -> tuple[bytes, int]:
        return (self.server, self.sport) if direction else (self.client, self.cport)

    def receiver(self, direction: int) -> tuple[bytes, int]:
        return self.sender(1 - direction)


@dataclass(frozen=True, slots=True)
class Hit:
    """A match.

    payload    : of the packet in which it ended; with -v, what the stream has said
    start, end : of the match in it; a match that began before it starts at 0; both 0 with -v
    patterns   : numbers of those that matched
    value      : the distance, if it is by one
    record     : place of the packet's record in the step; -1: none has brought it
    offset     : of the payload in its stream, 0 for datagrams
    """

    ts_ns: int
    ends: Ends
    direction: int
    payload: bytes
    start: int = 0
    end: int = 0
    patterns: tuple[int, ...] = ()
    value: float | None = None
    record: int = -1
    offset: int = 0
    tcp_flags: int = 0


def ends_of_row(rows: Any, row: int) -> Ends:
    """Of a flow, from the table's rows (its lock held)."""
    one = rows[row]
    size = 4 if one["version"] == 4 else 16
    return Ends(
        one["client"].tobytes()[:size],
        one["server"].tobytes()[:size],
        int(one["cport"]),
        int(one["sport"]),
        int(one["proto"]),
        int(one["vlan"]),
        row,
        int(one["serial"]),
        int(one["start_ns"]),
    )


def ends_of_packet(packet: Any) -> Ends:
    """Of a packet of no flow, from its Decoded record."""
    size = 4 if packet["version"] == 4 else 16
    source, dest = (packet[name].tobytes()[:size] for name in ("src", "dst"))
    return Ends(source, dest, 0, 0, int(packet["proto"]), int(packet["vlan"]))


def record_of(chunk: Any) -> int:
    """Place of the record that brought a chunk; -1: none has."""
    record = int(chunk["record"])
    return -1 if record == NO_RECORD else record


def tcp_flags(step: Step, record: int) -> int:
    """Of the packet that a record is about."""
    return 0 if record < 0 else int(segments_of(step).records[record]["tcp_flags"])


def captured(step: Step) -> int:
    """Bytes of a step's packets."""
    return 0 if step.batch is None else int(step.batch.caplen.sum())


def segments_of(step: Step) -> SegmentBatch:
    """The records of a step of a tracker that records."""
    if step.events.segments is None:
        raise ValueError("the tracker does not record segments")
    return step.events.segments


@lru_cache(4096)
def shown_address(packed: bytes) -> str:
    return address_text(packed.ljust(16, b"\0"), 4 if len(packed) == 4 else 6)
