"""Stream window: the part of a followed stream in which a match may still begin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fl0p_py.grep.allowance import Purse
from fl0p_py.grep.finder import Finder
from fl0p_py.grep.need import LONGEST_MATCH, Need


@dataclass(slots=True)
class StreamWindow:
    """The last bytes of one direction of a flow.

    serial : of the flow; data : the bytes; end : offset behind them; first : they are the stream's first
    known  : offset up to which matches are known
    seen   : by the number of a pattern, offset where a piece of it ended last; up to offset `scanned`
    until  : offset up to which the stream is followed
    slow   : patterns that were given up on it
    purse  : what looking at it may take
    """

    serial: int
    data: bytes = b""
    end: int = 0
    first: bool = True
    known: int = 0
    seen: dict[int, int] = field(default_factory=dict)
    scanned: int = 0
    until: int = 0
    slow: set[int] = field(default_factory=set)
    purse: Purse = field(default_factory=Purse)

    def add(self, data: bytes, offset: int) -> None:
        """What comes next, at `offset`."""
        self.data += data
        self.known = offset
        self.end = offset + len(data)

    def which(self, finder: Finder, needs: Sequence[Need]) -> Sequence[int]:
        """Numbers of the patterns of which a match may end in what is new, ascending; the rest is known."""
        start = self.end - len(self.data)
        at = max(start, self.scanned - finder.overlap)
        self.seen |= finder.seen(self.data[at - start :], at)
        self.seen = {
            number: end
            for number, end in self.seen.items()
            if end > start and (needs[number].always or end + needs[number].follow > self.known)
        }
        self.scanned = self.end
        return finder.among(self.seen)

    def follow(self, numbers: Iterable[int], needs: Sequence[Need]) -> None:
        """Be followed until no match of these can come any more."""
        ends = (self.seen[number] + needs[number].follow for number in numbers if number in self.seen)
        self.until = max(self.until, *ends, 0)

    def gap(self, end: int) -> None:
        """Bytes up to `end` never came: no match goes over them."""
        self.data, self.end, self.first = b"", end, False

    def trim(self, reach: int, follow: int) -> None:
        """Keep what may be needed: `reach` bytes, and so many more while it is followed; see Need."""
        keep = min(LONGEST_MATCH, reach + follow) if self.until > self.end else reach
        if len(self.data) > keep:
            self.data, self.first = self.data[-keep:] if keep else b"", False
