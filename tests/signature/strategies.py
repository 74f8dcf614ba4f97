"""Patterns made by chance for hypothesis: any tree that the grammar allows, any that the parser takes.

A tree is made by a plain random generator from a number and a bound that hypothesis draws: that is
many times as fast as nested strategies, and a failing tree shrinks with the bound.
"""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from fl0p_py.errors import PatternError
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import (
    MAX_SIZE,
    Choice,
    Gap,
    Item,
    Pattern,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Size,
    Unordered,
)
from fl0p_py.signature.printer import pattern_text

SMALL = 6
"""Largest size where flows made by chance shall match."""

PORTS = ((), ((22, 22),), ((1, 1023), (6000, 65535)))


def trees(largest: int = MAX_SIZE) -> st.SearchStrategy[Pattern]:
    """Anything that the grammar allows; sizes up to `largest`."""
    return st.builds(_tree, st.integers(0, 2**32), st.integers(1, 4), st.just(largest))


def patterns(largest: int = MAX_SIZE, bursts: bool = True) -> st.SearchStrategy[Pattern]:
    """Anything that the parser takes."""
    return st.builds(_pattern, st.integers(0, 2**32), st.integers(1, 4), st.just(largest), st.just(bursts))


def _tree(seed: int, most: int, largest: int) -> Pattern:
    return _Maker(Random(seed), most, largest, True).pattern()


def _pattern(seed: int, most: int, largest: int, bursts: bool) -> Pattern:
    maker = _Maker(Random(seed), most, largest, bursts)
    while True:
        pattern = maker.pattern()
        try:
            parse_pattern(pattern_text(pattern))
        except PatternError:
            continue
        return pattern


class _Maker:
    def __init__(self, random: Random, most: int, largest: int, bursts: bool) -> None:
        self.random, self.most, self.largest, self.bursts = random, most, largest, bursts

    def pattern(self) -> Pattern:
        pick = self.random.choice
        sequence = self.sequence(self.most, 2)
        return Pattern(
            pick(("tcp", "udp")),
            pick(PORTS),
            pick((True, False)),
            pick((True, False)),
            sequence,
            pick((True, False)),
        )

    def sequence(self, most: int, depth: int) -> Sequence:
        items: list[Item] = []
        for _ in range(self.random.randint(1, most)):
            items += self.pause()
            items.append(self.item(depth))
        return Sequence((*items, *self.pause()))

    def pause(self) -> list[Item]:
        gap = self.random.choice((None, None, None, None, Gap.SOME, Gap.ANY))
        return [] if gap is None else [Pause(gap)]

    def item(self, depth: int) -> Item:
        kind = self.random.randrange(10)
        atom: Segment | Choice | Unordered = self.segment("cs")
        if kind == 0:
            atom = self.unordered()
        elif kind <= 2 and depth:
            parts = [self.sequence(min(2, self.most), depth - 1) for _ in range(self.random.randint(1, 3))]
            atom = Choice(tuple(parts))
        if self.random.randrange(5):
            return atom
        low = self.random.randint(0, 3)
        high = self.random.choice((None, *range(max(1, low), 5)))
        return atom if low == high == 1 else Repeat(atom, low, high)

    def unordered(self) -> Unordered:
        left, right = self.random.choice(("cs", "sc"))
        return Unordered(self.side(left), self.side(right))

    def side(self, direction: str) -> Sequence:
        items: list[Item] = []
        for _ in range(self.random.randint(1, 2)):
            items += [*self.pause(), self.segment(direction)]
        return Sequence(tuple(items))

    def segment(self, directions: str) -> Segment:
        burst = self.bursts and self.random.random() < 0.4
        return Segment(self.random.choice(directions), self.size(), burst)

    def size(self) -> Size:
        low, high = sorted((self.number(), self.number()))
        kind = self.random.randrange(5)
        if kind < 2:
            return Size(low, low, True)
        return (Size(low, high, False), Size(low, MAX_SIZE, False), Size(1, MAX_SIZE, False))[kind - 2]

    def number(self) -> int:
        return self.random.randint(1, self.random.choice((min(12, self.largest), self.largest)))
