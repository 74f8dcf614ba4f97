#!/usr/bin/env python3
"""Memory of streams that wait: `holes.py [FLOWS]` opens 200,000 flows, each with bytes behind holes.

All that a payload consumer keeps is there: StreamSet, Joints and Spool.  Prints what was held, what was
refused, and the peak of resident memory.  The segments come within less than the second after which the table
gives up a hole, so that all wait at once.
"""

from __future__ import annotations

import resource
import struct
import sys
from collections.abc import Iterator

import numpy as np

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.settings import EngineOptions
from fl0p_py.stream.joints import Joints
from fl0p_py.stream.spool import Spool
from fl0p_py.stream.stream_set import StreamSet
from fl0p_py.tracker import Tracker

IN_A_BATCH = 2000  # flows
PIECES = 4  # segments of each flow that wait, with a hole before each
SIZE = 1400
WITHIN_NS = 900_000_000
ETHER = bytes(12) + b"\x08\x00"


def segment(flow: int, seq: int, flags: int, size: int) -> bytes:
    """A frame of the client 10.x.y.z, without checksums."""
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 40 + size, 0, 0, 64, 6, 0, 0x0A000000 + flow, 0xC0000201)
    tcp = struct.pack(">HHIIBBHHH", 40000, 80, seq, 1, 0x50, flags, 65535, 0, 0)
    return ETHER + ip + tcp + bytes(size)


class Flood:
    """A Source of all flows: first a SYN of each, then PIECES segments of each."""

    linktypes = (1,)

    def __init__(self, flows: int) -> None:
        self.flows = flows
        self.total = flows * (1 + PIECES)

    def __iter__(self) -> Iterator[PacketBatch]:
        done = 0
        for turn in range(1 + PIECES):
            for first in range(0, self.flows, IN_A_BATCH):
                last = min(self.flows, first + IN_A_BATCH)
                seq, flags, size = (0, 0x02, 0) if turn == 0 else (1 + turn * 2 * SIZE, 0x10, SIZE)
                frames = [segment(flow, seq, flags, size) for flow in range(first, last)]
                yield self._batch(frames, done)
                done += len(frames)

    def _batch(self, frames: list[bytes], done: int) -> PacketBatch:
        size = len(frames[0])
        count = len(frames)
        lengths = np.full(count, size, np.uint32)
        return PacketBatch(
            data=np.frombuffer(b"".join(frames), np.uint8),
            offset=np.arange(count, dtype=np.int64) * size,
            caplen=lengths,
            wirelen=lengths,
            ts_ns=10**18 + (done + np.arange(count, dtype=np.int64)) * WITHIN_NS // self.total,
            linktype=np.ones(count, np.uint16),
        )


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    flows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    before = peak_mb()
    tracker = Tracker(Flood(flows), EngineOptions(records="payload"))
    streams = StreamSet(tracker.table, want_all=True)
    joints, spool = Joints(tracker.table, 256), Spool(tracker.table)
    for step in tracker:
        chunks = streams.take(step.events, step.batch)
        joints.take(chunks)
        spool.add(chunks)
        spool.sweep(chunks)
    stats, table = streams.stats, tracker.table.stats
    print(f"{flows:,} flows, {flows * PIECES:,} segments behind holes of {SIZE} bytes")
    print(f"held {stats['held']:,}, refused for want of memory {stats['not_held']:,},")
    print(f"holes that the table skipped {table['tcp_holes_skipped']:,}, gaps told of {stats['gaps']:,}")
    print(f"resident: {before:.0f} MB before, at most {peak_mb():.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
