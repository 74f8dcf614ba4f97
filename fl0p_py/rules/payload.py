"""PayloadTest: whether contents, expressions and isdataat of a rule hold in a piece of payload.

Suricata's way: options are tried in written order; a relative one starts where the match before it ended, and
if it fails the one before is tried further on.  On a stream the piece begins with bytes that were inspected
before (the tail), and at least one match has to reach beyond them, so that no byte counts twice.

Work is bounded: STEPS matches tried for one rule on one piece, and PATIENCE_S for all its expressions, which
becomes less when they take much time on many pieces: whoever sends such pieces sends many.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import Enum

from fl0p_py.rules.content import Content, IsDataAt
from fl0p_py.rules.flow_state import FlowState
from fl0p_py.rules.moment import Piece
from fl0p_py.rules.pcre import Pcre, compiled
from fl0p_py.rules.rule import BYTES, Option

STEPS = 3000
"""As many as Suricata tries (inspection-recursion-limit)."""

PATIENCE_S, LEAST_PATIENCE_S = 0.05, 0.001
OWED_S = 0.5
"""Time that is owed after which patience is half; after twice as much a third, and so on."""

CREDIT_S = 0.0001
"""Time of each piece that is not owed, and that pays off what is."""

Tested = Content | IsDataAt | Pcre


class Origin(Enum):
    """Where the places of a rule's options count from."""

    NOWHERE = 0  # none of them counts from a beginning
    SEGMENTS = 1  # the first new byte of each segment, and the beginning of the stream
    STREAM = 2  # the beginning of the stream


class PayloadTest:
    """options : of the rule, in written order; those that do not look at bytes are skipped

    origin   : of places; given_up : pieces on which the bounds were reached; they count as not matching
    owed_s   : time that the expressions have taken beyond their credit
    """

    def __init__(self, options: Sequence[Option]) -> None:
        self.options: tuple[Tested, ...] = tuple(option for option in options if isinstance(option, BYTES))
        self.given_up = 0
        self.owed_s = 0.0
        self.origin = _origin(options)
        self._followed = [_is_relative(option) for option in self.options[1:]] + [False]
        for i in reversed(range(len(self._followed) - 1)):
            if not _finds(self.options[i + 1]):  # the place stays as it is: who comes behind may need it
                self._followed[i] = self._followed[i] or self._followed[i + 1]

    def failed(self, piece: Piece) -> Tested | None:
        """None if all hold; else the last option that was reached."""
        if self.origin is Origin.NOWHERE:
            return self._failed(piece.data, piece.tail)
        starts = {0} if piece.begins else set()
        if self.origin is Origin.SEGMENTS:
            starts.update(piece.segments)
        failed: Tested | None = self.options[0]
        for start in sorted(starts):
            failed = self._failed(piece.data[start:], max(0, piece.tail - start))
            if failed is None:
                return None
        return failed

    def _failed(self, data: bytes, tail: int) -> Tested | None:
        trial = _Trial(self, data, tail)
        holds = trial.holds(0, 0, tail == 0)
        self.owed_s = max(0.0, self.owed_s + trial.spent_s - CREDIT_S)
        if holds:
            return None
        self.given_up += trial.given_up
        return self.options[trial.deepest]

    @property
    def patience_s(self) -> float:
        """For the expressions, on the next piece."""
        return max(LEAST_PATIENCE_S, PATIENCE_S / (1 + self.owed_s / OWED_S))

    def followed(self, i: int) -> bool:
        """Whether a later option is placed by where this one matched."""
        return self._followed[i]


def _finds(option: Tested) -> bool:
    """It has a place where it matches."""
    return not isinstance(option, IsDataAt) and not option.negated


def _is_relative(option: Tested) -> bool:
    return option.relative


def _origin(options: Sequence[Option]) -> Origin:
    """As in Suricata: offset, depth and startswith are of packets too, ^ is of streams alone."""
    tested = [option for option in options if isinstance(option, BYTES)]
    placed = any(isinstance(option, Content) and _placed(option) for option in tested)
    on_stream = any(isinstance(option, FlowState) and option.scope == "only_stream" for option in options)
    if any(isinstance(option, Pcre) and _anchored(option) for option in tested) or (placed and on_stream):
        return Origin.SEGMENTS if placed and not on_stream else Origin.STREAM
    ends = any(isinstance(option, IsDataAt) and not option.relative for option in tested)
    return Origin.SEGMENTS if placed or ends or not any(map(_finds, tested)) else Origin.NOWHERE


def _placed(option: Content) -> bool:
    return option.offset is not None or option.depth is not None or option.startswith


def _anchored(option: Pcre) -> bool:
    """It matches at the very beginning alone."""
    if option.relative:
        return False
    return option.expression.startswith("\\A") or (
        option.expression.startswith("^") and "m" not in option.modifiers
    )


