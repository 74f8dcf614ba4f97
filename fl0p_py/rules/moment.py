"""Moment: what rules are evaluated at, once: an identification, a flow's end, a packet, bytes of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
"""IANA protocol numbers."""


class Kind(IntEnum):
    IDENTIFIED = 0  # a signature completed on the flow
    ENDED = 1  # the flow's record is complete
    PACKET = 2  # one packet, alone
    STREAM = 3  # new bytes of one direction of a TCP flow, in order


@dataclass(slots=True)
class Moment:
    """ts_ns       : packet time
    flow        : tells flows apart; None: of no flow
    src, dst    : 4 or 16 octets; of a flow's moments src is the client
    to_server   : src is the client
    established : TCP: the handshake is complete; else: both ends have sent
    flow_id, vlan : for the output, see output/eve.py; icmp_id : of an echo, or -1
    id, class_  : IDENTIFIED: of the signature; actor : the verdict's so far, or ""
    payload     : PACKET: of the packet; STREAM: what is inspected, the new bytes last
    fresh       : STREAM: how many of the payload's bytes are new
    size        : PACKET: bytes of payload that were on the wire
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
    fresh: int = 0
    size: int = 0
    flags: int = -1
    ttl: int = -1
    itype: int = -1
    icode: int = -1
    icmp_id: int = -1
    number: int = 0
