"""The network layer of the decoder's twin: headers of IPv4 and IPv6, their options and extensions."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.decode.twin_link import UndecodableError, need, number


@dataclass
class Ip:
    version: int
    src: bytes
    dst: bytes
    ttl: int
    next_header: int
    payload: bytes = b""  # captured bytes of it
    length: int = 0  # on the wire
    final_dst: bytes = b""  # where a source route ends
    fragment: tuple[int, int, bool] | None = None  # identification, position, more
    wrong_header: bool = False
    lying: bool = False


def ones_complement(data: bytes) -> int:
    """Sum of RFC 1071, not complemented."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def internet(data: bytes, left: int, version: int) -> Ip:
    """`data` starts with the IP header; `left`: bytes of the frame on the wire from there on."""
    found = need(data, 0, 1, "BAD_IP")[0] >> 4
    if found not in (4, 6) or version not in (0, found):
        raise UndecodableError("BAD_IP")
    return ipv4(data, left) if found == 4 else ipv6(data, left)


def ipv4(data: bytes, left: int) -> Ip:
    need(data, 0, 20, "BAD_IP")
    size = (data[0] & 15) * 4
    header = need(data, 0, max(size, 20), "BAD_IP")
    total = number(header[2:4])
    lying = total > left
    if total == 0 or lying:
        total = left
    if size < 20 or total < size:
        raise UndecodableError("BAD_IP")
    word = number(header[6:8])
    packet = Ip(4, header[12:16], header[16:20], header[8], header[9], lying=lying)
    packet.payload, packet.length = data[size:total], total - size
    packet.final_dst = route_of_options(header[20:]) or packet.dst
    packet.wrong_header = header[10:12] != b"\0\0" and ones_complement(header) != 0xFFFF
    if word & 0x3FFF:
        packet.fragment = number(header[4:6]), (word & 0x1FFF) * 8, bool(word & 0x2000)
    return packet


def options(data: bytes) -> list[tuple[int, bytes]]:
    """(kind, the whole option) of IPv4 or TCP options, up to the end or the first mistake."""
    found = []
    while data and data[0] != 0:
        size = 1 if data[0] == 1 else data[1] if len(data) > 1 else 0
        if size == 0 or size > len(data):
            break
        found.append((data[0], data[:size]))
        data = data[size:]
    return found


def route_of_options(data: bytes) -> bytes:
    for kind, option in options(data):
        if kind in (131, 137) and len(option) >= 7:
            return option[-4:] if option[2] <= len(option) - 3 else b""
    return b""


def ipv6(data: bytes, left: int) -> Ip:
    header = need(data, 0, 40, "BAD_IP")
    length = number(header[4:6])
    lying = length > left - 40
    if length == 0 or lying:
        length = left - 40
    packet = Ip(6, header[8:24], header[24:40], header[7], header[6], lying=lying)
    packet.payload, packet.length, packet.final_dst = data[40 : 40 + length], length, packet.dst
    return packet


def step_over_extensions(ip: Ip) -> None:
    """Take AH and extension headers off the payload, up to a fragment header."""
    for _ in range(16):
        kind, data = ip.next_header, ip.payload
        second = data[1] if len(data) > 1 else 0
        if kind == 51:
            size = (second + 2) * 4
        elif ip.version == 4:
            return
        elif kind == 44:
            size = 8
        elif kind in (0, 43, 60, 135, 139, 140):
            size = (second + 1) * 8
        else:
            return
        header = need(data, 0, size, "BAD_IP")
        ip.next_header, ip.payload, ip.length = header[0], data[size:], ip.length - size
        if kind == 43 and header[3] > 0 and size >= 24 and header[2] in (0, 2, 4):
            ip.final_dst = header[8:24] if header[2] == 4 else header[-16:]
        if kind == 44 and number(header[2:4]) & 0xFFF9:
            word = number(header[2:4])
            ip.fragment = number(header[4:8]), word & 0xFFF8, bool(word & 1)
            return
    raise UndecodableError("BAD_IP")
