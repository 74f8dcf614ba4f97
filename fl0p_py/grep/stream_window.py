"""Stream window: the part of a followed stream in which a match may still begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fl0p_py.grep.allowance import Allowance
from fl0p_py.grep.finder import Finder
from fl0p_py.grep.need import LONGEST_MATCH

WORTH_S = 2e-6
"""What looking at a stream may take for each of its bytes: several times what a pattern takes tried on 64 KiB
for every full segment."""

PATIENCE_S = 0.5
"""And what it may take besides, out of the allowance of all."""


@dataclass(slots=True)
class StreamWindow:
    """The last bytes of one direction of a flow.

    serial : of the flow; data : the bytes; end : offset behind them; first : they are the stream's first
    seen   : by the number of a pattern, offset where a piece of it ended last; up to offset `scanned`
    until  : offset up to which the stream is followed
    slow   : patterns that were given up on it
    left_s : what its bytes are worth and did not take; spent_s : of the allowance
    """

    serial: int
    data: bytes = b""
    end: int = 0
    first: bool = True
    seen: dict[int, int] = field(default_factory=dict)
    scanned: int = 0
    until: int = 0
    slow: set[int] = field(default_factory=set)
    left_s: float = 0.0
    spent_s: float = 0.0

    def add(self, data: bytes, offset: int) -> None:
        """What comes next, at `offset`."""
        self.data += data
        self.end = offset + len(data)

    def which(self, finder: Finder) -> Sequence[int]:
        """Numbers of the patterns that may be in it, ascending; only what is new is scanned."""
        start = self.end - len(self.data)
        at = max(start, self.scanned - finder.overlap)
        self.seen |= finder.seen(self.data[at - start :], at)
        self.seen = {number: end for number, end in self.seen.items() if end > start}
        self.scanned = self.end
        return finder.among(self.seen)

    def pays(self, took_s: float, size: int, allowance: Allowance) -> bool:
        """Whether its bytes, of which so many are new, are worth the time that they have taken."""
        self.left_s += size * WORTH_S - took_s
        missing_s = -self.left_s
        if missing_s <= 0:
            return True
        self.left_s = 0.0
        self.spent_s += missing_s
        return self.spent_s <= PATIENCE_S and allowance.take(missing_s)

    def gap(self, end: int) -> None:
        """Bytes up to `end` never came: no match goes over them."""
        self.data, self.end, self.first = b"", end, False

    def trim(self, reach: int, follow: int) -> None:
        """Keep what may be needed: `reach` bytes, and so many more while it is followed; see Need."""
        keep = min(LONGEST_MATCH, reach + follow) if self.until > self.end else reach
        if len(self.data) > keep:
            self.data, self.first = self.data[-keep:] if keep else b"", False
