"""The decoder once more in plain Python, as simple as it can be said; no bounds on memory.

`TwinDecoder.decode` gives one dict a packet with the fields of a Decoded record (addresses as bytes) and
the payload's captured bytes under "payload"; where the payload lies is the kernel's own business.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from fl0p_py.capture.batch import PacketBatch

STATUSES = [
    "FLOW",
    "NOT_IP",
    "TAGGED",
    "NO_FLOW_PROTOCOL",
    "ICMP_OTHER",
    "FRAGMENT",
    "SHORT_LINK",
    "BAD_IP",
    "BAD_TRANSPORT",
    "UNKNOWN_LINKTYPE",
]
CHECKSUMS = ["UNCHECKED", "RIGHT", "PSEUDO", "WRONG"]
NO_WSCALE = 255


class UndecodableError(Exception):
    """Ends the decoding of a packet with a status."""


def need(data: bytes, at: int, n: int, otherwise: str) -> bytes:
    """n bytes at a position, or the end of the packet with this status."""
    if at + n > len(data):
        raise UndecodableError(otherwise)
    return data[at : at + n]


def number(data: bytes) -> int:
    return int.from_bytes(data, "big")


# Link layer: each function returns (position of the IP header, IP version or 0) and adds VLAN ids to `tags`.


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


# Network layer.


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


# Transport layer.


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


# Fragments and the hash.


@dataclass
class Pieces:
    first_ns: int
    pieces: dict[int, Ip] = field(default_factory=dict)
    total: int = 0
    frame_len: int = 0
    spoiled: bool = False


class TwinDecoder:
    """Decodes batches; `key`, `vlan`, `check` and `vlan_key` as those of Decoder."""

    def __init__(
        self,
        *,
        key: bytes,
        vlan: bool = False,
        check: bool = True,
        vlan_key: bool = True,
        timeout_s: int = 60,
    ) -> None:
        self.key, self.vlan, self.check, self.vlan_key = key, vlan, check, vlan_key
        self.timeout_ns = timeout_s * 1_000_000_000
        self.waiting: dict[tuple[Any, ...], Pieces] = {}

    def decode(self, batch: PacketBatch) -> list[dict[str, Any]]:
        records = []
        for row in range(len(batch)):
            start, size = int(batch.offset[row]), int(batch.caplen[row])
            frame = bytes(batch.data[start : start + size])
            records.append(
                self.packet(frame, int(batch.wirelen[row]), int(batch.ts_ns[row]), int(batch.linktype[row]))
            )
        if records:
            self.expire(int(batch.ts_ns[-1]))
        return records

    def packet(self, frame: bytes, wirelen: int, ts_ns: int, linktype: int) -> dict[str, Any]:
        record: dict[str, Any] = dict.fromkeys(
            [
                "payload_len",
                "hash",
                "vlan",
                "seq",
                "ack",
                "sport",
                "dport",
                "window",
                "wscale",
                "tcp_flags",
                "proto",
                "version",
                "ttl",
                "icmp_type",
                "icmp_code",
                "reassembled",
            ],
            0,
        )
        record |= {"ts_ns": ts_ns, "frame_len": wirelen, "src": bytes(16), "dst": bytes(16), "payload": b""}
        record |= {"checksum": "UNCHECKED"}
        tags: list[int] = []
        try:
            try:
                at, version = link(frame, linktype, self.vlan, tags)
            finally:
                record["vlan"] = vlan_field(tags)
            ip = internet(frame[at:], wirelen - at, version)
            record |= {"version": ip.version, "ttl": ip.ttl, "proto": ip.next_header}
            record |= {"src": ip.src.ljust(16, b"\0"), "dst": ip.dst.ljust(16, b"\0")}
            if not ip.fragment:
                step_over_extensions(ip)
            if ip.fragment:
                ip = self.gather(ip, record)
                step_over_extensions(ip)
                if ip.fragment:
                    raise UndecodableError("BAD_IP")
            record |= transport(ip, self.check)
        except UndecodableError as verdict:
            record["status"] = str(verdict)
        if record["status"] == "FLOW":
            record["hash"] = self.flow_hash(record)
        return record

    def gather(self, ip: Ip, record: dict[str, Any]) -> Ip:
        """The whole datagram, if this fragment completes one."""
        assert ip.fragment
        self.expire(record["ts_ns"])
        identification, start, more = ip.fragment
        if ip.lying or ip.length == 0 or (more and ip.length % 8) or start + ip.length > 65535:
            raise UndecodableError("BAD_IP")
        proto = ip.next_header if ip.version == 4 else 0
        key = ip.version, ip.src, ip.dst, identification, proto, record["vlan"]
        held = self.waiting.setdefault(key, Pieces(record["ts_ns"]))
        if held.spoiled:
            raise UndecodableError("FRAGMENT")
        held.frame_len += record["frame_len"]
        if start in held.pieces and held.pieces[start].length == ip.length:
            raise UndecodableError("FRAGMENT")
        end = start + ip.length
        overlaps = any(start < at + other.length and at < end for at, other in held.pieces.items())
        beyond = held.total and (end > held.total or not more)
        behind_last = not more and any(at > start for at in held.pieces)
        if overlaps or beyond or behind_last:
            held.spoiled = True
            raise UndecodableError("FRAGMENT")
        held.pieces[start] = ip
        if not more:
            held.total = end
        if held.total == 0 or sum(piece.length for piece in held.pieces.values()) < held.total:
            raise UndecodableError("FRAGMENT")
        del self.waiting[key]
        return self.whole(held, record)

    def whole(self, held: Pieces, record: dict[str, Any]) -> Ip:
        first = held.pieces[0]
        ip = Ip(first.version, first.src, first.dst, first.ttl, first.next_header, final_dst=first.final_dst)
        ip.length = held.total
        ip.wrong_header = any(piece.wrong_header for piece in held.pieces.values())
        for _, piece in sorted(held.pieces.items()):
            ip.payload += piece.payload
            if len(piece.payload) < piece.length:
                break
        record |= {"frame_len": held.frame_len, "reassembled": 1}
        return ip

    def expire(self, now_ns: int) -> None:
        """The table drops from the oldest on and stops at the first that is young enough."""
        for key, held in list(self.waiting.items()):
            if now_ns - held.first_ns <= self.timeout_ns:
                break
            del self.waiting[key]

    def flow_hash(self, record: dict[str, Any]) -> int:
        ends = sorted([(record["src"], record["sport"]), (record["dst"], record["dport"])])
        if record["version"] == 4:
            words = [number(address[:4]) << 16 | port for address, port in ends]
        else:
            words = [number(address[half : half + 8]) for address, _ in ends for half in (0, 8)]
            words.append(ends[0][1] | ends[1][1] << 16)
        vlan = record["vlan"] if self.vlan_key else 0
        message = struct.pack(f"<{len(words)}QIBB", *words, vlan, record["proto"], record["version"])
        return siphash(self.key, message, 1, 3) & 0xFFFFFFFF


def vlan_field(tags: list[int]) -> int:
    """As Decoded.vlan."""
    return sum(tag << 12 * position for position, tag in enumerate(tags[:2])) | len(tags) << 24


def siphash(key: bytes, message: bytes, word_rounds: int, end_rounds: int) -> int:
    """SipHash-c-d as in the paper's section 2."""
    mask = 0xFFFFFFFFFFFFFFFF
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(word: int, by: int) -> int:
        return (word << by | word >> (64 - by)) & mask

    def rounds(n: int) -> None:
        for _ in range(n):
            for a, b, c, d, left, right in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
                v[a] = (v[a] + v[b]) & mask
                v[c] = (v[c] + v[d]) & mask
                v[b] = turn(v[b], left) ^ v[a]
                v[d] = turn(v[d], right) ^ v[c]
                v[a] = turn(v[a], 32)

    padded = message + b"\0" * (7 - len(message) % 8) + bytes([len(message) % 256])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(word_rounds)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(end_rounds)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
