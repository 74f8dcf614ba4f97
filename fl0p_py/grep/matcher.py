"""Matcher: whether a pattern is in a window of bytes, exactly.

A window is a part of a stream: what comes before it and behind it may be unknown.  Literals are searched as
such; expressions by RE2, in time that grows with the window alone, or if it does not have them by `regex`.
`regex` and distances are stopped when they take too long (allowance.py).  RE2 cannot be, and takes up to
10 us for a byte where its states become too many: it is not begun if what it took before says that it will
not be done in time.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from fl0p_py.grep.allowance import TooSlowError, Turn
from fl0p_py.grep.distance import Distance
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
    after : what could be said when this much of it was there is known
    """

    data: bytes
    after: int = 0
    first: bool = True
    last: bool = True


class Matcher(Protocol):
    def find(self, window: Window, turn: Turn) -> Match | None:
        """The first match that was not known and that nothing to come can undo; raises TooSlowError."""


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

    def __init__(self, pattern: Pattern, behind: int) -> None:
        import regex

        flags = regex.MULTILINE | (regex.IGNORECASE if pattern.ignore_case else 0)
        text = pattern.text
        if behind:
            end = b"\n" if re.compile(text).flags & re.VERBOSE else b""  # of a comment
            text = b"(?:%b%b)(?s:.{%d})" % (text, end, behind)
        try:
            self._regex = regex.compile(text, flags)
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
    """An expression, as it was written and so that what decides on a match has to be there.

    For that, the bytes behind it are made a part of the match: of `ab*(?!c)`, `(?:ab*(?!c)).` finds in `abb`
    the part that it takes whatever comes.
    """

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern
        self._engines: dict[int, _Engine] = {}
        self._engine(0)

    def _engine(self, behind: int) -> _Engine:
        """For matches with so many bytes behind them."""
        if behind not in self._engines:
            self._engines[behind] = _engine(self._pattern, behind)
        return self._engines[behind]

    def find(self, window: Window, turn: Turn) -> Match | None:
        one = self._pattern.expression
        behind = 0 if window.last else one.ahead
        engine = self._engine(behind)
        new = window.after - one.ahead
        at = 0 if one.far else max(0, new - one.widest - one.behind)
        while at < len(window.data):
            found = _search(engine, window.data, at, turn)
            if found is None:
                return None
            start, end = found[0], found[1] - behind
            is_one = window.first or start > 0 or not one.behind
            if is_one and (end > new or (one.far and not self._was_known(window, start, turn))):
                return Match(start, end)
            at = start + 1
        return None

    def _was_known(self, window: Window, start: int, turn: Turn) -> bool:
        """Whether a match that starts there was one without what is new, which look-ahead may have seen."""
        engine = self._engine(self._pattern.expression.ahead)
        found = _search(engine, window.data[: window.after], start, turn)
        return found is not None and found[0] == start


def _search(engine: _Engine, data: bytes, at: int, turn: Turn) -> tuple[int, int] | None:
    try:
        return engine.search(data, at, turn.left_s())
    except TimeoutError:
        raise TooSlowError from None


class _Distance:
    def __init__(self, distance: Distance) -> None:
        self._distance = distance

    def find(self, window: Window, turn: Turn) -> Match | None:
        whole = window.first and window.last
        after = 0 if window.last else window.after
        found = self._distance.find(window.data, after, whole, turn.left_s)
        return None if found is None else Match(found.start, found.end, found.value)


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
        return _Expression(pattern)


def _engine(pattern: Pattern, behind: int) -> _Engine:
    """The best that has it, with so many bytes behind it as a part of each match; raises GrepError."""
    if pattern.expression.exact is not None:
        import re2

        with suppress(re2.error):
            end = f"(?s:.{{{behind}}})" if behind else ""
            return _Automaton(f"(?:{pattern.expression.exact}){end}")
    return _Backtracker(pattern, behind)
