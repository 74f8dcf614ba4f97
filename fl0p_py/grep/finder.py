"""Finder: hyperscan over everything at once, to know where a closer look is worth it.

It runs over a whole batch of packets, headers and all, and over the joints of segments, looking for the
pieces of each pattern (piece.py) and of the string of a distance (distance.py).  Where it finds nothing
there is no match; where it finds something there may be one.

A hit costs a call of Python, so that their number is bounded: payload in which a piece is everywhere is
looked at closely as a whole, and of each pattern it is only asked whether it may be in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import hyperscan
import numpy as np
from numpy.typing import NDArray

from fl0p_py.grep.distance import Distance
from fl0p_py.grep.expression import of_bytes
from fl0p_py.grep.pattern import GrepError, Pattern
from fl0p_py.grep.piece import Piece

MOST_HITS = 4096
"""In one scan.  Beyond, all the rest counts as hit."""

MOST_PLACES = 32
"""In the payload of one packet.  Beyond, a pattern that may be in it counts as if it were at its end, which
costs less than to be told of more."""

FEW = 4
"""So many patterns are all tried on a datagram rather than asked for."""

Buffer = Any
"""What gives its bytes away: an array of uint8, bytes, a memoryview."""


class Hits(NamedTuple):
    """ends : int64[], where pieces ended, ascending, each more than 0
    rest : from here on nothing was looked at and all may be hit; the length of the data if all was"""

    ends: NDArray[np.int64]
    rest: int

    def none(self, size: int) -> bool:
        """Whether nothing of so much data was hit."""
        return not len(self.ends) and self.rest == size


class Finder:
    """Pieces of all patterns, and of a distance, whose number is that after the last pattern's.

    blind   : numbers of those that have none, and may be anywhere
    overlap : bytes before new ones that a piece may begin in
    """

    def __init__(self, patterns: Sequence[Pattern], distance: Distance | None) -> None:
        self._all = range(len(patterns) + (distance is not None))
        pieces = [(piece, number) for number, one in enumerate(patterns) for piece in one.expression.pieces]
        if distance is not None:
            pieces += [
                (Piece(text, distance.ignore_case), len(patterns)) for text in {t for _, t in distance.pieces}
            ]
        self._pieces = pieces
        self.blind = frozenset(self._all).difference(number for _, number in pieces)
        self.overlap = max((len(piece.text) for piece, _ in pieces), default=1) - 1
        self._database = _compiled(pieces) if pieces else None

    def hits(self, data: Buffer) -> Hits:
        """Where it is worth looking."""
        size = len(data)
        if not size or self._database is None:
            return Hits(np.empty(0, np.int64), size)
        ends: list[int] = []
        add = ends.append

        def hit(number: int, start: int, end: int, flags: int, context: object) -> bool | None:
            add(end)
            return len(ends) >= MOST_HITS or None

        try:
            self._database.scan(data, match_event_handler=hit)
        except hyperscan.ScanTerminated:
            return Hits(np.array(ends, np.int64), ends[-1])
        return Hits(np.array(ends, np.int64), size)

    def which(self, data: Buffer) -> Sequence[int]:
        """Numbers of the patterns that may be in it, ascending."""
        if len(self._all) <= FEW:
            return self._all
        return self.among(self.seen(data, 0))

    def seen(self, data: Buffer, at: int) -> dict[int, int]:
        """By the number of a pattern, where a piece of it ended last; `at` is the offset of the data."""
        ends: dict[int, int] = {}
        if not len(data) or self._database is None:
            return ends
        left = MOST_PLACES

        def hit(number: int, start: int, end: int, flags: int, context: object) -> bool | None:
            nonlocal left
            ends[number] = at + end
            left -= 1
            return left <= 0 or None

        try:
            self._database.scan(data, match_event_handler=hit)
        except hyperscan.ScanTerminated:
            self._once.scan(data, match_event_handler=lambda *of: ends.update({of[0]: at + len(data)}))
        return ends

    def among(self, seen: Iterable[int]) -> Sequence[int]:
        """Numbers of the patterns that may be where pieces of these were seen, ascending."""
        return sorted(self.blind.union(seen))

    @cached_property
    def _once(self) -> hyperscan.Database:
        """Tells of each pattern once, and not where.  Few searches meet such payload."""
        return _compiled(self._pieces, hyperscan.HS_FLAG_SINGLEMATCH)


def _compiled(pieces: Sequence[tuple[Piece, int]], flags: int = 0) -> hyperscan.Database:
    """A database in which all are; raises GrepError."""
    database = hyperscan.Database()
    try:
        database.compile(
            expressions=[of_bytes(piece.text).encode() for piece, _ in pieces],
            ids=[number for _, number in pieces],
            elements=len(pieces),
            flags=[flags | (hyperscan.HS_FLAG_CASELESS if piece.either_case else 0) for piece, _ in pieces],
        )
    except hyperscan.error as error:
        raise GrepError(f"the patterns cannot be compiled together: {error}") from None
    return database
