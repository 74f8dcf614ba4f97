"""Stream window: the part of a followed stream in which a match may still begin."""

from __future__ import annotations

from dataclasses import dataclass, field

from fl0p_py.grep.need import LONGEST_MATCH

PATIENCE_S = 0.5
"""That looking at a stream may take however little it says."""

WORTH_S = 2e-6
"""And this for each byte: several times what a pattern takes tried on 64 KiB for every full segment."""


@dataclass(slots=True)
class StreamWindow:
    """The last bytes of one direction of a flow.

    serial : of the flow; data : the bytes; end : offset behind them; first : they are the stream's first
    until  : offset up to which the stream is followed
    slow   : patterns that were given up on it
    left_s : how long it may still be looked at
    """

    serial: int
    data: bytes = b""
    end: int = 0
    first: bool = True
    until: int = 0
    slow: set[int] = field(default_factory=set)
    left_s: float = PATIENCE_S

    def add(self, data: bytes, offset: int) -> None:
        """What comes next, at `offset`."""
        self.data += data
        self.end = offset + len(data)

    def pays(self, spent_s: float, size: int) -> bool:
        """Whether its bytes, of which so many are new, are worth the time that they have taken."""
        self.left_s += size * WORTH_S - spent_s
        if self.left_s >= 0:
            return True
        self.left_s = PATIENCE_S
        return False

    def gap(self, end: int) -> None:
        """Bytes up to `end` never came: no match goes over them."""
        self.data, self.end, self.first = b"", end, False

    def trim(self, reach: int, follow: int) -> None:
        """Keep what may be needed: `reach` bytes, and so many more while it is followed; see Need."""
        keep = min(LONGEST_MATCH, reach + follow) if self.until > self.end else reach
        if len(self.data) > keep:
            self.data, self.first = self.data[-keep:] if keep else b"", False
