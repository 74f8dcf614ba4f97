#!/usr/bin/env python3
"""Writes a SYN flood as a capture: `synflood.py OUT [COUNT]`, OUT may be `-` for a pipe.

Every SYN comes from another address; 70 bytes a packet with its record header, 100,000 packets a second.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from hostile import SYN, fill_checksums, headers
from replicate import GLOBAL_HEADER, START_S

CHUNK = 1 << 16
GAP_US = 10
SERVER = 0xC6336401  # 198.51.100.1


def chunk(first: int, count: int) -> bytes:
    """SYNs number first .. first + count - 1."""
    number = np.arange(first, first + count)
    rows = headers(count)
    time_us = number * GAP_US
    rows["ts_s"], rows["ts_us"] = START_S + time_us // 1_000_000, time_us % 1_000_000
    rows["src"], rows["dst"] = (number + 1) * 0x9E3779B1 & 0xFFFFFFFF, SERVER  # odd multiplier: all different
    rows["sport"], rows["dport"] = 1024 + number * 7919 % 64000, 443
    rows["seq"], rows["flags"] = number * 0x85EBCA6B & 0xFFFFFFFF, SYN
    fill_checksums(rows, 0)
    return rows.tobytes()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", help="file, or - for standard output")
    parser.add_argument("count", type=int, nargs="?", default=10_000_000)
    options = parser.parse_args()
    try:
        with sys.stdout.buffer if options.out == "-" else Path(options.out).open("wb") as stream:
            stream.write(GLOBAL_HEADER)
            for first in range(0, options.count, CHUNK):
                stream.write(chunk(first, min(CHUNK, options.count - first)))
    except BrokenPipeError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
