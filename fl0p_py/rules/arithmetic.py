"""What the operations of `flowint`, `globalint` and `hostint` do: the table of docs/rules.md as code.

Values are unsigned numbers of 32 bits; None is a variable that is not set.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from fl0p_py.rules.integer import MOST

_COMPARES: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def holds(op: str, left: int | None, right: int | None) -> bool:
    """A compare, isset or notset.  An unset left side fails every compare; an unset right is 0."""
    if op == "isset":
        return left is not None
    if op == "notset":
        return left is None
    return left is not None and _COMPARES[op](left, right or 0)


def changed(op: str, left: int | None, right: int | None) -> int | None:
    """What `=`, `+` or `-` leaves in the variable; None: it stays unset."""
    right = right or 0
    if op == "=":
        return right
    if op == "+":
        return ((left or 0) + right) & MOST
    return None if left is None else (left - right) & MOST
