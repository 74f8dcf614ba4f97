#!/usr/bin/env python3
"""Writes a capture of small datagrams to standard output, each between two hosts of its own.

datagrams.py COUNT [RATE]         RATE datagrams in a second (20,000)
"""

from __future__ import annotations

import struct
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

START_S = 1_700_000_000
BLOCK = 50_000
PAYLOAD = b"abcdefgh"
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
ETHERNET = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0"
IP = struct.pack("!BBHHHBBH8s", 0x45, 0, 28 + len(PAYLOAD), 0, 0, 64, 17, 0, bytes(8))
UDP = struct.pack("!HHHH", 40000, 9, 8 + len(PAYLOAD), 0)
FRAME = ETHERNET + IP + UDP + PAYLOAD
SRC, DST = 10 << 24, 100 << 24
"""The first source and destination."""


def main(count: int, rate: int = 20_000) -> None:
    sys.stdout.buffer.write(HEADER)
    for first in range(0, count, BLOCK):
        sys.stdout.buffer.write(_block(np.arange(first, min(count, first + BLOCK)), rate).tobytes())


def _block(numbers: NDArray[np.int64], rate: int) -> NDArray[Any]:
    record = np.dtype(
        [("s", "<u4"), ("us", "<u4"), ("caplen", "<u4"), ("len", "<u4"), ("frame", "u1", len(FRAME))]
    )
    out = np.zeros(len(numbers), record)
    out["s"] = START_S + numbers // rate
    out["us"] = numbers % rate * 1_000_000 // rate
    out["caplen"] = out["len"] = len(FRAME)
    out["frame"] = np.frombuffer(FRAME, np.uint8)
    for at, base in ((26, SRC), (30, DST)):
        out["frame"][:, at : at + 4] = (numbers + base).astype(">u4").view(np.uint8).reshape(-1, 4)
    return out


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
