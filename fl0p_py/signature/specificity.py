"""How much a pattern says, in bits: of several matches the most specific one wins.

    sum of log2(65536 / width) over sizes
    + 1 for each pause that is fixed, present or absent, between two items and where a `+` is written
      before the first or behind the last
    + 8 for each anchor
    + log2(65536 / number of ports)

Of alternatives the one that says least counts, of repeats the fewest rounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from math import inf, log2

from fl0p_py.signature.pattern import (
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

ANCHOR = 8.0
PAUSE = 1.0
WIDTH = 65536

Bits = dict[tuple[bool, Gap], float]
"""Least bits so far, by what the next item meets: whether anything stands before it, and the pause."""


def bits(pattern: Pattern) -> float:
    """The specificity of a pattern."""
    total = ANCHOR * (pattern.start + pattern.end) + port_bits(pattern)
    ends = _sequence(pattern.sequence, {(False, Gap.NONE): 0.0})
    return total + min(value + PAUSE * (gap is Gap.SOME) for (_, gap), value in ends.items())


def port_bits(pattern: Pattern) -> float:
    if not pattern.ports:
        return 0.0
    return log2(WIDTH / sum(high - low + 1 for low, high in pattern.ports))


@cache
def size_bits(size: Size) -> float:
    """Sizes above 65535 do not widen a range that begins below."""
    high = min(size.high, WIDTH - 1) if size.low < WIDTH else size.high
    return max(0.0, log2(WIDTH / (high - size.low + 1)))


def _sequence(sequence: Sequence, bits: Bits) -> Bits:
    for item in sequence.items:
        bits = _item(item, bits)
    return bits


def _item(item: Item, bits: Bits) -> Bits:
    match item:
        case Pause():
            return _least(((behind, gap.and_(item.gap)), value) for (behind, gap), value in bits.items())
        case Segment():
            least = min(value + _pause(behind, gap) for (behind, gap), value in bits.items())
            return {(True, Gap.NONE): least + size_bits(item.size)}
        case Choice():
            return _least(end for part in item.alternatives for end in _sequence(part, bits).items())
        case Unordered():
            least = min(value + _unordered(item, behind, gap) for (behind, gap), value in bits.items())
            return {(True, Gap.NONE): least}
        case Repeat():
            for _ in range(item.low):
                bits = _item(item.atom, bits)
            return bits


def _unordered(item: Unordered, behind: bool, gap: Gap) -> float:
    """Both sides; the pause before the group goes with the side that then says least."""

    def side(sequence: Sequence, start: Bits) -> float:
        return min(_sequence(sequence, start).values())

    second = {(True, Gap.NONE): 0.0}
    return min(
        side(first, {(behind, gap): 0.0}) + side(other, second)
        for first, other in ((item.left, item.right), (item.right, item.left))
    )


def _pause(behind: bool, gap: Gap) -> float:
    """Before a first item only a written `+` says something."""
    return PAUSE if gap is Gap.SOME or (behind and gap is Gap.NONE) else 0.0


def _least(ends: Iterable[tuple[tuple[bool, Gap], float]]) -> Bits:
    least: Bits = {}
    for key, value in ends:
        least[key] = min(value, least.get(key, inf))
    return least