class _Trial:
    """One piece under test.

    deepest : the farthest option that failed; spent_s : in expressions; given_up : the bounds were reached
    """

    def __init__(self, test: PayloadTest, piece: bytes, tail: int) -> None:
        self._test, self._piece, self._tail = test, piece, tail
        self._lower: bytes | None = None
        self._steps = 0
        self._until_s = 0.0
        self.spent_s = 0.0
        self.deepest = 0
        self.given_up = False

    def holds(self, i: int, end: int, fresh: bool) -> bool:
        """Whether the options from the i-th on hold, after a match that ended at `end`.

        fresh : a match has reached beyond the tail
        """
        options = self._test.options
        if i == len(options):
            self.deepest = max(self.deepest, i - 1)
            return fresh
        self.deepest = max(self.deepest, i)
        option = options[i]
        if isinstance(option, IsDataAt):
            return _is_data_at(option, len(self._piece), end) and self.holds(i + 1, end, fresh)
        if option.negated:
            return not self._any(option, end) and self.holds(i + 1, end, fresh)
        if isinstance(option, Content):
            return self._content(option, i, end, fresh)
        return self._pcre(option, i, end, fresh)

    def _any(self, option: Content | Pcre, end: int) -> bool:
        if isinstance(option, Pcre):
            return self._search(option, end if option.relative else 0) is not None
        data, pattern = self._sides(option)
        start, stop = _region(option, end, len(data))
        if option.endswith:
            return _ends_with(data, pattern, start, stop)
        return start <= stop and data.find(pattern, start, stop) >= 0

    def _content(self, option: Content, i: int, end: int, fresh: bool) -> bool:
        data, pattern = self._sides(option)
        start, stop = _region(option, end, len(data))
        if start > stop:
            return False
        if option.endswith:
            return _ends_with(data, pattern, start, stop) and self._goes_on(i, len(data), fresh)
        if not self._test.followed(i):
            at = data.rfind(pattern, start, stop)  # the last one reaches farthest beyond the tail
            return at >= 0 and self._goes_on(i, at + len(pattern), fresh)
        at = data.find(pattern, start, stop)
        while at >= 0:
            if self._goes_on(i, at + len(pattern), fresh):
                return True
            if not self._step():
                return False
            at = data.find(pattern, at + 1, stop)
        return False

    def _pcre(self, option: Pcre, i: int, end: int, fresh: bool) -> bool:
        at = end if option.relative else 0
        while True:
            found = self._search(option, at)
            if found is None:
                return False
            if self._goes_on(i, found[1], fresh):
                return True
            if (fresh and not self._test.followed(i)) or not self._step():
                return False
            at = found[0] + 1
            if at > len(self._piece):
                return False

    def _goes_on(self, i: int, end: int, fresh: bool) -> bool:
        return self.holds(i + 1, end, fresh or end > self._tail)

    def _search(self, option: Pcre, at: int) -> tuple[int, int] | None:
        """The first match from `at` on; ^ is there."""
        now_s = time.monotonic()
        self._until_s = self._until_s or now_s + self._test.patience_s
        if now_s >= self._until_s:
            self.given_up = True
            return None
        try:
            found = compiled(option.expression, option.modifiers).search(
                self._piece[at:], timeout=self._until_s - now_s
            )
        except TimeoutError:
            self.given_up = True
            return None
        finally:
            self.spent_s += time.monotonic() - now_s
        return None if found is None else (at + found.start(), at + found.end())

    def _sides(self, option: Content) -> tuple[bytes, bytes]:
        """What is searched, and what for."""
        if not option.nocase:
            return self._piece, option.pattern
        if self._lower is None:
            self._lower = self._piece.lower()
        return self._lower, option.pattern.lower()

    def _step(self) -> bool:
        """One more match to try; False when it is enough."""
        self._steps += 1
        self.given_up = self.given_up or self._steps >= STEPS
        return self._steps < STEPS


def _region(option: Content, end: int, size: int) -> tuple[int, int]:
    """Where the content may lie: [start, stop) of a piece of `size` bytes."""
    if option.relative:
        from_ = end + (option.distance or 0)
        stop = size if option.within is None else min(size, from_ + option.within)
        return max(0, from_), stop
    if option.startswith:
        return 0, min(size, len(option.pattern))
    start = option.offset or 0
    return start, size if option.depth is None else min(size, start + option.depth)


def _ends_with(data: bytes, pattern: bytes, start: int, stop: int) -> bool:
    """Whether the pattern is the end of all, and lies in [start, stop)."""
    return stop == len(data) and data.endswith(pattern, start)


def _is_data_at(option: IsDataAt, size: int, end: int) -> bool:
    there = end + option.offset <= size if option.relative else option.offset < size
    return there is not option.negated
