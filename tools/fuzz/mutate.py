"""Broken captures made of good ones.

A seed is a capture cut into its records (pcap) or blocks (pcapng).  A mutation changes, doubles, drops or
swaps records, gives header fields values that mean something to the code (`INTERESTING`, the dictionaries),
moves times, cuts and splices; and last, seldom, damages or compresses the file as a whole.  Every choice
comes from the `random.Random` given, so a seed number brings an input back.
"""

from __future__ import annotations

import gzip
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_RECORDS = 400  # of a mutated capture: more only makes it slower
INTERESTING = (
    *(0, 1, 2, 3, 4, 7, 8, 16, 20, 39, 40, 59, 60, 63, 64, 127, 128, 255, 256, 1023, 1024, 1500),
    *(32767, 32768, 65534, 65535, 65536, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF),
)
ETHERTYPES = (0x0800, 0x86DD, 0x8100, 0x88A8, 0x9100, 0x8864, 0x8863, 0x8847, 0x0806, 0x05DC)
PROTOCOLS = (0, 1, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132, 135)
TCP_FLAGS = (0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0x01, 0x29, 0x00, 0x3F, 0x03, 0x06, 0xC2)
LINKTYPES = (0, 1, 9, 12, 14, 101, 108, 113, 228, 229, 276, 147, 105, 65535)


@dataclass(frozen=True, slots=True)
class Seed:
    """A capture in pieces.  kind: "pcap", "pcapng" or "raw" (not understood; mutated as bytes)."""

    name: str
    kind: str
    order: str  # struct's "<" or ">"
    head: bytes
    records: tuple[bytes, ...]


