"""Matcher: whether a pattern is in a window of bytes, exactly.

A window is a part of a stream: what comes before it and behind it may be unknown.  Literals are searched as
such; expressions by RE2, in time that grows with the window alone, or if it does not have them by `regex`.
Expressions and distances are stopped when they take too long (allowance.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from fl0p_py.grep.allowance import Allowance, TooSlowError
from fl0p_py.grep.distance import Distance
from fl0p_py.grep.expression import Expression
from fl0p_py.grep.pattern import GrepError, Pattern

MOST_MADE = 4096
"""Matchers kept; the one that was not asked for longest is made anew when it is."""

MOST_MEMORY = 1 << 19
"""Of an automaton's states, in bytes; without them it is slower."""


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

    def search(self, data: bytes, at: int, left_s: float) -> tuple[int, int] | None:
        found = self._re2.search(data, at)
        return None if found is None else found.span()


class _Backtracker:
    """`regex`, with a time limit.  Raises GrepError for what it does not have."""

    def __init__(self, pattern: Pattern) -> None:
        import regex

        flags = regex.MULTILINE | (regex.IGNORECASE if pattern.ignore_case else 0)
        try:
            self._regex = regex.compile(pattern.text, flags)
        except (regex.error, OverflowError, RecursionError, MemoryError) as error:
            raise GrepError(f"{pattern.place}: '{pattern.shown}': {error}") from None

    def search(self, data: bytes, at: int, left_s: float) -> tuple[int, int] | None:
        found = self._regex.search(data, at, timeout=left_s)
        return None if found is None else found.span()


class _Expression:
    def __init__(self, expression: Expression, engine: _Engine, allowance: Allowance) -> None:
        self._expression, self._engine, self._allowance = expression, engine, allowance

    def find(self, window: Window) -> Match | None:
        at = max(0, window.after - self._expression.widest - self._expression.behind)
        with self._allowance.look() as look:
            while at < len(window.data):
                try:
                    found = self._engine.search(window.data, at, look.left_s())
                except TimeoutError:
                    raise TooSlowError from None
                if found is None:
                    return None
                if _counts(self._expression, window, *found):
                    return Match(*found)
                at = found[0] + 1
        return None


class _Distance:
    def __init__(self, distance: Distance, allowance: Allowance) -> None:
        self._distance, self._allowance = distance, allowance

    def find(self, window: Window) -> Match | None:
        whole = window.first and window.last
        with self._allowance.look() as look:
            found = self._distance.find(window.data, window.after, whole, look.left_s)
        return None if found is None else Match(found.start, found.end, found.value)


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

    def prepare(self) -> None:
        """Refuse what no engine has, and import those: where they run there may be no files any more."""
        expressions = [one for one in enumerate(self._patterns) if one[1].expression.literal is None]
        if expressions:
            import re2  # noqa: F401
            import regex  # noqa: F401
        for number, pattern in expressions:
            if pattern.expression.exact is None:
                self.of(number)

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
        return _Expression(expression, _engine(pattern), self._allowance)


def _engine(pattern: Pattern) -> _Engine:
    """The best that has it; raises GrepError."""
    if pattern.expression.exact is not None:
        import re2

        with suppress(re2.error):
            return _Automaton(pattern.expression.exact)
    return _Backtracker(pattern)
