"""The link layer of the decoder's twin.

Each function of a layer gives the position of the IP header and the IP version, or 0, and adds VLAN ids to
`tags`.
"""

from __future__ import annotations

import struct


class UndecodableError(Exception):
    """Ends the decoding of a packet with a status."""


def need(data: bytes, at: int, n: int, otherwise: str) -> bytes:
    """n bytes at a position, or the end of the packet with this status."""
    if at + n > len(data):
        raise UndecodableError(otherwise)
    return data[at : at + n]


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def link(frame: bytes, linktype: int, vlan: bool, tags: list[int]) -> tuple[int, int]:
    if linktype == 1:
        need(frame, 0, 14, "SHORT_LINK")
        return ethertype(frame, 14, number(frame[12:14]), vlan, tags)
    if linktype in (113, 276):
        size, where = (16, 14) if linktype == 113 else (20, 0)
        need(frame, 0, size, "SHORT_LINK")
        kind = number(frame[where : where + 2])
        if kind <= 1500 and kind != 4:
            raise UndecodableError("NOT_IP")
        return ethertype(frame, size, kind, vlan, tags)
    if linktype in (12, 14, 101):
        return 0, 0
    if linktype in (228, 229):
        return 0, 4 if linktype == 228 else 6
    if linktype in (0, 108):
        big = number(need(frame, 0, 4, "SHORT_LINK"))
        family = big if linktype == 108 or big <= 0xFFFF else int.from_bytes(frame[:4], "little")
        versions = {2: 4, 10: 6, 24: 6, 28: 6, 30: 6}
        if family not in versions:
            raise UndecodableError("NOT_IP")
        return 4, versions[family]
    if linktype in (9, 50):
        start = need(frame, 0, 2, "SHORT_LINK")
        if start in (b"\x0f\x00", b"\x8f\x00"):
            need(frame, 0, 4, "SHORT_LINK")
            return ethertype(frame, 4, number(frame[2:4]), vlan, tags)
        return ppp(frame, 2 if start == b"\xff\x03" else 0, tags)
    raise UndecodableError("UNKNOWN_LINKTYPE")


def ethertype(frame: bytes, at: int, kind: int, vlan: bool, tags: list[int]) -> tuple[int, int]:
    for _ in range(9):
        if kind in (0x0800, 0x86DD):
            return at, 4 if kind == 0x0800 else 6
        if kind in (0x8100, 0x88A8, 0x9100):
            if not vlan:
                raise UndecodableError("TAGGED")
            control, kind = struct.unpack(">HH", need(frame, at, 4, "SHORT_LINK"))
            tags.append(control & 0xFFF)
            at += 4
        elif kind in (0x8847, 0x8848):
            return mpls(frame, at, tags)
        elif kind == 0x8864:
            need(frame, at, 6, "SHORT_LINK")
            return ppp(frame, at + 6, tags)
        elif kind <= 1500:
            if need(frame, at, 3, "SHORT_LINK") != b"\xaa\xaa\x03":
                raise UndecodableError("NOT_IP")
            snap = need(frame, at, 8, "SHORT_LINK")
            kind = number(snap[6:8])
            if snap[3:6] not in (b"\0\0\0", b"\0\0\xf8") or kind <= 1500:
                raise UndecodableError("NOT_IP")
            at += 8
        else:
            raise UndecodableError("NOT_IP")
    raise UndecodableError("NOT_IP")


def mpls(frame: bytes, at: int, tags: list[int]) -> tuple[int, int]:
    for _ in range(16):
        label = number(need(frame, at, 4, "SHORT_LINK"))
        at += 4
        if label & 0x100:
            version = need(frame, at, 1, "SHORT_LINK")[0] >> 4
            if version not in (4, 6):
                raise UndecodableError("NOT_IP")
            return at, version
    raise UndecodableError("NOT_IP")


def ppp(frame: bytes, at: int, tags: list[int]) -> tuple[int, int]:
    protocol = need(frame, at, 1, "SHORT_LINK")[0]
    at += 1
    if protocol % 2 == 0:
        protocol = protocol * 256 + need(frame, at, 1, "SHORT_LINK")[0]
        at += 1
    if protocol in (0x0281, 0x0283):
        return mpls(frame, at, tags)
    if protocol not in (0x21, 0x57):
        raise UndecodableError("NOT_IP")
    return at, 4 if protocol == 0x21 else 6
