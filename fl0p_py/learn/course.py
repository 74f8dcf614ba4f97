"""Course: how a conversation runs, turn by turn; a pattern as it is searched for.

A course is a row of steps, each one turn (`Turn`) or an exchange that comes several times
(`Rounds`).  It is tried on the matrix of `Turns` a step at a time, on all flows at once, so that a
longer course costs only what the shorter one has left over; and it is written as a Pattern of the
signature language.  What the matrix says of a course is what the matcher will say, but for bursts at
the edges of what was captured: whatever is proposed is tried by the matcher in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.turn import MAX_TOKENS, Turns
from fl0p_py.signature.pattern import (
    MAX_REPEAT,
    Choice,
    Gap,
    Item,
    Pattern,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Size,
)
from fl0p_py.signature.specificity import PAUSE, size_bits

Array = NDArray[Any]
Ports = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn.

    sizes : of its tokens, one after the other; of the sum, if `burst` (with `inner` ANY of the parts between
            its pauses); of each of `low` to `high` tokens with or without pauses, if `run`
    gap   : the pause before it; inner : between its tokens, NONE or ANY
    opening : the turn may go on behind its tokens, since nothing is asked of what comes next
    closing : it may have begun before its one token, since nothing is asked of what came before
    """

    client: bool
    sizes: tuple[Size, ...]
    gap: Gap = Gap.ANY
    inner: Gap = Gap.NONE
    burst: bool = False
    run: bool = False
    opening: bool = False
    closing: bool = False
    low: int = 1
    high: int = 1

    def among(self, turns: Turns, at: Array, exact: bool) -> Array:
        """Those of the flat indices at which such a turn is.  exact : without tolerance"""
        if not at.size:
            return at
        sizes = self.sizes if exact else tuple(size.tolerant() for size in self.sizes)
        at = self._sized(turns, at, sizes[0])  # first, since it leaves few
        if not at.size:
            return at
        if self.gap is not Gap.ANY:
            at = at[turns.pause.take(at) == (self.gap is Gap.SOME)]
        if self.run:
            return at[_inside(turns.count.take(at), self.low, self.high)]
        if self.inner is Gap.NONE and not (len(sizes) == 1 and (self.opening or self.closing)):
            at = at[turns.inner.take(at) == 0]
        if not self.burst and not self.closing:
            count = turns.count.take(at)
            at = at[(count >= len(sizes)) if self.opening else (count == len(sizes))]
            for number, bounds in enumerate(sizes[1:], 1):
                at = at[_inside(turns.tokens.take(at * MAX_TOKENS + number), bounds.low, bounds.high)]
        return at

    def _sized(self, turns: Turns, at: Array, bounds: Size) -> Array:
        """Those at which the size that tells most is within bounds, so that there is a turn at all."""
        if self.run:
            at = at[turns.smallest.take(at) >= bounds.low]
            return at[turns.largest.take(at) <= bounds.high]
        if self.burst:
            at = at[_inside(turns.total.take(at), bounds.low, bounds.high)]
            if self.inner is Gap.ANY:  # several bursts: none is smaller than the smallest token
                at = at[(turns.inner.take(at) == 0) | (turns.smallest.take(at) >= bounds.low)]
            return at
        if self.closing:
            return at[_inside(turns.final.take(at), bounds.low, bounds.high)]
        return at[_inside(turns.tokens.take(at * MAX_TOKENS), bounds.low, bounds.high)]

    @property
    def most_bits(self) -> float:
        """What it can say at most, as specificity.py counts."""
        return (sum(map(size_bits, self.sizes)) + PAUSE * len(self.sizes)) * (self.low if self.run else 1)

    def resized(self, change: Callable[[Size], Size]) -> Turn:
        return replace(self, sizes=tuple(map(change, self.sizes)))

    def items(self) -> tuple[Item, ...]:
        direction = "c" if self.client else "s"
        segments = tuple(Segment(direction, size, self.burst) for size in self.sizes)
        if not self.run:
            between = _paused(self.inner)
            return tuple(item for segment in segments for item in (*between, segment))[len(between) :]
        if self.high == 1:
            return segments
        again = Choice((Sequence((Pause(Gap.ANY), segments[0])),))
        return segments[0], Repeat(again, self.low - 1, min(self.high - 1, MAX_REPEAT))


