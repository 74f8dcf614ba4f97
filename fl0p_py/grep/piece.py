"""Piece: a literal that is looked for everywhere, to know where a pattern may be.

Of a pattern a few literals are chosen, one of which is in every match: a run of bytes that have to follow
each other, small classes written out, or one such run of each alternative.  Where none of them is, the
pattern is not.  A pattern without such a run, `[a-z]+`, has no piece.

Only literals, since hyperscan is given nothing else: with classes and repeats it may use engines that read
backwards, and one of them writes payload over its stack (rvermicelliDoubleExec() of Vectorscan 5.4, which
copies the whole buffer instead of what is left of it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, product
from math import log2
from re import _constants as sre  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from fl0p_py.grep.tree import (
    ONE_BYTE,
    REPEATS,
    UNBOUNDED,
    Node,
    both_cases,
    flags,
    members,
    narrowest,
    widest,
)

LONGEST_PIECE = 64
"""Bytes.  More tell no more: what a piece finds is looked at again."""

MOST_PIECES = 128
"""Of one pattern."""

FAR = 512
"""A piece that may end so far behind the start of a match says little about where that is."""

ENOUGH = 40.0
LEAST = 8.0
"""Bits that a piece tells: with as many no more are needed; with less it is everywhere."""

MOST_ITEMS = 1024
"""Bytes, gaps and branches of a row that are looked at, its repeats written out."""


class Piece(NamedTuple):
    """either_case : of ASCII letters"""

    text: bytes
    either_case: bool


class _Gap(NamedTuple):
    """What is between runs takes so many bytes."""

    low: int
    high: int


class _Ways(NamedTuple):
    """Alternatives; case, dot : (?i) and (?s) hold."""

    ways: Sequence[Sequence[Node]]
    case: bool
    dot: bool


@dataclass(slots=True)
class _Place:
    """Where the walk through a row is.

    cut   : whether a repeat that comes now is at the start, and may be shortened to the least
    again : what a repeat has at its end, as it stands before whatever follows
    """

    cut: bool
    again: list[frozenset[int]]


_Item = frozenset[int] | _Gap | _Ways


@dataclass(frozen=True, slots=True)
class Choice:
    """pieces : one of these is in every match, and ends at most `span` bytes behind its start
    bits  : that finding one tells; whole : what has one of them in it matches"""

    pieces: frozenset[Piece]
    span: int
    bits: float
    whole: bool

    @property
    def rank(self) -> tuple[bool, float, bool, int]:
        return self.span < FAR, min(self.bits, ENOUGH), self.whole, -self.span


class Chooser:
    """most : pieces of a pattern; cut : what is repeated at its start may be shortened to the least"""

    def __init__(self, state: Any, most: int, cut: bool) -> None:
        self._state, self._most, self._cut = state, most, cut
        self._known: dict[tuple[int, bool, bool, bool], Choice | None] = {}  # of ways, which may be repeated

    def best(self, nodes: Sequence[Node], case: bool, dot: bool) -> Choice | None:
        choice = self._row(nodes, case, dot, self._cut)
        return choice if choice is not None and choice.bits >= LEAST else None

    def _row(self, nodes: Sequence[Node], case: bool, dot: bool, cut: bool) -> Choice | None:
        items = list(islice(self._items(nodes, case, dot, _Place(cut, [])), MOST_ITEMS))
        rests = [*accumulate(map(self._least, reversed(items)), initial=int(len(items) == MOST_ITEMS))][::-1]
        found: list[Choice] = []
        run: list[frozenset[int]] = []
        before = 0
        for place, item in enumerate([*items, _Gap(0, 0)]):
            if isinstance(item, frozenset):
                run.append(item)
                continue
            found += _of_run(run, before, self._most, place == len(run) and not rests[place])
            before += len(run)
            run = []
            if isinstance(item, _Gap):
                before += item.high
                continue
            choice = self._of_ways(item, cut and place == 0)
            if choice is not None:
                whole = choice.whole and place == 0 and not rests[1]
                found.append(Choice(choice.pieces, before + choice.span, choice.bits, whole))
            before += max(widest(self._state, way) for way in item.ways)
        return max(found, key=lambda choice: choice.rank, default=None)

    def _least(self, item: _Item) -> int:
        """Bytes that it takes."""
        if isinstance(item, _Ways):
            return min(narrowest(self._state, way) for way in item.ways)
        return item.low if isinstance(item, _Gap) else 1

    def _of_ways(self, item: _Ways, cut: bool) -> Choice | None:
        choices: list[Choice] = []
        for way in item.ways:
            key = (id(way), item.case, item.dot, cut)
            if key not in self._known:
                self._known[key] = self._row(way, item.case, item.dot, cut)
            choice = self._known[key]
            if choice is None:
                return None
            choices.append(choice)
        pieces = frozenset(piece for choice in choices for piece in choice.pieces)
        if len(pieces) > self._most:
            return None
        bits = min(choice.bits for choice in choices) - log2(len(choices))
        span = max(choice.span for choice in choices)
        return Choice(pieces, span, bits, all(choice.whole for choice in choices))

    def _items(self, nodes: Sequence[Node], case: bool, dot: bool, at: _Place) -> Iterator[_Item]:
        """Bytes as the sets of what they may be, and what is between them."""
        for operator, value in nodes:
            if operator in ONE_BYTE:
                yield from at.again
                at.cut, at.again = False, []
                yield members(operator, value, case, dot)
            elif operator is sre.SUBPATTERN:
                yield from self._items(value[3], *flags(value, case, dot), at)
            elif operator is sre.ATOMIC_GROUP:
                yield from self._items(value, case, dot, at)
            elif operator in REPEATS:
                yield from self._repeat(value, case, dot, at)
            elif operator not in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
                yield from at.again
                at.cut, at.again = False, []
                node = [(operator, value)]
                if operator is sre.BRANCH:
                    yield _Ways(value[1], case, dot)
                else:
                    yield _Gap(narrowest(self._state, node), widest(self._state, node))

    def _repeat(self, value: Any, case: bool, dot: bool, at: _Place) -> Iterator[_Item]:
        low, high, body = value
        shortened = at.cut
        copies = min(int(low), MOST_ITEMS)
        for _ in range(copies):
            yield from self._items(body, case, dot, at)
        if low == high == copies or (shortened and low == copies):
            return
        size = widest(self._state, body)
        more = UNBOUNDED if high is sre.MAXREPEAT else int(high) - copies
        at.cut, at.again = False, []
        yield _Gap((low - copies) * narrowest(self._state, body), min(UNBOUNDED, more * size))
        if copies:
            at.again = _last(islice(self._items(body, case, dot, _Place(False, [])), LONGEST_PIECE + 1))


def _last(items: Iterable[_Item]) -> list[frozenset[int]]:
    """The bytes that all of it ends with, if it is no more than a piece takes."""
    found: list[frozenset[int]] = []
    for item in items:
        found = [*found, item] if isinstance(item, frozenset) else []
    return found if len(found) <= LONGEST_PIECE else []


def _of_run(run: Sequence[frozenset[int]], before: int, most: int, alone: bool) -> Iterator[Choice]:
    """Parts of a run that can be written out; alone : there is nothing else in the pattern."""
    stop, ways = 0, 1
    told = 0
    for start in range(len(run)):
        while stop < len(run) and stop - start < LONGEST_PIECE and ways * _ways_of(run[stop]) <= most:
            ways *= _ways_of(run[stop])
            stop += 1
        if stop > max(start, told):
            told = stop
            part = run[start:stop]
            bits = sum(log2(256 / len(one)) for one in part)
            yield Choice(_written_out(part), before + stop, bits, alone and len(part) == len(run))
            if bits >= ENOUGH:
                return
        if stop > start:
            ways //= _ways_of(run[start])
        stop = max(stop, start + 1)


def _is_pair(some: frozenset[int]) -> bool:
    """Whether it is one letter in both cases, or one byte."""
    return len(some) == 1 or (len(some) == 2 and some == both_cases({min(some)}))


def _ways_of(some: frozenset[int]) -> int:
    return 1 if _is_pair(some) else len(some)


def _written_out(part: Sequence[frozenset[int]]) -> frozenset[Piece]:
    either_case = any(len(some) == 2 and _is_pair(some) for some in part)
    ways = product(*([min(some)] if _is_pair(some) else sorted(some) for some in part))
    return frozenset(Piece(bytes(way), either_case) for way in ways)
