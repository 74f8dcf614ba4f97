"""Memory for records that are looked at by chance, one at a time."""

from __future__ import annotations

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
