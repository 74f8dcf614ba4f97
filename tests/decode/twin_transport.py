"""The transport layer of the decoder's twin: TCP, UDP, ICMP, and what their checksums are."""

from __future__ import annotations

import struct
from typing import Any

from tests.decode.twin_internet import Ip, ones_complement, options
from tests.decode.twin_link import UndecodableError, need, number

NO_WSCALE = 255


def transport(ip: Ip, check: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"proto": ip.next_header}
    try:
        if ip.next_header == 6:
            tcp(ip, found)
        elif ip.next_header == 17:
            udp(ip, found)
        elif (ip.next_header, ip.version) in ((1, 4), (58, 6)):
            icmp(ip, found)
        else:
            found |= {"payload": ip.payload, "payload_len": ip.length}
            raise UndecodableError("NO_FLOW_PROTOCOL")
    except UndecodableError as verdict:
        return {**found, "status": str(verdict)}
    judged, field_at, length = found.pop("judged"), found.pop("field_at"), found.pop("covered")
    if check and judged:
        found["checksum"] = checksum(ip, field_at, length)
    return {**found, "status": "FLOW"}


def tcp(ip: Ip, found: dict[str, Any]) -> None:
    header = need(ip.payload, 0, 20, "BAD_TRANSPORT")
    size = header[12] // 16 * 4
    if not 20 <= size <= ip.length:
        raise UndecodableError("BAD_TRANSPORT")
    sport, dport, seq, ack = struct.unpack(">HHII", header[:12])
    found |= {
        "sport": sport,
        "dport": dport,
        "seq": seq,
        "ack": ack,
        "tcp_flags": header[13],
        "wscale": NO_WSCALE,
    }
    found |= {"window": number(header[14:16]), "payload": ip.payload[size:], "payload_len": ip.length - size}
    found |= {"judged": True, "field_at": 16, "covered": ip.length}
    if header[13] & 2:
        for kind, option in cut_options(ip.payload[20:size], size - 20):
            if kind == 3 and len(option) == 3:
                found["wscale"] = min(option[2], 14)
                break


def cut_options(captured: bytes, size: int) -> list[tuple[int, bytes]]:
    """As `options` where the snapshot length may have cut them: none that is not all there."""
    padded = captured + b"\0" * (size - len(captured))
    at, found = 0, []
    for kind, option in options(padded):
        at += len(option)
        if at <= len(captured):
            found.append((kind, option))
    return found


def udp(ip: Ip, found: dict[str, Any]) -> None:
    sport, dport, length, stored = struct.unpack(">HHHH", need(ip.payload, 0, 8, "BAD_TRANSPORT"))
    if length == 0 and ip.version == 6:
        length = ip.length
    if not 8 <= length <= ip.length:
        raise UndecodableError("BAD_TRANSPORT")
    found |= {"sport": sport, "dport": dport, "payload": ip.payload[8:length], "payload_len": length - 8}
    found |= {"judged": stored != 0, "field_at": 6, "covered": length}


def icmp(ip: Ip, found: dict[str, Any]) -> None:
    header = need(ip.payload, 0, 8, "BAD_TRANSPORT")
    found |= {"icmp_type": header[0], "icmp_code": header[1]}
    found |= {"payload": ip.payload[8:], "payload_len": ip.length - 8}
    if header[0] not in ((8, 0) if ip.version == 4 else (128, 129)):
        raise UndecodableError("ICMP_OTHER")
    found |= {"sport": number(header[4:6]), "dport": number(header[4:6])}
    found |= {"judged": True, "field_at": 2, "covered": ip.length}


def checksum(ip: Ip, field_at: int, length: int) -> str:
    if ip.lying or len(ip.payload) < length:
        return "UNCHECKED"
    if ip.wrong_header:
        return "WRONG"
    covered = ip.payload[:length]
    if ip.next_header == 1:
        return "RIGHT" if ones_complement(covered) == 0xFFFF else "WRONG"
    pseudo = ip.src + ip.final_dst + struct.pack(">II", length, ip.next_header)
    if ones_complement(pseudo + covered) == 0xFFFF:
        return "RIGHT"
    without_length = ip.src + ip.final_dst + struct.pack(">I", ip.next_header)
    stored = number(covered[field_at : field_at + 2])
    return "PSEUDO" if stored in (ones_complement(pseudo), ones_complement(without_length)) else "WRONG"
