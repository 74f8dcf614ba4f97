"""Flow templates: single flows taken out of captures, ready to be replicated.

A template is one TCP, UDP or ICMP echo flow with its real payload and relative timing, whose addresses and
client port are zero and whose checksums are right for those zeros.  A copy then costs one addition a
checksum (RFC 1624), the same for every packet of the copy, because the sum does not care for direction.

Left out: fragments, packets cut by the snapshot length, and packets whose lengths contradict each other.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import dpkt

RECORD = 16  # pcap record header
ETHER = 14
HEAD = RECORD + ETHER  # where the IP header starts in a frame as it is stored here
MAX_PACKETS = 3000  # of one template: the tail of a long download says nothing new
MAX_DURATION_US = 120_000_000  # a copy must fit into a trace of some minutes

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN_OR_RST = 0x05
CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMP6: 2}
MAC_CLIENT = bytes.fromhex("020000000001")
MAC_SERVER = bytes.fromhex("020000000002")


@dataclass(slots=True)
class Packet:
    """One packet of a template.

    time_us    : since the flow's first packet, never going back
    to_server  : sent by the client
    ip         : the whole IP packet, neutral: addresses and client port zero, checksums right
    l4         : offset of the transport header in `ip`
    payload    : bytes above the transport header
    new        : those of them that were not sent before (TCP); the size of the token, 0 for none
    """

    time_us: int
    to_server: bool
    ip: bytes
    l4: int
    payload: int
    new: int


@dataclass(slots=True)
class Template:
    """One flow.  `keep_port`: the client's port means something (NTP, IKE) and is not replaced."""

    proto: int
    version: int
    sport: int
    keep_port: bool
    origin: str
    packets: list[Packet] = field(default_factory=list)

    def left_open(self) -> Template:
        """The same flow without its end: no packet with FIN or RST."""
        if self.proto != TCP:
            return self
        kept = [packet for packet in self.packets if not packet.ip[packet.l4 + 13] & FIN_OR_RST]
        return replace(self, packets=kept)

    @property
    def size(self) -> int:
        """Bytes in a capture file, record headers included."""
        return sum(len(packet.ip) + HEAD for packet in self.packets)

    def sequence(self, limit: int) -> list[tuple[int, str]]:
        """The first tokens: (gap in ms before it, `c40`)."""
        found: list[tuple[int, str]] = []
        last = 0
        for packet in self.packets:
            if packet.new and len(found) < limit:
                gap = (packet.time_us - last) // 1000 if found else 0
                found.append((gap, f"{'c' if packet.to_server else 's'}{packet.new}"))
                last = packet.time_us
        return found


def ones_sum(data: bytes) -> int:
    """The 16-bit one's complement sum of RFC 1071, not inverted."""
    if len(data) & 1:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@dataclass(slots=True)
class _Wire:
    """What is needed of one packet before the direction is known."""

    ip: bytes
    version: int
    proto: int
    l4: int
    src: bytes
    dst: bytes
    sport: int
    dport: int
    flags: int = 0
    seq: int = 0
    payload: int = 0


def dissect(ip: bytes) -> _Wire | None:
    """A whole, unfragmented TCP, UDP or ICMP echo packet; None for anything else."""
    if len(ip) < 20:
        return None
    version = ip[0] >> 4
    if version == 4:
        header, total, proto = (ip[0] & 15) * 4, struct.unpack_from("!H", ip, 2)[0], ip[9]
        if header < 20 or struct.unpack_from("!H", ip, 6)[0] & 0x3FFF:
            return None
        src, dst = ip[12:16], ip[16:20]
    elif version == 6 and len(ip) >= 40:
        header, total, proto = 40, struct.unpack_from("!H", ip, 4)[0] + 40, ip[6]
        src, dst = ip[8:24], ip[24:40]
    else:
        return None
    if total > len(ip) or proto not in CHECKSUM_AT:
        return None
    ip = ip[:total]
    return _transport(_Wire(ip, version, proto, header, src, dst, 0, 0))


def _transport(wire: _Wire) -> _Wire | None:
    rest = wire.ip[wire.l4 :]
    if len(rest) < (20 if wire.proto == TCP else 8):
        return None
    wire.sport, wire.dport = struct.unpack_from("!HH", rest)
    if wire.proto == TCP:
        header = (rest[12] >> 4) * 4
        if header < 20 or header > len(rest):
            return None
        wire.flags, wire.seq = rest[13], struct.unpack_from("!I", rest, 4)[0]
        wire.payload = len(rest) - header
    elif wire.proto == UDP:
        if struct.unpack_from("!H", rest, 4)[0] != len(rest):
            return None
        wire.payload = len(rest) - 8
    else:
        if rest[0] not in ((8, 0) if wire.proto == ICMP else (128, 129)):
            return None
        wire.sport = wire.dport = struct.unpack_from("!H", rest, 4)[0]
        wire.payload = len(rest) - 8
    return wire