def read_seed(path: Path) -> Seed:
    """Cut a file at its records, as far as its lengths make sense."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    for order in "<>":
        magic = struct.unpack_from(order + "I", data)[0] if len(data) >= 24 else 0
        if magic in (0xA1B2C3D4, 0xA1B23C4D):
            return Seed(path.name, "pcap", order, data[:24], _records(data, order))
        if magic == 0x0A0D0D0A and struct.unpack_from(order + "I", data, 8)[0] == 0x1A2B3C4D:
            return Seed(path.name, "pcapng", order, b"", _blocks(data, order))
    return Seed(path.name, "raw", "<", data[: 1 << 20], ())


def _records(data: bytes, order: str) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 24
    while at + 16 <= len(data) and len(found) < MAX_RECORDS:
        size = 16 + int(struct.unpack_from(order + "I", data, at + 8)[0])
        found.append(data[at : at + size])
        at += size
    return tuple(found)


def _blocks(data: bytes, order: str) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 0
    while at + 12 <= len(data) and len(found) < MAX_RECORDS:
        size = max(12, int(struct.unpack_from(order + "I", data, at + 4)[0]))
        found.append(data[at : at + size])
        at += size
    return tuple(found)


class Mutator:
    """Draws mutated captures from seeds."""

    def __init__(self, seeds: Sequence[Seed], draw: random.Random) -> None:
        self.seeds, self.draw = seeds, draw

    def capture(self) -> bytes:
        draw = self.draw
        seed = draw.choice(self.seeds)
        records = list(seed.records[: draw.choice((5, 40, MAX_RECORDS))])
        if seed.kind == "pcap" and draw.random() < 0.15:
            other = draw.choice(self.seeds)
            if (other.kind, other.order) == (seed.kind, seed.order):
                records += other.records[:50]
                draw.shuffle(records)
        for _ in range(draw.choice((0, 1, 1, 2, 3, 5, 10, 40))):
            if records:
                draw.choice(self.CHANGES)(self, seed, records)
        head = bytearray(seed.head)
        if seed.kind == "pcap" and draw.random() < 0.1:
            struct.pack_into(seed.order + "I", head, 20, draw.choice(LINKTYPES))
        data = bytearray(bytes(head) + b"".join(records))
        self._whole(data)
        return self._packed(bytes(data))

    # ---- one record ---------------------------------------------------------------------------------------

    def _pick(self, records: list[bytes]) -> int:
        return self.draw.randrange(len(records))

    def flip(self, seed: Seed, records: list[bytes]) -> None:
        """Some bytes, mostly of the headers."""
        at = self._pick(records)
        data = bytearray(records[at])
        for _ in range(self.draw.choice((1, 1, 2, 8))):
            data[self._header_offset(data)] = self.draw.getrandbits(8)
        records[at] = bytes(data)

    def _header_offset(self, data: bytearray) -> int:
        reach = len(data) if self.draw.random() < 0.1 else min(len(data), 110)
        return self.draw.randrange(reach)

    def number(self, seed: Seed, records: list[bytes]) -> None:
        """An interesting number over 1, 2 or 4 bytes, in either order."""
        at = self._pick(records)
        data = bytearray(records[at])
        kind = self.draw.choice(("B", ">H", "<H", ">I", "<I"))
        width = struct.calcsize(kind)
        offset = self._header_offset(data)
        if offset + width <= len(data):
            value = self.draw.choice(INTERESTING) & (1 << 8 * width) - 1
            struct.pack_into(kind, data, offset, value)
        records[at] = bytes(data)

    def field(self, seed: Seed, records: list[bytes]) -> None:
        """A header field of an Ethernet frame gets a value that means something."""
        at = self._pick(records)
        data = bytearray(records[at])
        base = 16 if seed.kind == "pcap" else 28
        draw = self.draw
        offset, kind, values = draw.choice((
            (12, ">H", ETHERTYPES), (14, "B", (0x45, 0x46, 0x4F, 0x44, 0x60, 0x55)), (16, ">H", INTERESTING),
            (18, ">H", INTERESTING), (20, ">H", (0, 0x2000, 0x2001, 0x4000, 0x1FFF, 0x3FFF, 1, 2, 0x2005)),
            (23, "B", PROTOCOLS), (20, "B", PROTOCOLS), (34, ">H", (22, 25, 53, 80, 0)),
            (38, ">I", INTERESTING), (42, ">I", INTERESTING), (46, "B", (0x50, 0x60, 0xF0, 0x40, 0x00, 0x80)),
            (47, "B", TCP_FLAGS), (48, ">H", INTERESTING), (54, "B", PROTOCOLS), (55, "B", (0, 1, 2, 255)),
        ))  # fmt: skip
        if base + offset + struct.calcsize(kind) <= len(data):
            value = draw.choice(values) & (1 << 8 * struct.calcsize(kind)) - 1
            struct.pack_into(kind, data, base + offset, value)
        records[at] = bytes(data)

    def sequence(self, seed: Seed, records: list[bytes]) -> None:
        """A TCP sequence or acknowledgement number moves a little or a lot."""
        at = self._pick(records)
        data = bytearray(records[at])
        offset = (16 if seed.kind == "pcap" else 28) + self.draw.choice((38, 42, 58, 62))
        if offset + 4 <= len(data):
            by = self.draw.choice((1, -1, 40, -40, 1448, -1448, 65536, -65536, 1 << 31, 1 << 30))
            value = struct.unpack_from(">I", data, offset)[0] + by
            struct.pack_into(">I", data, offset, value & 0xFFFFFFFF)
        records[at] = bytes(data)

    def tag(self, seed: Seed, records: list[bytes]) -> None:
        """VLAN tags put before the ethertype, possibly many."""
        if seed.kind != "pcap":
            return
        at = self._pick(records)
        count = self.draw.choice((1, 1, 2, 3, 20))
        numbers = [self.draw.getrandbits(16) for _ in range(count)]
        tags = b"".join(struct.pack(">HH", self.draw.choice((0x8100, 0x88A8)), number) for number in numbers)
        records[at] = self._sized(seed, records[at][:28] + tags + records[at][28:])

    def cut(self, seed: Seed, records: list[bytes]) -> None:
        """The frame ends early; the record says so, or lies."""
        at = self._pick(records)
        short = records[at][: self.draw.randrange(16, max(17, len(records[at])))]
        records[at] = self._sized(seed, short) if self.draw.random() < 0.8 and seed.kind == "pcap" else short

    def _sized(self, seed: Seed, record: bytes) -> bytes:
        """The record with its captured length made right, its wire length perhaps too."""
        if len(record) < 16:
            return record
        data = bytearray(record)
        struct.pack_into(seed.order + "I", data, 8, len(data) - 16)
        if self.draw.random() < 0.5:
            struct.pack_into(seed.order + "I", data, 12, len(data) - 16)
        return bytes(data)

    def clock(self, seed: Seed, records: list[bytes]) -> None:
        """Time jumps: by a little, by idle timeouts, to the ends of the number range."""
        at = self._pick(records)
        data = bytearray(records[at])
        offset = 0 if seed.kind == "pcap" else 12
        if offset + 4 <= len(data):
            now = struct.unpack_from(seed.order + "I", data, offset)[0]
            by = self.draw.choice((1, -1, 61, 181, 3601, -3601, 1 << 31, -now, (1 << 32) - 1 - now))
            struct.pack_into(seed.order + "I", data, offset, (now + by) & 0xFFFFFFFF)
        records[at] = bytes(data)

    # ---- several records ----------------------------------------------------------------------------------

    def double(self, seed: Seed, records: list[bytes]) -> None:
        at = self._pick(records)
        records[at:at] = [records[at]] * self.draw.choice((1, 1, 2, 30))

    def drop(self, seed: Seed, records: list[bytes]) -> None:
        at = self._pick(records)
        del records[at : at + self.draw.choice((1, 1, 2, 10))]

    def swap(self, seed: Seed, records: list[bytes]) -> None:
        a, b = self._pick(records), self._pick(records)
        records[a], records[b] = records[b], records[a]

    def borrow(self, seed: Seed, records: list[bytes]) -> None:
        """A record of another capture."""
        other = self.draw.choice(self.seeds)
        if other.records:
            records.insert(self._pick(records), self.draw.choice(other.records))

    def graft(self, seed: Seed, records: list[bytes]) -> None:
        """The beginning of one record with the end of another."""
        a, b = records[self._pick(records)], records[self._pick(records)]
        joined = a[: self.draw.randrange(len(a) + 1)] + b[self.draw.randrange(len(b) + 1) :]
        records[self._pick(records)] = self._sized(seed, joined) if seed.kind == "pcap" else joined

    CHANGES: tuple[Callable[[Mutator, Seed, list[bytes]], None], ...] = (
        flip, number, field, field, field, sequence, sequence, tag, cut, clock, clock, double, drop, swap,
        borrow, graft,
    )  # fmt: skip

    # ---- the file -----------------------------------------------------------------------------------------

    def _whole(self, data: bytearray) -> None:
        draw = self.draw
        if not data:
            return
        chance = draw.random()
        if chance < 0.06:
            del data[draw.randrange(len(data)) :]
        elif chance < 0.12:
            for _ in range(draw.choice((1, 4, 50))):
                data[draw.randrange(len(data))] = draw.getrandbits(8)
        elif chance < 0.15:
            at = draw.randrange(len(data))
            data[at:at] = draw.randbytes(draw.choice((1, 3, 16, 4096)))
        elif chance < 0.17:
            at = draw.randrange(min(len(data), 64))
            data[at : at + 4] = struct.pack("<I", draw.choice(INTERESTING))

    def _packed(self, data: bytes) -> bytes:
        """Seldom compressed, and then sometimes damaged."""
        if self.draw.random() > 0.03:
            return data
        squeezed = bytearray(gzip.compress(data, 1, mtime=0))
        if self.draw.random() < 0.5:
            squeezed[self.draw.randrange(len(squeezed))] ^= 1 << self.draw.randrange(8)
        return bytes(squeezed)
