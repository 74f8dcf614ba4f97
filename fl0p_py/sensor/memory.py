"""Memory of a process that lives for weeks: what is freed goes back to the system.

glibc gives every thread a heap of its own, and puts larger and larger pieces on those heaps once one such
piece has been freed.  Each reading of the signatures then leaves holes in another heap: with one a minute,
an engine's resident memory rose by a tenth in ten minutes before it stayed there.  With one heap for small
pieces, and every large one by itself, it stays where it was after the first.
"""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # malloc.h

LARGE = 256 << 10
"""Bytes from which on a piece is asked from the system, and given back to it."""


def settle() -> None:
    """To be called before threads are started; holds for the processes forked later, too.

    Does nothing where the C library is another than glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, LARGE)