def neutral(wire: _Wire, to_server: bool, keep_port: bool) -> bytes:
    """The packet without addresses and client port, with checksums that are right for that."""
    ip = bytearray(wire.ip)
    start, width = (12, 4) if wire.version == 4 else (8, 16)
    ip[start : start + 2 * width] = bytes(2 * width)
    if wire.proto in (ICMP, ICMP6):
        ip[wire.l4 + 4 : wire.l4 + 6] = b"\0\0"
    elif not keep_port:
        at = wire.l4 + (0 if to_server else 2)
        ip[at : at + 2] = b"\0\0"
    if wire.version == 4:
        ip[10:12] = b"\0\0"
        struct.pack_into("!H", ip, 10, 0xFFFF - ones_sum(bytes(ip[: wire.l4])))
    at = wire.l4 + CHECKSUM_AT[wire.proto]
    if wire.proto == UDP and wire.version == 4 and ip[at : at + 2] == b"\0\0":
        return bytes(ip)
    ip[at : at + 2] = b"\0\0"
    segment = bytes(ip[wire.l4 :])
    pseudo = b"" if wire.proto == ICMP else struct.pack("!HH", wire.proto, len(segment))
    struct.pack_into("!H", ip, at, 0xFFFF - ones_sum(pseudo + segment))
    return bytes(ip)


def network_layer(frame: bytes, linktype: int) -> bytes:
    """The IP packet of a frame below VLAN tags and PPPoE; empty when there is none."""
    if linktype == 1:
        at, kind = 14, frame[12:14]
    elif linktype == 113:
        at, kind = 16, frame[14:16]
    elif linktype in (12, 14, 101, 228, 229):
        return frame
    elif linktype in (0, 108):
        return frame[4:]
    else:
        return b""
    while kind in (b"\x81\x00", b"\x88\xa8"):
        at, kind = at + 4, frame[at + 2 : at + 4]
    if kind == b"\x88\x64":
        inner = {b"\x00\x21": b"\x08\x00", b"\x00\x57": b"\x86\xdd"}
        at, kind = at + 8, inner.get(frame[at + 6 : at + 8], b"")
    return frame[at:] if kind in (b"\x08\x00", b"\x86\xdd") else b""


def frames(path: Path) -> Iterator[tuple[float, bytes, int]]:
    """(seconds, frame, link type) of a capture, up to where it is damaged; nothing when it cannot be read."""
    try:
        with path.open("rb") as stream:
            reader = dpkt.pcap.UniversalReader(stream)
            linktype = reader.datalink()
            for time_s, frame in reader:
                yield float(time_s), bytes(frame), linktype
    except (dpkt.Error, ValueError, struct.error, OSError):
        return


class _Opened:
    """A template while its capture is being read."""

    def __init__(self, first: _Wire, time_s: float, origin: str) -> None:
        self.client = (first.src, first.sport)
        if first.proto == TCP and first.flags & 0x12 == 0x12:
            self.client = (first.dst, first.dport)
        sport = first.dport if self.client == (first.src, first.sport) else first.sport
        cport = self.client[1]
        keep = first.proto in (TCP, UDP) and (cport < 1024 or cport == sport)
        self.template = Template(first.proto, first.version, sport, keep, origin)
        self.start_s, self.last_us = time_s, 0
        self.isn = first.seq
        self.sent: list[int | None] = [None, None]  # next new sequence number of each side
        self.full = False

    def add(self, wire: _Wire, time_s: float) -> None:
        to_server = (wire.src, wire.sport) == self.client
        if wire.proto in (ICMP, ICMP6):
            to_server = wire.ip[wire.l4] in (8, 128)
        time_us = max(self.last_us, round((time_s - self.start_s) * 1e6))
        if time_us > MAX_DURATION_US or len(self.template.packets) >= MAX_PACKETS:
            self.full = True
            return
        self.last_us = time_us
        ip = neutral(wire, to_server, self.template.keep_port)
        new = self._new(wire, to_server)
        self.template.packets.append(Packet(time_us, to_server, ip, wire.l4, wire.payload, new))

    def _new(self, wire: _Wire, to_server: bool) -> int:
        """Payload bytes above the highest sequence number seen from this side."""
        if wire.proto != TCP:
            return wire.payload
        end = wire.seq + wire.payload + (1 if wire.flags & 2 else 0) & 0xFFFFFFFF
        known = self.sent[to_server]
        ahead = wire.payload if known is None else end - known & 0xFFFFFFFF
        if ahead < 1 << 31:
            self.sent[to_server] = end
            return min(ahead, wire.payload)
        return 0


def collect(packets: Iterable[tuple[float, bytes]], origin: str) -> list[Template]:
    """The flows in (seconds, IP packet) pairs, in order of their first packet."""
    opened: dict[tuple[object, ...], _Opened] = {}
    found: list[_Opened] = []
    for time_s, ip in packets:
        wire = dissect(ip)
        if wire is None or wire.src == wire.dst:
            continue
        ends = sorted([(wire.src, wire.sport), (wire.dst, wire.dport)])
        key = (wire.proto, *ends)
        flow = opened.get(key)
        first_syn = wire.proto == TCP and wire.flags & 0x12 == 2
        if flow is None or (first_syn and wire.seq != flow.isn):
            flow = opened[key] = _Opened(wire, time_s, origin)
            found.append(flow)
        if not flow.full:
            flow.add(wire, time_s)
    return [flow.template for flow in found if flow.template.packets]


def from_captures(paths: Sequence[Path]) -> list[Template]:
    """The flows of all captures; folders are searched for files with `pcap` or `cap` in their suffix."""
    files: list[Path] = []
    for path in paths:
        files += sorted(p for p in path.rglob("*") if "cap" in p.suffix) if path.is_dir() else [path]
    found: list[Template] = []
    for file in files:
        packets = ((time_s, network_layer(frame, linktype)) for time_s, frame, linktype in frames(file))
        found += collect(packets, file.name)
    return found
