"""Prefilter: one hyperscan database that finds which rules are worth evaluating, and where.

Of each rule the longest content that has to be there stands for it, with its last bytes, so that a hit ends
where the content ends.  A rule without such a content cannot be filtered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.rules.content import Content
from fl0p_py.rules.machine import Ready

LONGEST = 64
"""Bytes of a content that are looked for; more tell no more."""


class Hits(NamedTuple):
    """ends : int64[n], behind the last byte of each hit, ascending; pieces : int64[n], what was hit"""

    ends: NDArray[np.int64]
    pieces: NDArray[np.int64]


NO_HITS = Hits(np.empty(0, np.int64), np.empty(0, np.int64))


def needed(one: Ready) -> Content | None:
    """The longest content without which the rule does not match."""
    contents = [option for option in one.rule.options if isinstance(option, Content) and not option.negated]
    return max(contents, key=lambda content: len(content.pattern), default=None)


class Prefilter:
    """rules : each has a needed content

    lengths : int64[pieces], bytes of each; rules_of : for each piece, numbers of rules
    """

    def __init__(self, rules: Sequence[tuple[int, Ready]]) -> None:
        pieces: dict[tuple[bytes, bool], list[int]] = {}
        for number, one in rules:
            content = needed(one)
            assert content is not None
            pattern = content.pattern[-LONGEST:]
            key = (pattern.lower() if content.nocase else pattern, content.nocase)
            pieces.setdefault(key, []).append(number)
        self.lengths = np.array([len(pattern) for pattern, _ in pieces], np.int64)
        self.rules_of = list(pieces.values())
        self._database = _compiled(list(pieces)) if pieces else None

    def hits(self, data: Any) -> Hits:
        """data : uint8[]"""
        if self._database is None or not len(data):
            return NO_HITS
        ends: list[int] = []
        pieces: list[int] = []

        def hit(piece: int, start: int, end: int, flags: int, context: object) -> None:
            ends.append(end)
            pieces.append(piece)

        self._database.scan(data, match_event_handler=hit)
        return Hits(np.array(ends, np.int64), np.array(pieces, np.int64)) if ends else NO_HITS


def _compiled(pieces: list[tuple[bytes, bool]]) -> Any:
    import hyperscan  # only where rules have contents

    database = hyperscan.Database()
    database.compile(
        expressions=[_expression(pattern) for pattern, _ in pieces],
        ids=list(range(len(pieces))),
        elements=len(pieces),
        flags=[hyperscan.HS_FLAG_CASELESS if nocase else 0 for _, nocase in pieces],
    )
    return database


def _expression(pattern: bytes) -> bytes:
    return "".join(f"\\x{byte:02x}" for byte in pattern).encode()
