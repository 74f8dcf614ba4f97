"""Widen: how little the sizes of a signature would have to give way for it to name a flow.

Walks the pattern's automaton along the flow, bursts as one step each, and counts what each size costs that
does not fit, on a log scale; the cheapest way through says which sizes would have to be wider and how far.
Order, pauses, repeats, ports and anchors are kept: a flow that differs in those is another variant.
Bounds: flows of MOST_TOKENS tokens, patterns of MOST_POSITIONS positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf, log2
from typing import Any, NamedTuple

import numpy as np

from fl0p_py.learn.corpus import Corpus
from fl0p_py.signature.automaton import ANY, NONE, SOME
from fl0p_py.signature.overlap import Shape, shape
from fl0p_py.signature.pattern import (
    PROTOCOLS,
    Choice,
    Item,
    Repeat,
    Segment,
    Sequence,
    Signature,
    Size,
    Unordered,
)

MOST_TOKENS = 64
MOST_POSITIONS = 1_024

FIRST_COST = 0.5
"""Of a size that does not fit, before it is looked at how far it is off, in octaves."""

FARTHEST = 2.0
"""Octaves that one size may be off: a signature is widened, not turned into another one."""

Wanted = dict[int, set[int]]
"""Sizes that were met, by the number of the segment that did not take them."""


class Fit(NamedTuple):
    """cost : 0 if the sizes fit as they are; wanted : what they would have to take"""

    cost: float
    wanted: Wanted


class Widener:
    """One signature, ready to be fitted to flows."""

    def __init__(self, signature: Signature) -> None:
        pattern = signature.pattern
        self.numbers: dict[int, int] = {}
        own = _Own(self.numbers).sequence(pattern.sequence)
        self.signature = replace(signature, pattern=pattern._replace(sequence=own))
        self.shape: Shape = shape(self.signature)

    def fit(self, corpus: Corpus, flow: int) -> Fit | None:
        """The cheapest way through; None if there is none that only sizes bar."""
        pattern = self.signature.pattern
        length = int(corpus.offsets[flow + 1] - corpus.offsets[flow])
        if PROTOCOLS[corpus.proto[flow]] != pattern.proto or not self._port(int(corpus.server_port[flow])):
            return None
        if (pattern.start and not corpus.start_seen[flow]) or (pattern.end and not corpus.end_seen[flow]):
            return None
        if (length > MOST_TOKENS and pattern.end) or len(self.shape.positions) > MOST_POSITIONS:
            return None
        return _Walk(self, _Tokens.of(corpus, flow)).best()

    def number(self, position: int) -> int:
        """Of the segment that a position was made of."""
        return self.numbers[id(self.shape.positions[position].size)]

    def cost(self, position: int, size: int) -> float:
        bounds = self.shape.size(position, tolerant=True)
        if bounds.low <= size <= bounds.high:
            return 0.0
        off = (
            log2((bounds.low + 8) / (size + 8)) if size < bounds.low else log2((size + 8) / (bounds.high + 8))
        )
        return FIRST_COST + off if off <= FARTHEST else inf

    def _port(self, port: int) -> bool:
        ports = self.signature.pattern.ports
        return not ports or any(low <= port <= high for low, high in ports)


class _Own:
    """A copy of a tree in which each segment has a size of its own, known by its number."""

    def __init__(self, numbers: dict[int, int]) -> None:
        self.numbers = numbers
        self.kept: list[Size] = []  # as long as they live, no other object has their id

    def sequence(self, sequence: Sequence) -> Sequence:
        return Sequence(tuple(map(self.item, sequence.items)))

    def item(self, item: Item) -> Any:
        match item:
            case Segment():
                size = Size(item.size.low, item.size.high, item.size.exact)
                self.numbers[id(size)] = len(self.kept)
                self.kept.append(size)
                return replace(item, size=size)
            case Choice():
                return replace(item, alternatives=tuple(map(self.sequence, item.alternatives)))
            case Unordered():
                return replace(item, left=self.sequence(item.left), right=self.sequence(item.right))
            case Repeat():
                return replace(item, atom=self.item(item.atom))
        return item


class _Tokens(NamedTuple):
    """A flow, its first tokens.

    run_end : for each token, behind the last of its burst, if it begins one, else 0; run_size : its sum
    """

    direction: list[int]
    size: list[int]
    paused: list[bool]
    run_end: list[int]
    run_size: list[int]
    whole: bool

    @staticmethod
    def of(corpus: Corpus, flow: int) -> _Tokens:
        begin, end = int(corpus.offsets[flow]), int(corpus.offsets[flow + 1])
        whole = end - begin <= MOST_TOKENS
        end = min(end, begin + MOST_TOKENS)
        tokens = corpus.tokens[begin:end]
        direction, size = np.sign(tokens).tolist(), np.abs(tokens).tolist()
        paused = corpus.paused[begin:end].tolist()
        run_end, run_size = [0] * len(size), [0] * len(size)
        at = 0
        while at < len(size):
            last = at + 1
            while last < len(size) and direction[last] == direction[at] and not paused[last]:
                last += 1
            run_end[at], run_size[at] = last, sum(size[at:last])
            at = last
        return _Tokens(direction, size, paused, run_end, run_size, whole)


State = tuple[int, int]
"""(tokens consumed, position reached)"""


class _Walk:
    """All ways through one flow, cheapest first by the order of tokens: each state is left for good."""

    def __init__(self, widener: Widener, tokens: _Tokens) -> None:
        self.widener, self.tokens, self.shape = widener, tokens, widener.shape
        self.cost: dict[State, float] = {}
        self.came: dict[State, tuple[State | None, int]] = {}

    def best(self) -> Fit | None:
        count = len(self.tokens.size)
        starts = range(1) if self.shape.pattern.start else range(count)
        for at in starts:
            for position, condition in self.shape.first.items():
                if condition != SOME or (at and self.tokens.paused[at]):
                    self._enter(None, 0.0, at, position)
        for consumed in range(1, count + 1):
            for state in [state for state in self.cost if state[0] == consumed]:
                if consumed < count:
                    self._leave(state)
        return self._cheapest()

    def _leave(self, state: State) -> None:
        consumed, position = state
        paused = self.tokens.paused[consumed]
        for to, condition in self.shape.after[position]:
            if condition == ANY or (condition == SOME) == paused:
                self._enter(state, self.cost[state], consumed, to)

    def _enter(self, came: State | None, cost: float, at: int, position: int) -> None:
        for end, size in self._steps(at, position):
            total = cost + self.widener.cost(position, size)
            state = (end, position)
            if total < self.cost.get(state, inf):
                self.cost[state], self.came[state] = total, (came, size)

    def _steps(self, at: int, position: int) -> Iterator[tuple[int, int]]:
        """Where a step to this position can end, and the size that it takes."""
        place = self.shape.positions[position]
        if self.tokens.direction[at] != place.direction:
            return
        if place.slot is None:
            yield at + 1, self.tokens.size[at]
        elif self.tokens.run_end[at]:
            yield self.tokens.run_end[at], self.tokens.run_size[at]

    def _cheapest(self) -> Fit | None:
        count = len(self.tokens.size)
        best: State | None = None
        for state in sorted(self.cost):
            condition = self.shape.last.get(state[1])
            if condition is None or not self._may_end(state, condition, count):
                continue
            if best is None or self.cost[state] < self.cost[best]:
                best = state
        return None if best is None else Fit(self.cost[best], self._wanted(best))

    def _may_end(self, state: State, condition: int, count: int) -> bool:
        if self.shape.pattern.end:
            return self.tokens.whole and state[0] == count
        if condition == SOME:
            return state[0] < count and self.tokens.paused[state[0]]
        return condition in (NONE, ANY)

    def _wanted(self, state: State | None) -> Wanted:
        found: Wanted = {}
        while state is not None:
            before, size = self.came[state]
            if self.widener.cost(state[1], size):
                found.setdefault(self.widener.number(state[1]), set()).add(size)
            state = before
        return found
