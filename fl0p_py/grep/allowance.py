"""Allowance: the processor time that payload may take beyond what it is worth.

Every piece of payload is looked at in a `Turn`.  All time of a turn is charged, whatever it went into: first
to what the bytes of the packet are worth, then to the allowance of all.  That begins with MOST_S and grows
with what is captured.  Whoever sends payload that costs much spends it for all: then a turn gets what its
bytes are worth, in which harmless looks are done, until the allowance has grown again.

So the time for any capture is bounded by its size: MOST_S, and WORTH_S and EACH_S for each of its bytes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

MOST_S = 10.0
"""What it begins with, and never exceeds."""

EACH_S = 2e-8
"""What a byte captured adds: some twenty times what scanning takes."""

WORTH_S = 2e-6
"""What looking may take for each byte of a packet: several times what a pattern takes tried on 64 KiB for
every full segment."""

HEADERS = 54
"""Bytes of a packet besides its payload, which are worth as much: of Ethernet, IPv4 and TCP."""

PATIENCE_S = 0.05
"""How long one look may take: several thousand times what a harmless one does."""

STREAM_S = 0.5
"""What one stream may take out of the allowance."""


class TooSlowError(Exception):
    """A look was stopped, or not begun: it is not known whether there is a match."""


class Allowance:
    """left_s : what may be spent; below nothing if a look could not be stopped in time"""

    def __init__(self) -> None:
        self.left_s = MOST_S

    def add(self, size: int) -> None:
        """So many bytes have come."""
        self.left_s = min(MOST_S, self.left_s + size * EACH_S)


@dataclass(slots=True)
class Purse:
    """Of a stream.  left_s : what its bytes are worth and did not take; spent_s : of the allowance"""

    left_s: float = 0.0
    spent_s: float = 0.0


class Turn:
    """Looks at one piece of payload, one after the other: `with Turn(...) as turn`, `turn.expects(N)`, and
    for each of them `turn.look()`, then `turn.left_s()` now and again.

    What the bytes are worth is shared evenly among the looks that are still to come.  So if there is nothing
    besides, it is the look that takes more than the others that is stopped.
    """

    def __init__(self, allowance: Allowance, size: int, purse: Purse | None = None) -> None:
        self._allowance, self._purse = allowance, Purse() if purse is None else purse
        self._purse.left_s += (HEADERS + size) * WORTH_S
        self._looks = 0
        self._until_s = 0.0

    def __enter__(self) -> Turn:
        self._charged_s = time.thread_time()
        return self

    def __exit__(self, *caught: object) -> None:
        self._charge()

    def expects(self, looks: int) -> None:
        """So many looks follow."""
        self._looks = looks

    def look(self) -> None:
        """The next begins; raises TooSlowError if there is no time for it."""
        self._charge()
        purse = self._purse
        funds_s = max(0.0, min(self._allowance.left_s, STREAM_S - purse.spent_s))
        most_s = min(PATIENCE_S, purse.left_s / max(1, self._looks) + funds_s)
        self._looks -= 1
        self._until_s = self._charged_s + most_s
        if most_s <= 0:
            raise TooSlowError

    def left_s(self) -> float:
        """How long the look may still take; raises TooSlowError when that is over."""
        left_s = self._until_s - time.thread_time()
        if left_s <= 0:
            raise TooSlowError
        return left_s

    def _charge(self) -> None:
        """What was done since this was done last."""
        now_s, purse = time.thread_time(), self._purse
        purse.left_s -= now_s - self._charged_s
        self._charged_s = now_s
        if purse.left_s < 0:
            purse.spent_s -= purse.left_s
            self._allowance.left_s += purse.left_s
            purse.left_s = 0.0
