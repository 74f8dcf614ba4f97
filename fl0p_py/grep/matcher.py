"""Matcher: whether a pattern is in a window of bytes, exactly.

A window is a part of a stream: what comes before it and behind it may be unknown.  Literals are searched as
such; expressions by RE2, in time that grows with the window alone, or if it does not have them by `regex`.
`regex` and distances are stopped when they take too long (allowance.py).  RE2 cannot be, and takes up to
10 us for a byte where its states become too many: it is not begun if what it took before says that it will
not be done in time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from fl0p_py.grep.allowance import TooSlowError, Turn
from fl0p_py.grep.distance import Distance
from fl0p_py.grep.expression import Expression
from fl0p_py.grep.pattern import GrepError, Pattern

MOST_MADE = 4096
"""Matchers kept; the one that was not asked for longest is made anew when it is."""

MOST_MEMORY = 1 << 19
"""Of an automaton's states, in bytes; without them it is slower."""

CALL = 256
"""Bytes that an automaton searches in the time that a call takes."""

TRIED = 4096
"""Bytes of a long window, and how many are searched first to know what an automaton takes for such."""


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
    def find(self, window: Window, turn: Turn) -> Match | None:
        """The first match that ends beyond `after` and that nothing to come can undo; raises TooSlowError."""


class _Literal:
    def __init__(self, text: bytes) -> None:
        self._text = text

    def find(self, window: Window, turn: Turn) -> Match | None:
        start = window.data.find(self._text, max(0, window.after - len(self._text) + 1))
        return None if start < 0 else Match(start, start + len(self._text))


class _Engine(Protocol):
    """Finds the first match from a place on, as `re` does."""

    def search(self, data: bytes, at: int, left_s: float) -> tuple[int, int] | None:
        """Start and end; raises TimeoutError."""


class _Automaton:
    """RE2, whose time grows with the payload alone.  Raises re2.error for what it does not have."""

    def __init__(self, text: str) -> None:
        import re2

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.max_mem = MOST_MEMORY
        options.log_errors = False
        self._re2 = re2.compile(f"(?m){text}".encode(), options)
        self._byte_s = [0.0, 0.0]  # that it took at most: of short windows, of long ones

    def search(self, data: bytes, at: int, left_s: float) -> tuple[int, int] | None:
        size = len(data) - at
        is_long = size >= TRIED
        if is_long and not self._byte_s[True]:
            began_s = time.thread_time()
            self._timed(data, at, at + TRIED)
            left_s -= time.thread_time() - began_s
        if left_s < (size + CALL) * self._byte_s[is_long]:
            # Tried again once as much time was left unused as it needs.
            self._byte_s[is_long] -= max(left_s, 0.0) / (size + CALL)
            raise TimeoutError
        return self._timed(data, at, len(data))

    def _timed(self, data: bytes, at: int, stop: int) -> tuple[int, int] | None:
        began_s = time.thread_time()
        found = self._re2.search(data, at, stop)
        took_s = time.thread_time() - began_s
        span: tuple[int, int] | None = None if found is None else found.span()
        size = (stop if span is None else span[1]) - at
        is_long = size >= TRIED
        self._byte_s[is_long] = max(self._byte_s[is_long], took_s / (size + CALL))
        return span


class _Backtracker:
    """`regex`, with a time limit, which it may notice late: where a process has a limit on processor time,
    the clock goes in steps of 4 ms.  Raises GrepError for what it does not have.
    """

    def __init__(self, pattern: Pattern) -> None:
        import regex

        flags = regex.MULTILINE | (regex.IGNORECASE if pattern.ignore_case else 0)
        try:
            self._regex = regex.compile(pattern.text, flags)
        except (regex.error, OverflowError, RecursionError, MemoryError) as error:
            raise GrepError(f"{pattern.place}: '{pattern.shown}': {error}") from None
        self._late_s = 0.0  # that it was stopped too late, at most

    def search(self, data: bytes, at: int, left_s: float) -> tuple[int, int] | None:
        if left_s < self._late_s:
            self._late_s -= left_s  # as above
            raise TimeoutError
        began_s = time.thread_time()
        try:
            found = self._regex.search(data, at, timeout=left_s)
        except TimeoutError:
            self._late_s = max(self._late_s, time.thread_time() - began_s - left_s)
            raise
        return None if found is None else found.span()


class _Expression:
    def __init__(self, expression: Expression, engine: _Engine) -> None:
        self._expression, self._engine = expression, engine

    def find(self, window: Window, turn: Turn) -> Match | None:
        at = max(0, window.after - self._expression.widest - self._expression.behind)
        while at < len(window.data):
            try:
                found = self._engine.search(window.data, at, turn.left_s())
            except TimeoutError:
                raise TooSlowError from None
            if found is None:
                return None
            if _counts(self._expression, window, *found):
                return Match(*found)
            at = found[0] + 1
        return None


class _Distance:
    def __init__(self, distance: Distance) -> None:
        self._distance = distance

    def find(self, window: Window, turn: Turn) -> Match | None:
        whole = window.first and window.last
        found = self._distance.find(window.data, window.after, whole, turn.left_s)
        return None if found is None else Match(found.start, found.end, found.value)


def _counts(expression: Expression, window: Window, start: int, end: int) -> bool:
    """Whether a match is one: a new one, that does not take the window's ends for those of the stream."""
    if end <= window.after or (expression.ahead and not window.last and end == len(window.data)):
        return False
    return window.first or start > 0 or not expression.behind


class Matchers:
    """Of patterns, and of a distance, whose number is that after the last pattern's; each is made when it is
    first asked for, and a bounded number is kept."""

    def __init__(self, patterns: Sequence[Pattern], distance: Distance | None) -> None:
        self._patterns, self._distance = patterns, distance
        self._made: OrderedDict[int, Matcher] = OrderedDict()

    def prepare(self) -> None:
        """Refuse what no engine has, and import those: where they run there may be no files any more."""
        expressions = [one for one in enumerate(self._patterns) if one[1].expression.literal is None]
        if expressions:
            import re2  # noqa: F401
            import regex  # noqa: F401
        for number, pattern in expressions:
            if pattern.expression.exact is None:
                self._of(number)

    def find(self, number: int, window: Window, turn: Turn) -> Match | None:
        """The next look of a turn; see Matcher."""
        matcher = self._of(number)
        turn.look()
        return matcher.find(window, turn)

    def _of(self, number: int) -> Matcher:
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
            return _Distance(self._distance)
        pattern = self._patterns[number]
        expression = pattern.expression
        if expression.literal is not None:
            return _Literal(expression.literal)
        return _Expression(expression, _engine(pattern))


def _engine(pattern: Pattern) -> _Engine:
    """The best that has it; raises GrepError."""
    if pattern.expression.exact is not None:
        import re2

        with suppress(re2.error):
            return _Automaton(pattern.expression.exact)
    return _Backtracker(pattern)
