"""Moment: what rules are evaluated at, once: an identification, a flow's end, a packet."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
"""IANA protocol numbers."""


class Kind(IntEnum):
    IDENTIFIED = 0  # a signature completed on the flow
    ENDED = 1  # the flow's record is complete
    PACKET = 2  # a packet, and what it brought its stream


class Piece(NamedTuple):
    """Bytes of a stream in order, new ones behind some old ones.

    tail     : how many are old
    segments : where each segment's first new byte is
    begins   : the stream begins with the first byte of all
    """

    data: bytes
    tail: int = 0
    segments: tuple[int, ...] = (0,)
    begins: bool = True


@dataclass(slots=True)
class Moment:
    """ts_ns       : packet time
    flow        : tells flows apart; None: of no flow
    src, dst    : 4 or 16 octets; of a flow's moments src is the client
    to_server   : src is the client
    established : TCP: the handshake is complete; else: both ends have sent
    place       : row and serial of the flow in the table, where it can still be killed; None elsewhere
    flow_id, vlan : for the output, see output/eve.py; icmp_id : of an echo, or -1
    id, class_  : IDENTIFIED: of the signature; actor : the verdict's so far, or ""
    payload     : of the packet; size : bytes of it that were on the wire
    pieces      : what the packet brought its stream; several where a gap is between
    flags, ttl, itype, icode : of the packet's headers; -1 where it has none
    number      : of the packet in the capture, from 1; 0 unknown
    """

    kind: Kind
    ts_ns: int
    proto: int
    src: bytes
    sport: int
    dst: bytes
    dport: int
    flow: object | None = None
    flow_id: int = 0
    vlan: int = 0
    to_server: bool = True
    established: bool = True
    id: str = ""
    class_: str = ""
    actor: str = ""
    payload: bytes = b""
    size: int = -1
    pieces: list[Piece] = field(default_factory=list)
    flags: int = -1
    ttl: int = -1
    itype: int = -1
    icode: int = -1
    icmp_id: int = -1
    number: int = 0
    place: tuple[int, int] | None = None
