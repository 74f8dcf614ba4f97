"""Finder: hyperscan over everything at once, to know where a closer look is worth it.

It runs over a whole batch of packets, headers and all, and over the joints of segments, looking for a
piece of each pattern (expression.py) and of the string of a distance (distance.py).  Where it finds
nothing there is no match; where it finds something there may be one.

A hit costs a call of Python, so that their number is bounded: payload in which a piece is everywhere is
looked at closely as a whole.

Literals compile in no time, however many; classes and repeats do not, and hyperscan cannot be stopped.  So
they are compiled in groups, and after each it is asked how long it has taken.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
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

GROUP = 200
"""Pieces that are no literals, in one database."""

PATIENCE_S = 20.0
"""Processor time that compiling may take; what is begun then is brought to its end."""

Piece = tuple[str, int]
"""A text for hyperscan, and the number of its pattern."""

_LITERAL = re.compile(r"(?:\\x[0-9a-f]{2}|[A-Za-z0-9]|\[[A-Z][a-z]\])+")
"""A piece that is one, in either case maybe."""

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
    """Pieces of all patterns, and of a distance, whose number is that after the last pattern's."""

    def __init__(self, patterns: Sequence[Pattern], distance: Distance | None) -> None:
        self._all = range(len(patterns) + (distance is not None))
        pieces = [(pattern.expression.piece, number) for number, pattern in enumerate(patterns)]
        if distance is not None:
            case = "(?i)" if distance.ignore_case else ""
            pieces += [(case + of_bytes(piece), len(patterns)) for _, piece in distance.pieces]
        self._databases = _compiled(pieces)

    def hits(self, data: Buffer) -> Hits:
        """Where it is worth looking."""
        size = len(data)
        if not size:
            return Hits(np.empty(0, np.int64), 0)
        ends: list[int] = []
        add = ends.append

        def hit(number: int, start: int, end: int, flags: int, context: object) -> bool | None:
            add(end)
            return len(ends) - before >= MOST_HITS or None

        rest = size
        for database in self._databases:
            before = len(ends)
            try:
                database.scan(data, match_event_handler=hit)
            except hyperscan.ScanTerminated:
                rest = min(rest, ends[-1])
        if len(self._databases) > 1:
            ends.sort()
        return Hits(np.array(ends, np.int64), rest)

    def which(self, data: Buffer) -> Sequence[int]:
        """Numbers of the patterns that may be in it, ascending."""
        if len(self._all) <= FEW or not self._databases:
            return self._all
        found: set[int] = set()
        left = MOST_HITS

        def hit(number: int, start: int, end: int, flags: int, context: object) -> bool | None:
            nonlocal left
            found.add(number)
            left -= 1
            return left <= 0 or None

        try:
            for database in self._databases:
                database.scan(data, match_event_handler=hit)
        except hyperscan.ScanTerminated:
            return self._all
        return sorted(found)


def _compiled(pieces: Sequence[Piece]) -> list[hyperscan.Database]:
    """Databases in which all are; raises GrepError."""
    began_s = time.thread_time()
    databases: list[hyperscan.Database] = []
    done = 0
    for group in _groups(pieces):
        if time.thread_time() - began_s > PATIENCE_S:
            raise GrepError(
                f"{len(pieces)} patterns: after {PATIENCE_S:.0f} s {done} of them were compiled; "
                "fewer, or literals, which take no time"
            )
        databases.append(_compile(group))
        done += len(group)
    return databases


def _groups(pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """All literals together, with the first of the others."""
    literals: list[Piece] = []
    others: list[Piece] = []
    for piece in pieces:
        (literals if _LITERAL.fullmatch(piece[0]) else others).append(piece)
    first = literals + others[:GROUP]
    if first:
        yield first
    for start in range(GROUP, len(others), GROUP):
        yield others[start : start + GROUP]


def _compile(pieces: Sequence[Piece]) -> hyperscan.Database:
    database = hyperscan.Database()
    try:
        database.compile(
            expressions=[piece.encode() for piece, _ in pieces],
            ids=[number for _, number in pieces],
            elements=len(pieces),
            flags=hyperscan.HS_FLAG_DOTALL,
        )
    except hyperscan.error as error:
        raise GrepError(f"the patterns cannot be compiled together: {error}") from None
    return database
