#!/usr/bin/env python3
"""Keeps files in the page cache, locked, until its standard input ends: `hold.py FILE ...`.

A kernel that reclaims early (DAMON) drops a file within seconds of its last reading, and a benchmark then
measures the disk.  Prints a line once all are there: `held`, or why they are only read once.
A process of its own, since what is locked counts as memory of whoever locks it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from pathlib import Path

from measure import warm


def hold(path: Path) -> bool:
    """Map and lock a file; False if that is more than this user may lock."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        address = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
    return address != ctypes.c_void_p(-1).value and libc.mlock(address, size) == 0


def main() -> int:
    paths = [Path(name) for name in sys.argv[1:]]
    for path in paths:
        warm(path)
    held = [hold(path) for path in paths]
    print("held" if all(held) else "not locked: raise `ulimit -l`, or run as root", flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
