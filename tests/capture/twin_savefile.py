"""The twin of the capture scanners: pcap and pcapng in plain Python, a record at a time, exact arithmetic."""

from __future__ import annotations

import struct
from typing import NamedTuple

from fl0p_py.capture.linktype import SUPPORTED

LATEST_NS = 2**62 - 1
MAX_PACKET = 262144
MAX_BLOCK = 16 * 2**20
REFUSED = "refused"


class Packet(NamedTuple):
    ts_ns: int
    frame: bytes
    wirelen: int
    linktype: int


class Outcome(NamedTuple):
    """The good packets of a file and where it is damaged; REFUSED: as a whole, None: it is sound."""

    packets: list[Packet]
    damage: int | str | None


def read(data: bytes) -> Outcome:
    """Everything that a (decompressed) capture file says."""
    magics = {
        struct.pack(order + "I", magic): (order, unit, head)
        for order in "<>"
        for magic, unit, head in ((0xA1B2C3D4, 1000, 16), (0xA1B23C4D, 1, 16), (0xA1B2CD34, 1000, 24))
    }
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return _pcapng(data)
    if data[:4] in magics and len(data) >= 24:
        return _pcap(data, *magics[data[:4]])
    return Outcome([], REFUSED)


def _pcap(data: bytes, order: str, unit: int, head: int) -> Outcome:
    major, minor = struct.unpack_from(order + "HH", data, 4)
    linktype = struct.unpack_from(order + "I", data, 20)[0] & 0x03FFFFFF
    if linktype not in SUPPORTED or not ((major == 2 and minor <= 4) or (major == 543)):
        return Outcome([], REFUSED)
    packets: list[Packet] = []
    at = 24
    while at < len(data):
        if len(data) - at < head:
            return Outcome(packets, at)
        seconds, fraction, caplen, wirelen = struct.unpack_from(order + "IIII", data, at)
        if major == 543 or minor < 3 or (minor == 3 and caplen > wirelen):
            caplen, wirelen = wirelen, caplen
        frame = data[at + head : at + head + caplen]
        if caplen > MAX_PACKET or len(frame) < caplen:
            return Outcome(packets, at)
        packets.append(Packet(seconds * 10**9 + fraction * unit, frame, max(caplen, wirelen), linktype))
        at += head + caplen
    return Outcome(packets, None)


class _Interface(NamedTuple):
    linktype: int
    snaplen: int
    tsresol: int
    tsoffset: int

    def ts_ns(self, ticks: int) -> int:
        base = 2 if self.tsresol & 0x80 else 10
        ns = ticks * 10**9 // base ** (self.tsresol & 0x7F)
        bound = max(-LATEST_NS, min(LATEST_NS, self.tsoffset * 10**9))
        return max(0, min(LATEST_NS, min(LATEST_NS, ns) + bound))


class _DamageError(Exception):
    pass


def _pcapng(data: bytes) -> Outcome:
    packets: list[Packet] = []
    interfaces: list[_Interface] = []
    linktypes: set[int] = set()
    order, at = "<", 0
    try:
        while at < len(data):
            if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
                orders = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
                if len(data) - at >= 12:
                    order = orders.get(data[at + 8 : at + 12], "")
                block = _block(data, at, order)
                if len(block) < 28 or struct.unpack_from(order + "H", block, 12)[0] != 1:
                    raise _DamageError
                interfaces = []
            else:
                block = _block(data, at, order)
                _read_block(block, order, interfaces, linktypes, packets)
            at += len(block)
    except EOFError:
        return Outcome(packets, at or REFUSED)
    except _DamageError:
        return Outcome(packets, at)
    return Outcome(packets, REFUSED if linktypes and not linktypes & SUPPORTED else None)


def _block(data: bytes, at: int, order: str) -> bytes:
    """The whole block at `at`; EOFError if it is cut off."""
    if not order:
        raise _DamageError
    if len(data) - at < (12 if data[at : at + 4] == b"\x0a\x0d\x0d\x0a" else 8):
        raise EOFError
    length = struct.unpack_from(order + "I", data, at + 4)[0]
    kind = struct.unpack_from(order + "I", data, at)[0]
    if length < {0x0A0D0D0A: 28, 1: 20}.get(kind, 12) or length % 4 or length > MAX_BLOCK:
        raise _DamageError
    if len(data) - at < length:
        raise EOFError
    if data[at + 4 : at + 8] != data[at + length - 4 : at + length]:
        raise _DamageError
    return data[at : at + length]


def _read_block(
    block: bytes, order: str, interfaces: list[_Interface], linktypes: set[int], packets: list[Packet]
) -> None:
    kind = struct.unpack_from(order + "I", block)[0]
    body = block[8:-4]
    if kind == 1:
        interfaces.append(_interface(body, order))
        linktypes.add(interfaces[-1].linktype)
    elif kind in (2, 6):
        if len(body) < 20:
            raise _DamageError
        number, high, low, caplen, wirelen = struct.unpack_from(order + "IIIII", body)
        if kind == 2:
            number = struct.unpack_from(order + "H", body)[0]
        if caplen > len(body) - 20 or number >= len(interfaces):
            raise _DamageError
        interface = interfaces[number]
        ts_ns = interface.ts_ns(high << 32 | low)
        packets.append(Packet(ts_ns, body[20 : 20 + caplen], max(caplen, wirelen), interface.linktype))
    elif kind == 3:
        if len(body) < 4 or not interfaces:
            raise _DamageError
        wirelen = struct.unpack_from(order + "I", body)[0]
        frame = body[4:][:wirelen][: interfaces[0].snaplen or None]
        packets.append(Packet(0, frame, max(len(frame), wirelen), interfaces[0].linktype))


def _interface(body: bytes, order: str) -> _Interface:
    linktype, _, snaplen = struct.unpack_from(order + "HHI", body)
    tsresol, tsoffset, rest = 6, 0, body[8:]
    while len(rest) >= 4:
        code, length = struct.unpack_from(order + "HH", rest)
        value = rest[4 : 4 + length]
        if code == 0:
            break
        if len(value) < length or length != {9: 1, 14: 8}.get(code, length):
            raise _DamageError
        if code == 9:
            tsresol = value[0]
        if code == 14:
            tsoffset = struct.unpack(order + "q", value)[0]
        rest = rest[4 + (length + 3) // 4 * 4 :]
    return _Interface(linktype, snaplen, tsresol, tsoffset)
