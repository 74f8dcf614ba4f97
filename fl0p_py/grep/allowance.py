"""Allowance: the processor time that payload may take beyond what it is worth.

Looks that can be stopped (`regex`, distances) take from it what they need above QUICK_S, and streams what
they cost above their due (stream_window.py).  It grows with the payload that comes.  Whoever sends payload
that costs much spends it for all: then such looks get QUICK_S, in which a harmless one is done, until it has
grown again.  So the time for any capture is bounded by its size.
"""

from __future__ import annotations

import time

MOST_S = 10.0
"""What it begins with, and never exceeds."""

EACH_S = 2e-8
"""What a byte of a batch adds: some twenty times what scanning takes."""

PATIENCE_S = 0.05
"""How long one look may take: several thousand times what a harmless one does."""

QUICK_S = 2e-4
"""And when nothing is left."""


class TooSlowError(Exception):
    """A look was stopped: it is not known whether there is a match."""


class Allowance:
    """left_s : what may be spent"""

    def __init__(self) -> None:
        self.left_s = MOST_S

    def add(self, size: int) -> None:
        """So many bytes have come."""
        self.left_s = min(MOST_S, self.left_s + size * EACH_S)

    def take(self, seconds: float) -> bool:
        """Spend so much, if it is there."""
        if seconds > self.left_s:
            return False
        self.left_s -= seconds
        return True

    def look(self) -> Look:
        return Look(self)


class Look:
    """One look at a window.  With it: `with allowance.look() as look`, then `look.left_s()` now and again."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance

    def __enter__(self) -> Look:
        self._began_s = time.thread_time()
        self._patience_s = PATIENCE_S if self._allowance.left_s > 0 else QUICK_S
        return self

    def __exit__(self, *caught: object) -> None:
        took_s = time.thread_time() - self._began_s
        if took_s > QUICK_S:
            self._allowance.left_s -= took_s

    def left_s(self) -> float:
        """How long it may still take; raises TooSlowError when that is over."""
        left_s = self._began_s + self._patience_s - time.thread_time()
        if left_s <= 0:
            raise TooSlowError
        return left_s
