"""SteadyClock: the time of day for whoever cannot bear that it is set back.

Never goes back and never stands still.  Set back by D, it goes at half speed until the time of day has
caught up, 2 D later: what waits for a time waits twice as long at most.
"""

from __future__ import annotations

import time

SLOWER = 2


class SteadyClock:
    """One thread reads it, often: how far it may go by itself is counted from one reading to the next."""

    def __init__(self) -> None:
        self._told_ns = time.time_ns()
        self._read_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        read_ns = time.monotonic_ns()
        elapsed_ns, self._read_ns = read_ns - self._read_ns, read_ns
        self._told_ns = max(time.time_ns(), self._told_ns + elapsed_ns // SLOWER)
        return self._told_ns
