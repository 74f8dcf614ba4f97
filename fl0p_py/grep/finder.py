"""Finder: hyperscan over everything at once, to know where a closer look is worth it.

It runs over a whole batch of packets, headers and all, and over the joints of segments, looking for a
piece of each pattern (expression.py) and of the string of a distance (distance.py).  Where it finds
nothing there is no match; where it finds something there may be one.

A hit costs a call of Python, so that their number is bounded: payload in which a piece is everywhere is
looked at closely as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import hyperscan
import numpy as np
from numpy.typing import NDArray

from fl0p_py.grep.distance import Distance
from fl0p_py.grep.expression import of_bytes
from fl0p_py.grep.pattern import GrepError, Pattern

MOST_HITS = 4096
"""In one scan.  Beyond, all the rest counts as hit."""

FEW = 4
"""So many patterns are all tried rather than asked for."""

Buffer = Any
"""What gives its bytes away: an array of uint8, bytes, a memoryview."""


class Hits(NamedTuple):
    """ends : int64[], where pieces ended, ascending, each more than 0
    rest : from here on nothing was looked at and all may be hit; the length of the data if all was"""

    ends: NDArray[np.int64]
    rest: int


class Finder:
    """Pieces of all patterns, and of a distance, whose number is that after the last pattern's."""

    def __init__(self, patterns: Sequence[Pattern], distance: Distance | None) -> None:
        self._all = range(len(patterns) + (distance is not None))
        self._pieces = [(pattern.expression.piece, number) for number, pattern in enumerate(patterns)]
        if distance is not None:
            case = "(?i)" if distance.ignore_case else ""
            self._pieces += [(case + of_bytes(piece), len(patterns)) for _, piece in distance.pieces]
        self._one: hyperscan.Database | None = None
        self._everywhere = _compile(self._pieces, 0) if self._pieces else None

    def hits(self, data: Buffer) -> Hits:
        """Where it is worth looking."""
        size = len(data)
        if self._everywhere is None or not size:
            return Hits(np.empty(0, np.int64), size)
        ends: list[int] = []
        add = ends.append

        def hit(number: int, start: int, end: int, flags: int, context: object) -> bool | None:
            add(end)
            return len(ends) >= MOST_HITS or None

        try:
            self._everywhere.scan(data, match_event_handler=hit)
        except hyperscan.ScanTerminated:
            size = ends[-1]
        return Hits(np.array(ends, np.int64), size)

    def which(self, data: Buffer) -> Sequence[int]:
        """Numbers of the patterns that may be in it, ascending."""
        if len(self._all) <= FEW or self._everywhere is None:
            return self._all
        if self._one is None:
            self._one = _compile(self._pieces, hyperscan.HS_FLAG_SINGLEMATCH)
        found: set[int] = set()

        def hit(number: int, start: int, end: int, flags: int, context: object) -> None:
            found.add(number)

        self._one.scan(data, match_event_handler=hit)
        return sorted(found)


def _compile(pieces: Sequence[tuple[str, int]], flags: int) -> hyperscan.Database:
    database = hyperscan.Database()
    try:
        database.compile(
            expressions=[piece.encode() for piece, _ in pieces],
            ids=[number for _, number in pieces],
            elements=len(pieces),
            flags=hyperscan.HS_FLAG_DOTALL | flags,
        )
    except hyperscan.error as error:
        raise GrepError(f"the patterns cannot be compiled together: {error}") from None
    return database
