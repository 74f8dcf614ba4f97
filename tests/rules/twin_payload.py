"""The twin of payload.py: every way to place the options, tried one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fl0p_py.rules.content import Content, IsDataAt
from fl0p_py.rules.payload import Tested
from fl0p_py.rules.pcre import Pcre


def fits(options: list[Tested], piece: bytes, tail: int = 0) -> bool:
    """Whether all hold, with a match that ends beyond `tail`."""
    return any(not tail or max(ends, default=0) > tail for ends in _ways(options, piece, 0))


def _ways(options: list[Tested], piece: bytes, end: int) -> Iterator[list[int]]:
    """For each way in which they hold: where the matches end."""
    if not options:
        yield []
        return
    first, *rest = options
    if isinstance(first, IsDataAt):
        size = len(piece)
        there = end + first.offset <= size if first.relative else first.offset + 1 <= size
        if there != first.negated:
            yield from _ways(rest, piece, end)
        return
    places = list(_places(first, piece, end))
    if first.negated:
        if not places:
            yield from _ways(rest, piece, end)
        return
    for place in places:
        for ends in _ways(rest, piece, place):
            yield [place, *ends]


def _places(option: Content | Pcre, piece: bytes, end: int) -> Iterator[int]:
    """Every place at which a match ends."""
    if isinstance(option, Pcre):
        view = piece[end:] if option.relative else piece
        for start in range(len(view) + 1):
            found = re.compile(option.expression.encode()).match(view, start)
            if found:
                yield len(piece) - len(view) + found.end()
        return
    size = len(option.pattern)
    for start in range(len(piece) - size + 1):
        stop = start + size
        same = piece[start:stop] == option.pattern
        if option.nocase:
            same = piece[start:stop].lower() == option.pattern.lower()
        if not same or (option.endswith and stop != len(piece)) or (option.startswith and start):
            continue
        if option.relative:
            first = end + (option.distance or 0)
            if start < first or (option.within is not None and stop > first + option.within):
                continue
        else:
            first = option.offset or 0
            if start < first or (option.depth is not None and stop > first + option.depth):
                continue
        yield stop
