"""What StreamSet does, in the simplest way: every byte that waits is an entry of a dictionary.

It reads the same segment records.  Without bounds: 64 KiB of held bytes are the kernel's own business.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from fl0p_py.flow import segment_batch as flag

FIN = 1
Key = tuple[int, int]  # serial, direction


@dataclass
class Waiting:
    """A byte, or None if it was not captured, and where the segment that it came with begins and ends."""

    byte: int | None
    start: int
    end: int


@dataclass
class Direction:
    """said : the stream's bytes, None where one is missing; late : segments with bytes of told gaps"""

    said: list[int | None] = field(default_factory=list)
    late: list[tuple[int, bytes]] = field(default_factory=list)
    held: dict[int, Waiting] = field(default_factory=dict)
    fin: int | None = None
    closed: bool = False

    @property
    def next(self) -> int:
        return len(self.said)


def wins(policy: str, old: Waiting, new: Waiting) -> bool:
    """Whether a byte that comes takes the place of one that waits."""
    if old.byte is None or new.byte is None:
        return new.byte is not None
    if policy == "first":
        return False
    if policy == "last":
        return True
    return (new.start, -new.end) < (old.start, -old.end)


class TwinStreams:
    """Streams by (serial of the flow, direction)."""

    def __init__(self, policy: str) -> None:
        self.policy = policy
        self.streams: defaultdict[Key, Direction] = defaultdict(Direction)

    def take(self, record: Any, data: bytes) -> None:
        """A TCP record and the bytes that were captured of it."""
        flags = int(record["flags"])
        start, end = int(record["offset"]), int(record["offset"]) + int(record["length"])
        d = self.streams[int(record["serial"]), int(record["direction"])]
        if flags & flag.FAR:
            return
        if flags & flag.HOLE:
            if start <= d.next:
                self.go_on(d, end)
        elif not d.closed:
            if record["tcp_flags"] & FIN and end >= d.next:
                d.fin = end
            if flags & flag.IN_ORDER:
                self.go_on(d, start)
            self.segment(d, start, end, data, flags)
        if d.fin == d.next:
            d.closed = True
            d.held.clear()

    def segment(self, d: Direction, start: int, end: int, data: bytes, flags: int) -> None:
        if flags & flag.LATE and start < d.next:
            d.late.append((start, data[: d.next - start]))
        owner = max(start, d.next), end
        for at in range(max(start, d.next), end):
            new = Waiting(data[at - start] if at - start < len(data) else None, *owner)
            old = d.held.get(at)
            if old is None or wins(self.policy, old, new):
                d.held[at] = new
        self.release(d)

    def go_on(self, d: Direction, end: int) -> None:
        """Nothing waits for bytes below `end` any longer."""
        while d.next < end:
            waiting = d.held.pop(d.next, None)
            d.said.append(None if waiting is None else waiting.byte)
        self.release(d)

    def release(self, d: Direction) -> None:
        while d.next in d.held:
            d.said.append(d.held.pop(d.next).byte)
