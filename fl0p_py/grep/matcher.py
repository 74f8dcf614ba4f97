"""Matcher: whether a pattern is in a window of bytes, exactly.

A window is a part of a stream: what comes before it and behind it may be unknown.  Patterns that hyperscan
can express run there, in time that grows with the window alone; literals are searched as such; the rest run
in `regex`, which is stopped when it takes too long.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

import hyperscan
import regex

from fl0p_py.grep.distance import Distance
from fl0p_py.grep.expression import Expression
from fl0p_py.grep.pattern import GrepError, Pattern

PATIENCE_S = 0.05
"""How long `regex` may look at one window: several thousand times what a harmless pattern takes."""


PREPARED = 100
"""Matchers that are made at the start."""


class Match(NamedTuple):
    """start, end : in the window; start may be later than where a longer match would begin
    value      : of a distance, else None
    """

    start: int
    end: int
    value: float | None = None


class TooSlowError(Exception):
    """`regex` was stopped: it is not known whether there is a match."""


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
    def __init__(self, pattern: Pattern) -> None:
        flags = regex.MULTILINE | (regex.IGNORECASE if pattern.ignore_case else 0)
        self._expression = pattern.expression
        self._regex = regex.compile(pattern.text, flags)

    def find(self, window: Window) -> Match | None:
        at, end_s = _first_start(self._expression, window), time.monotonic() + PATIENCE_S
        while at < len(window.data):
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise TooSlowError
            try:
                found = self._regex.search(window.data, at, timeout=left_s)
            except TimeoutError:
                raise TooSlowError from None
            if found is None:
                return None
            if _counts(self._expression, window, *found.span()):
                return Match(*found.span())
            at = found.start() + 1
        return None


class _Distance:
    def __init__(self, distance: Distance) -> None:
        self._distance = distance

    def find(self, window: Window) -> Match | None:
        found = self._distance.find(window.data, window.after, window.first and window.last)
        return None if found is None else Match(found.start, found.end, found.value)


def _first_start(expression: Expression, window: Window) -> int:
    """Matches that end beyond `after` do not begin before it, nor does what decides on them."""
    return max(0, window.after - expression.widest - expression.behind)


def _counts(expression: Expression, window: Window, start: int, end: int) -> bool:
    """Whether a match is one: a new one, that does not take the window's ends for those of the stream."""
    if end <= window.after or (expression.ahead and not window.last and end == len(window.data)):
        return False
    return window.first or start > 0 or not expression.behind


def matcher_of(pattern: Pattern) -> Matcher:
    """The quickest that is exact; raises GrepError."""
    expression = pattern.expression
    if expression.literal is not None:
        return _Literal(expression.literal)
    if expression.exact is not None:
        with suppress(hyperscan.error):
            return _Hyperscan(expression, expression.exact)
    try:
        return _Regex(pattern)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise GrepError(f"{pattern.place}: '{pattern.shown}': {error}") from None


class Matchers:
    """Of patterns, and of a distance, whose number is that after the last pattern's; each is made when it is
    first asked for."""

    def __init__(self, patterns: Sequence[Pattern], distance: Distance | None) -> None:
        self._patterns, self._distance = patterns, distance
        self._made: dict[int, Matcher] = {}

    def prepare(self) -> None:
        """Make those that take time now: for a process that is in a hurry later, and to refuse the bad ones.

        Not more than PREPARED of them, since each may take hyperscan some ten milliseconds.
        """
        for number, pattern in enumerate(self._patterns[:PREPARED]):
            if pattern.expression.literal is None:
                self.of(number)

    def of(self, number: int) -> Matcher:
        matcher = self._made.get(number)
        if matcher is None:
            if number < len(self._patterns):
                matcher = matcher_of(self._patterns[number])
            else:
                assert self._distance is not None
                matcher = _Distance(self._distance)
            self._made[number] = matcher
        return matcher
