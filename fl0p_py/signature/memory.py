"""Memory for records that are looked at by chance, one at a time."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import DTypeLike, NDArray

LINE = 64
"""Bytes of a cache line."""


def in_lines(count: int, dtype: DTypeLike) -> NDArray[np.void]:
    """Zeroed records whose size divides a cache line, or is one, so that none lies in two."""
    size = count * np.dtype(dtype).itemsize
    memory = np.zeros(size + LINE, np.uint8)
    begin = -memory.ctypes.data % LINE
    return memory[begin : begin + size].view(dtype)


def multiplier() -> int:
    """Odd and random, so that nobody can know which keys the upper bits of their product put into one place
    (Dietzfelbinger, Hagerup, Katajainen, Penttonen: A Reliable Randomized Algorithm for the Closest-Pair
    Problem, 1997)."""
    return int.from_bytes(os.urandom(8), "little") | 1