@dataclass(frozen=True, slots=True)
class Rounds:
    """Two turns, `low` to `high` times in a row; high None: any number from `low` on.

    turns : a single one, where it is only written (consensus.py) and not tried on a matrix
    mixed : written as bursts of either side in any order
    """

    turns: tuple[Turn, ...]
    low: int
    high: int | None
    mixed: bool = False

    @property
    def most_bits(self) -> float:
        return self.low * sum(turn.most_bits for turn in self.turns)

    def resized(self, change: Callable[[Size], Size]) -> Rounds:
        return replace(self, turns=tuple(turn.resized(change) for turn in self.turns))

    def items(self) -> tuple[Item, ...]:
        if self.mixed:
            sides = tuple(
                Sequence(
                    (*_paused(turn.gap), Segment("c" if turn.client else "s", turn.sizes[0], burst=True))
                )
                for turn in self.turns
            )
            most = None if self.high is None else len(sides) * self.high
            return (Repeat(Choice(sides), len(sides) * self.low, most),)
        inner = tuple(item for turn in self.turns for item in (*_paused(turn.gap), *turn.items()))
        if self.low == self.high == 1:
            return inner
        return (Repeat(Choice((Sequence(inner),)), self.low, self.high),)


Step = Turn | Rounds

MOST_ROUNDS = 20
"""Rounds that are tried on the matrix: it has no more turns."""


@dataclass(frozen=True, slots=True)
class Course:
    """start : begins with the flow; end : ends with it; exact : no tolerance, `=`."""

    steps: tuple[Step, ...]
    start: bool
    end: bool = False
    exact: bool = False

    def sequence(self) -> Sequence:
        items: list[Item] = []
        for step in self.steps:
            if isinstance(step, Turn):
                items += _paused(step.gap if items else _leading(step.gap))
                items += step.items()
                continue
            items += step.items()
        return Sequence(tuple(items))

    def pattern(self, proto: str, ports: Ports = ()) -> Pattern:
        return Pattern(proto, ports, self.exact, self.start, self.sequence(), self.end)

    def behind_mixed(self) -> tuple[Step, ...]:
        """The steps behind the first exchange that may be of any length."""
        for number, step in enumerate(self.steps):
            if isinstance(step, Rounds) and step.mixed:
                return self.steps[number + 1 :]
        return ()

    def resized(self, change: Callable[[Size], Size]) -> Course:
        """The same with other sizes."""
        return replace(self, steps=tuple(step.resized(change) for step in self.steps))

    def matched(self, turns: Turns, at: Array | None = None) -> Array:
        """bool[n]: the flows that run so.  at : its openings there, if they are known"""
        if at is None:
            first = self.steps[0] if isinstance(self.steps[0], Turn) else self.steps[0].turns[0]
            at = openings(turns, self.start, first.client)
        for step in self.steps:
            at = advance(turns, at, step, self.exact)
        return rows_of(turns, at_end(turns, at) if self.end else at)


def openings(turns: Turns, start: bool, client: bool) -> Array:
    """Flat indices of the turns of that side with which a course may begin."""
    width, parity = turns.total.shape[1], int(not client)
    column: Array | int = parity
    if start:
        rows = np.flatnonzero(turns.started & (turns.end > turns.begin) & (turns.begin == parity))
    else:
        rows, columns = np.nonzero(turns.total[:, parity::2])
        column = 2 * columns + parity
    at: Array = rows * width + column
    return at


def advance(turns: Turns, at: Array, step: Step, exact: bool) -> Array:
    """Flat indices of the places behind a step that begins at any of `at`."""
    if isinstance(step, Turn):
        return step.among(turns, at, exact) + 1
    behind = [at] if step.low == 0 else []
    for number in range(1, min(step.high or MOST_ROUNDS, MOST_ROUNDS) + 1):
        for turn in step.turns:
            at = turn.among(turns, at, exact) + 1
        if number >= step.low:
            behind.append(at)
        if not len(at):
            break
    if len(behind) < 2:
        return behind[0] if behind else at[:0]
    there = np.zeros(turns.total.size, np.bool_)
    there[np.concatenate(behind)] = True
    return np.flatnonzero(there)


def at_end(turns: Turns, at: Array) -> Array:
    """Those of the places behind which nothing comes but the flow's end."""
    width = turns.total.shape[1]
    row = at // width
    over: Array = at[turns.ended[row] & turns.whole[row] & (at % width == turns.end[row])]
    return over


def rows_of(turns: Turns, at: Array) -> Array:
    """bool[n]: the flows that the places lie in."""
    found = np.zeros(len(turns), np.bool_)
    found[at // turns.total.shape[1]] = True
    return found


def _inside(size: Array, low: int, high: int) -> Array:
    """bool: low <= size <= high.  size : int32; what is less than low is very much, unsigned"""
    found: Array = np.subtract(size, np.int32(low)).view(np.uint32) <= high - low
    return found


def _paused(gap: Gap) -> list[Item]:
    return [] if gap is Gap.NONE else [Pause(gap)]


def _leading(gap: Gap) -> Gap:
    """Before a first item only a `+` says something."""
    return gap if gap is Gap.SOME else Gap.NONE
