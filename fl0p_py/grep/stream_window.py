"""Stream window: the part of a followed stream in which a match may still begin."""

from __future__ import annotations

from dataclasses import dataclass, field

from fl0p_py.grep.need import LONGEST_MATCH


@dataclass(slots=True)
class StreamWindow:
    """The last bytes of one direction of a flow.

    serial : of the flow; data : the bytes; end : offset behind them; first : they are the stream's first
    until  : offset up to which the stream is followed
    slow   : patterns that were given up on it
    """

    serial: int
    data: bytes = b""
    end: int = 0
    first: bool = True
    until: int = 0
    slow: set[int] = field(default_factory=set)

    def add(self, data: bytes, offset: int) -> None:
        """What comes next, at `offset`."""
        self.data += data
        self.end = offset + len(data)

    def gap(self, end: int) -> None:
        """Bytes up to `end` never came: no match goes over them."""
        self.data, self.end, self.first = b"", end, False

    def trim(self, reach: int) -> None:
        """Keep what may be needed: all up to LONGEST_MATCH while it is followed, else `reach` bytes."""
        keep = LONGEST_MATCH if self.until > self.end else reach
        if len(self.data) > keep:
            self.data, self.first = self.data[-keep:] if keep else b"", False
