"""Bounded: a table that gives up what was touched longest ago when it is full, and counts that."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Bounded(Generic[V]):
    """capacity : most entries

    over    : whether an entry is of no use any more
    evicted : those given up because it was full that were
    """

    def __init__(self, capacity: int, over: Callable[[V], bool] | None = None) -> None:
        self.capacity, self.evicted = capacity, 0
        self._over = over
        self._entries: OrderedDict[Hashable, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> V | None:
        return self._entries.get(key)

    def put(self, key: Hashable, value: V) -> None:
        """Set, and count as touched."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self.capacity:
            _, entry = self._entries.popitem(last=False)
            self.evicted += self._over is None or not self._over(entry)

    def forget(self, key: Hashable) -> None:
        self._entries.pop(key, None)
