"""The decoder once more in plain Python, as simple as it can be said; no bounds on memory.

`TwinDecoder.decode` gives one dict a packet with the fields of a Decoded record (addresses as bytes) and
the payload's captured bytes under "payload"; where the payload lies is the kernel's own business.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from fl0p_py.capture.batch import PacketBatch
from tests.decode.twin_internet import Ip, internet, step_over_extensions
from tests.decode.twin_link import UndecodableError, link, number
from tests.decode.twin_transport import transport

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
NUMBERS = [
    "ts_ns",
    "payload_len",
    "frame_len",
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
]
"""Fields of a record that are numbers."""


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
        record: dict[str, Any] = dict.fromkeys(NUMBERS, 0)
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
        vlan = record["vlan"] if self.vlan_key else 0
        words = [record["proto"] << 8 | record["version"], vlan, ends[0][1] << 16 | ends[1][1]]
        size = 4 if record["version"] == 4 else 16
        words += [number(address[at : at + 4]) for address, _ in ends for at in range(0, size, 4)]
        first, *keys = [siphash(self.key, bytes([i]), 1, 3) for i in range(12)]
        total = first + sum(key * word for key, word in zip(keys, words, strict=False))
        x = total >> 32 & 0xFFFFFFFF
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):  # murmur3's fmix32
            x = (x ^ x >> shift) * factor & 0xFFFFFFFF
        return x ^ x >> 16


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
