"""Capture files for tests, built in memory: `pcap(...)` and, block by block, `pcapng(...)`.

    pcap([(ts_ns, frame), ...], order=">", nano=True)
    pcapng([(ts_ns, frame), ...])                              one section, one Ethernet interface
    b"".join([section(), interface(1), enhanced(0, ts, frame), simple(frame)])

`order` is "<" or ">".  Packets are (ts_ns, bytes) or (ts_ns, bytes, bytes on the wire).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from tests.support.frames import Packet

MICRO, NANO, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34


def pcap(
    packets: Iterable[Packet],
    *,
    linktype: int = 1,
    order: str = "<",
    nano: bool = False,
    modified: bool = False,
    snaplen: int = 262144,
) -> bytes:
    """A pcap file; `linktype` is the whole field (FCS bits too); `modified`: Kuznetzov's 24-byte records."""
    magic = MODIFIED if modified else NANO if nano else MICRO
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype)]
    for packet in packets:
        ts_ns, frame = packet[0], packet[1]
        wirelen = packet[2] if len(packet) == 3 else len(frame)
        seconds, rest = divmod(ts_ns, 1_000_000_000)
        fraction = rest if nano else rest // 1000
        parts.append(struct.pack(order + "IIII", seconds, fraction, len(frame), wirelen))
        if modified:
            parts.append(bytes(8))
        parts.append(frame)
    return b"".join(parts)


def block(kind: int, body: bytes, *, order: str = "<") -> bytes:
    """Any pcapng block: the body is padded, both length fields are right."""
    padded = body + bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(padded) + 12)
    return struct.pack(order + "I", kind) + length + padded + length


def option(code: int, value: bytes, *, order: str = "<") -> bytes:
    """One pcapng option, padded."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(*, order: str = "<", length: int = -1, options: bytes = b"") -> bytes:
    """A Section Header Block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, length) + options, order=order)


def interface(
    linktype: int = 1,
    *,
    order: str = "<",
    snaplen: int = 0,
    tsresol: int | None = None,
    tsoffset: int | None = None,
    options: bytes = b"",
) -> bytes:
    """An Interface Description Block; `tsresol` the raw byte (9: ns, 0x8a: 2**-10 s), `tsoffset` seconds."""
    if tsresol is not None:
        options += option(9, bytes([tsresol]), order=order)
    if tsoffset is not None:
        options += option(14, struct.pack(order + "q", tsoffset), order=order)
    if options:
        options += option(0, b"", order=order)
    return block(1, struct.pack(order + "HHI", linktype, 0, snaplen) + options, order=order)


def enhanced(
    number: int,
    ticks: int,
    frame: bytes,
    wirelen: int | None = None,
    *,
    order: str = "<",
    options: bytes = b"",
) -> bytes:
    """An Enhanced Packet Block of interface `number`; `ticks` in the interface's own resolution."""
    on_wire = len(frame) if wirelen is None else wirelen
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), on_wire)
    return block(6, head + frame + bytes(-len(frame) % 4) + options, order=order)


def simple(frame: bytes, wirelen: int | None = None, *, order: str = "<") -> bytes:
    """A Simple Packet Block (interface 0, no time)."""
    return block(3, struct.pack(order + "I", len(frame) if wirelen is None else wirelen) + frame, order=order)


def obsolete(
    number: int, ticks: int, frame: bytes, wirelen: int | None = None, *, drops: int = 0, order: str = "<"
) -> bytes:
    """An (obsolete) Packet Block."""
    on_wire = len(frame) if wirelen is None else wirelen
    head = struct.pack(order + "HHIIII", number, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), on_wire)
    return block(2, head + frame, order=order)


def pcapng(packets: Iterable[Packet], *, linktype: int = 1, order: str = "<", tsresol: int = 9) -> bytes:
    """A pcapng file of one section and one interface with ticks of 10**-`tsresol` seconds."""
    parts = [section(order=order), interface(linktype, order=order, tsresol=tsresol)]
    for packet in packets:
        wirelen = packet[2] if len(packet) == 3 else None
        parts.append(enhanced(0, packet[0] * 10**tsresol // 10**9, packet[1], wirelen, order=order))
    return b"".join(parts)
