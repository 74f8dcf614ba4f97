"""Ranges: a set of whole numbers, as sorted ranges that neither touch nor overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class Ranges:
    """pairs : (low, high), both included, ascending"""

    __slots__ = ("_lows", "pairs")

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        joined: list[tuple[int, int]] = []
        for low, high in sorted(pairs):
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], high))
            else:
                joined.append((low, high))
        self.pairs = tuple(joined)
        self._lows = [low for low, _ in joined]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._lows, number) - 1
        return at >= 0 and number <= self.pairs[at][1]

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and self.pairs == other.pairs

    def __hash__(self) -> int:
        return hash(self.pairs)

    def union(self, other: Ranges) -> Ranges:
        return Ranges((*self.pairs, *other.pairs))

    def minus(self, other: Ranges) -> Ranges:
        left: list[tuple[int, int]] = []
        for low, high in self.pairs:
            for out_low, out_high in other.pairs:
                if out_high < low:
                    continue
                if out_low > high:
                    break
                if out_low > low:
                    left.append((low, out_low - 1))
                low = out_high + 1
            if low <= high:
                left.append((low, high))
        return Ranges(left)
