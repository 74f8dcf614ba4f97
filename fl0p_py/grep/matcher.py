"""Matcher: whether a pattern is in a window of bytes, exactly.

A window is a part of a stream: what comes before it and behind it may be unknown.  Patterns that hyperscan
can express run there, in time that grows with the window alone; literals are searched as such; the rest, and
those of very many, run in `regex`.  That and distances are stopped when they take too long (allowance.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

import hyperscan

from fl0p_py.grep.allowance import Allowance, TooSlowError
from fl0p_py.grep.distance import Distance
from fl0p_py.grep.expression import Expression
from fl0p_py.grep.pattern import GrepError, Pattern

PREPARED = 100
"""Matchers that are made at the start."""

MOST_OF_HYPERSCAN = 1000
"""Matchers that are made of hyperscan: each takes 15 ms and 30 KB; one of `regex` a hundredth, and 10 KB."""

MOST_MADE = 8192
"""Matchers kept; the one that was not asked for longest is made anew when it is."""


class Match(NamedTuple):
    """start, end : in the window; start may be later than where a longer match would begin
    value      : of a distance, else None
    """

    start: int
    end: int
    value: float | None = None


class Window(NamedTuple):
    """data : the bytes; first, last : nothing comes before it, behind it
    after : matches that end up to here are known
    """

    data: bytes
    after: int = 0
    first: bool = True
    last: bool = True


class Matcher(Protocol):
    def find(self, window: Window) -> Match | None:
        """The first match that ends beyond `after` and that nothing to come can undo; raises TooSlowError."""


class _Literal:
    def __init__(self, text: bytes) -> None:
        self._text = text

    def find(self, window: Window) -> Match | None:
        start = window.data.find(self._text, max(0, window.after - len(self._text) + 1))
        return None if start < 0 else Match(start, start + len(self._text))


class _Hyperscan:
    """Raises hyperscan.error for what it does not have."""

    def __init__(self, expression: Expression, text: str) -> None:
        self._expression = expression
        self._database = hyperscan.Database()
        self._knows_start = True
        try:
            self._compile(text, hyperscan.HS_FLAG_SOM_LEFTMOST)
        except hyperscan.error:
            self._compile(text, 0)
            self._knows_start = False

    def _compile(self, text: str, flag: int) -> None:
        flags = hyperscan.HS_FLAG_MULTILINE | flag
        self._database.compile(expressions=[text.encode()], ids=[0], elements=1, flags=flags)

    def find(self, window: Window) -> Match | None:
        found: list[Match] = []
        cut = _first_start(self._expression, window)
        view = (
            window._replace(data=window.data[cut:], after=window.after - cut, first=False) if cut else window
        )

        def hit(number: int, start: int, end: int, flags: int, context: object) -> bool | None:
            begin = start if self._knows_start else end - 1
            if not _counts(self._expression, view, begin, end):
                return None
            found.append(Match(begin + cut, end + cut))
            return True

        try:
            self._database.scan(view.data, match_event_handler=hit)
        except hyperscan.ScanTerminated:
            return found[0]
        return None


class _Regex:
    """Raises GrepError for what it does not have."""

    def __init__(self, pattern: Pattern, allowance: Allowance) -> None:
        import regex  # takes a while, and most patterns do without

        self._expression, self._allowance = pattern.expression, allowance
        flags = regex.MULTILINE | (regex.IGNORECASE if pattern.ignore_case else 0)
        try:
            self._regex = regex.compile(pattern.text, flags)
        except (regex.error, OverflowError, RecursionError, MemoryError) as error:
            raise GrepError(f"{pattern.place}: '{pattern.shown}': {error}") from None

    def find(self, window: Window) -> Match | None:
        at = _first_start(self._expression, window)
        with self._allowance.look() as look:
            while at < len(window.data):
                try:
                    found = self._regex.search(window.data, at, timeout=look.left_s())
                except TimeoutError:
                    raise TooSlowError from None
                if found is None:
                    return None
                if _counts(self._expression, window, *found.span()):
                    return Match(*found.span())
                at = found.start() + 1
        return None


class _Distance:
    def __init__(self, distance: Distance, allowance: Allowance) -> None:
        self._distance, self._allowance = distance, allowance

    def find(self, window: Window) -> Match | None:
        whole = window.first and window.last
        with self._allowance.look() as look:
            found = self._distance.find(window.data, window.after, whole, look.left_s)
        return None if found is None else Match(found.start, found.end, found.value)


def _first_start(expression: Expression, window: Window) -> int:
    """Matches that end beyond `after` do not begin before it, nor does what decides on them."""
    return max(0, window.after - expression.widest - expression.behind)


def _counts(expression: Expression, window: Window, start: int, end: int) -> bool:
    """Whether a match is one: a new one, that does not take the window's ends for those of the stream."""
    if end <= window.after or (expression.ahead and not window.last and end == len(window.data)):
        return False
    return window.first or start > 0 or not expression.behind


class Matchers:
    """Of patterns, and of a distance, whose number is that after the last pattern's; each is made when it is
    first asked for, and a bounded number is kept."""

    def __init__(self, patterns: Sequence[Pattern], distance: Distance | None, allowance: Allowance) -> None:
        self._patterns, self._distance, self._allowance = patterns, distance, allowance
        self._made: OrderedDict[int, Matcher] = OrderedDict()
        self._of_hyperscan = 0

    def prepare(self) -> None:
        """Make those that take time now: for a process that is in a hurry later, and to refuse the bad ones.

        Not more than PREPARED of them, since each may take hyperscan some ten milliseconds.
        """
        for number, pattern in enumerate(self._patterns[:PREPARED]):
            if pattern.expression.literal is None:
                self.of(number)
        if any(pattern.expression.literal is None for pattern in self._patterns):
            import regex  # noqa: F401 - it could not be imported where there are no files any more

    def of(self, number: int) -> Matcher:
        matcher = self._made.get(number)
        if matcher is None:
            matcher = self._made[number] = self._make(number)
            if len(self._made) > MOST_MADE:
                self._made.popitem(last=False)
        self._made.move_to_end(number)
        return matcher

    def _make(self, number: int) -> Matcher:
        """The quickest that is exact; raises GrepError."""
        if number == len(self._patterns):
            assert self._distance is not None
            return _Distance(self._distance, self._allowance)
        pattern = self._patterns[number]
        expression = pattern.expression
        if expression.literal is not None:
            return _Literal(expression.literal)
        if expression.exact is not None and self._of_hyperscan < MOST_OF_HYPERSCAN:
            self._of_hyperscan += 1
            with suppress(hyperscan.error):
                return _Hyperscan(expression, expression.exact)
        return _Regex(pattern, self._allowance)
