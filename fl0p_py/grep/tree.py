"""Tree: a pattern as Python's `re` has parsed it, and what can be said of its nodes.

A node is an operator and its value, as in `re._parser`; patterns are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

UNBOUNDED = 1 << 30

ONE_BYTE = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)

Node = tuple[Any, Any]

_NEWLINE = 10
_CATEGORIES = {
    sre.CATEGORY_DIGIT: rb"[0-9]",
    sre.CATEGORY_NOT_DIGIT: rb"[^0-9]",
    sre.CATEGORY_SPACE: rb"[ \t\n\r\f\v]",
    sre.CATEGORY_NOT_SPACE: rb"[^ \t\n\r\f\v]",
    sre.CATEGORY_WORD: rb"[A-Za-z0-9_]",
    sre.CATEGORY_NOT_WORD: rb"[^A-Za-z0-9_]",
}
_ALL = frozenset(range(256))
_MEMBERS = {
    category: frozenset(byte for byte in _ALL if re.match(text, bytes([byte])))
    for category, text in _CATEGORIES.items()
}


def members(operator: Any, value: Any, case: bool, dot: bool) -> frozenset[int]:
    """The bytes that a node of one byte takes."""
    if operator is sre.LITERAL:
        return both_cases({value}) if case else frozenset({value})
    if operator is sre.NOT_LITERAL:
        return _ALL - (both_cases({value}) if case else {value})
    if operator is sre.ANY:
        return _ALL if dot else _ALL - {_NEWLINE}
    found: set[int] = set()
    negated = False
    for kind, what in value:
        if kind is sre.NEGATE:
            negated = True
        elif kind is sre.LITERAL:
            found.add(what)
        elif kind is sre.RANGE:
            found.update(range(what[0], what[1] + 1))
        else:
            found |= _MEMBERS[what]
    closed = both_cases(found) if case else frozenset(found)
    return _ALL - closed if negated else closed


def both_cases(members: Iterable[int]) -> frozenset[int]:
    """With the other case of each ASCII letter, as bytes patterns have it."""
    return frozenset(one for byte in members for one in (*bytes([byte]).lower(), *bytes([byte]).upper()))


def flags(value: Any, case: bool, dot: bool) -> tuple[bool, bool]:
    """How a group changes (?i) and (?s)."""
    _, add, remove, _ = value
    case = (case or bool(add & re.IGNORECASE)) and not remove & re.IGNORECASE
    return case, (dot or bool(add & re.DOTALL)) and not remove & re.DOTALL


def widest(state: Any, nodes: Sequence[Node]) -> int:
    """The most bytes that nodes may take."""
    return min(int(_width(state, nodes)[1]), UNBOUNDED)


def narrowest(state: Any, nodes: Sequence[Node]) -> int:
    """The fewest bytes that nodes may take."""
    return min(int(_width(state, nodes)[0]), UNBOUNDED)


def _width(state: Any, nodes: Sequence[Node]) -> tuple[int, int]:
    """What the parser knows of a part that it has made, it remembers."""
    part = nodes if isinstance(nodes, parser.SubPattern) else parser.SubPattern(state, list(nodes))
    low, high = part.getwidth()
    return low, high
