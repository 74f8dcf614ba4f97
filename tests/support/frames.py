"""Packets for tests, built from the inside out with dpkt.

    ether(ip4(tcp(b"hello", 40000, 22, seq=1, flags="PA"), "10.0.0.1", "10.0.0.2"), vlan=[7])

Lengths and checksums are right unless a field says otherwise: `ip4(..., sum=0x1234)`, `tcp(..., sum=1)`.
Everything except `tcp`, `udp`, `icmp` and `icmp6` (which stay dpkt objects, since the checksum needs the
addresses) returns bytes, so any of them can be cut, damaged or put inside another.  `batch` makes a
PacketBatch without any file; `tests.support.savefiles` makes capture files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import dpkt
import numpy as np

from fl0p_py.capture.batch import PacketBatch

Packet = tuple[int, bytes] | tuple[int, bytes, int]  # ts_ns, captured bytes[, bytes on the wire]

FLAGS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10, "U": 0x20, "E": 0x40, "C": 0x80}
CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


def tcp(
    payload: bytes = b"",
    sport: int = 40000,
    dport: int = 22,
    *,
    seq: int = 0,
    ack: int = 0,
    flags: str = "PA",
    win: int = 0xFFFF,
    options: bytes = b"",
    **fields: Any,
) -> dpkt.tcp.TCP:
    """A TCP segment; `flags` are letters of FLAGS, `options` a multiple of 4 bytes."""
    return dpkt.tcp.TCP(
        sport=sport,
        dport=dport,
        seq=seq & 0xFFFFFFFF,
        ack=ack & 0xFFFFFFFF,
        flags=sum(FLAGS[letter] for letter in flags),
        win=win,
        off=5 + len(options) // 4,
        opts=options,
        data=payload,
        **fields,
    )


def udp(payload: bytes = b"", sport: int = 40000, dport: int = 53, **fields: Any) -> dpkt.udp.UDP:
    """A UDP datagram; `ulen=` makes its length field lie."""
    fields.setdefault("ulen", 8 + len(payload))
    return dpkt.udp.UDP(sport=sport, dport=dport, data=payload, **fields)


def icmp(payload: bytes = b"", *, type: int = 8, code: int = 0, id: int = 1, seq: int = 1) -> dpkt.icmp.ICMP:
    """An ICMP message with the header of an echo (8 request, 0 reply)."""
    return dpkt.icmp.ICMP(type=type, code=code, data=struct.pack(">HH", id, seq) + payload)


def icmp6(
    payload: bytes = b"", *, type: int = 128, code: int = 0, id: int = 1, seq: int = 1
) -> dpkt.icmp6.ICMP6:
    """An ICMPv6 message with the header of an echo (128 request, 129 reply)."""
    return dpkt.icmp6.ICMP6(type=type, code=code, data=struct.pack(">HH", id, seq) + payload)


def _protocol(payload: dpkt.Packet | bytes, proto: int | None) -> int:
    if proto is not None:
        return proto
    known = {dpkt.tcp.TCP: 6, dpkt.udp.UDP: 17, dpkt.icmp.ICMP: 1, dpkt.icmp6.ICMP6: 58}
    return known[type(payload)]


def ip4(
    payload: dpkt.Packet | bytes,
    src: str = "10.0.0.1",
    dst: str = "10.0.0.2",
    *,
    proto: int | None = None,
    options: bytes = b"",
    **fields: Any,
) -> bytes:
    """An IPv4 packet; bytes as payload need `proto`.  Fields are dpkt's: id, ttl, df, mf, offset, sum."""
    packet = dpkt.ip.IP(
        src=ip_address(src).packed,
        dst=ip_address(dst).packed,
        p=_protocol(payload, proto),
        hl=5 + len(options) // 4,
        opts=options,
        data=payload,
        len=20 + len(options) + len(payload),
        **fields,
    )
    return bytes(packet)


def ip6(
    payload: dpkt.Packet | bytes,
    src: str = "fd00::1",
    dst: str = "fd00::2",
    *,
    proto: int | None = None,
    extensions: bytes = b"",
    next_header: int | None = None,
    hop_limit: int = 64,
) -> bytes:
    """An IPv6 packet; `extensions` are ready headers whose first has the type `next_header`."""
    source, target, inner = ip_address(src).packed, ip_address(dst).packed, _protocol(payload, proto)
    if isinstance(payload, dpkt.Packet) and not payload.sum:
        pseudo = source + target + struct.pack(">II", len(payload), inner)
        payload.sum = dpkt.in_cksum(pseudo + bytes(payload)) or 0xFFFF
    body = extensions + bytes(payload)
    first = inner if next_header is None else next_header
    return struct.pack(">IHBB", 6 << 28, len(body), first, hop_limit) + source + target + body


def ether(
    payload: bytes,
    *,
    vlan: Sequence[int] = (),
    ethertype: int | None = None,
    tag: int = 0x8100,
    src: bytes = CLIENT_MAC,
    dst: bytes = SERVER_MAC,
) -> bytes:
    """An Ethernet frame, unpadded; its type is the payload's IP version; `vlan`: the outermost tag first."""
    if ethertype is None:
        ethertype = {4: 0x0800, 6: 0x86DD}[payload[0] >> 4]
    tags = b"".join(struct.pack(">HH", tag, number) for number in vlan)
    return dst + src + tags + struct.pack(">H", ethertype) + payload


def batch(packets: Iterable[Packet], linktype: int | Sequence[int] = 1) -> PacketBatch:
    """A PacketBatch of these packets, as a savefile would give it; one link type for all, or one each."""
    listed = list(packets)
    frames = [packet[1] for packet in listed]
    caplen = np.array([len(frame) for frame in frames], np.uint32)
    wirelen = np.array([packet[2] if len(packet) == 3 else len(packet[1]) for packet in listed], np.uint32)
    return PacketBatch(
        data=np.frombuffer(bytearray(b"".join(frames)), np.uint8),
        offset=np.concatenate([np.zeros(1, np.int64), np.cumsum(caplen, dtype=np.int64)])[: len(frames)],
        caplen=caplen,
        wirelen=wirelen,
        ts_ns=np.array([packet[0] for packet in listed], np.int64),
        linktype=np.full(len(frames), linktype, np.uint16),
    )
