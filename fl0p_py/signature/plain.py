"""Patterns that are a mere row of tokens, of a whole set at once.

Most lines of a large set are such: harvested sequences, pasted and widened.  Each distinct node of
their trees is looked at once (the loader shares the nodes of equal tokens); the rest is done on arrays.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.signature.automaton import ANY, CONDITION, DIRECTION, NONE, SOME
from fl0p_py.signature.pattern import Item, Pause, Segment, Signature

MAX_LENGTH = 64
"""Items of a branch; the matcher remembers as many tokens of a flow."""
_TOKEN, _OTHER = -1, -2

Array = NDArray[Any]


class PlainRows(NamedTuple):
    """The plain patterns, one after the other.

    sizes     : int64[n, 4], direction, low, high, exact
    item_size : int64[items], index into sizes; condition : of the gap before the item
    signature : int64[patterns]; length : items of each; trailing : condition behind the last
    others    : numbers of the signatures that are not plain
    """

    sizes: Array
    item_size: Array
    condition: Array
    signature: Array
    length: Array
    trailing: Array
    others: list[int]


def plain_rows(signatures: tuple[Signature, ...]) -> PlainRows:
    sequences = [signature.pattern.sequence.items for signature in signatures]
    counts = np.fromiter(map(len, sequences), np.int64, len(sequences))
    items = list(chain.from_iterable(sequences))
    ids = np.fromiter(map(id, items), np.int64, len(items))
    _, first, node = np.unique(ids, return_index=True, return_inverse=True)
    rows = np.array([_row(items[at]) for at in first.tolist()], np.int64).reshape(-1, 5)
    kind = rows[node, 0]
    owner = np.repeat(np.arange(len(counts)), counts)
    tokens = np.bincount(owner[kind == _TOKEN], minlength=len(counts))
    plain = (np.bincount(owner[kind == _OTHER], minlength=len(counts)) == 0) & (tokens <= MAX_LENGTH)
    kept = plain[owner]
    kind, node = kind[kept], node[kept]
    is_token = kind == _TOKEN
    begin = np.cumsum(counts[plain]) - counts[plain]
    before, trailing = _pauses(np.where(is_token, NONE, kind), is_token, begin)
    length = tokens[plain]
    opening = np.cumsum(length) - length
    before[opening] = np.where(before[opening] == SOME, SOME, ANY)
    others = np.flatnonzero(~plain).tolist()
    return PlainRows(rows[:, 1:], node[is_token], before, np.flatnonzero(plain), length, trailing, others)


def _row(item: Item) -> tuple[int, int, int, int, int]:
    """(kind, direction, low, high, exact) of a node; the kind of a pause is its condition."""
    if isinstance(item, Segment) and not item.burst:
        size = item.size
        return _TOKEN, DIRECTION[item.direction], size.low, size.high, size.exact
    return CONDITION[item.gap] if isinstance(item, Pause) else _OTHER, 0, 0, 0, 0


def _pauses(pause: Array, is_token: Array, begin: Array) -> tuple[Array, Array]:
    """What the pauses before each token, and behind each pattern's last, come to: the strictest holds.

    pause : condition of each item, NONE for a token; begin : first item of each pattern
    """
    if not len(begin):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = is_token.copy()
    starts[begin] = True
    cuts = np.flatnonzero(starts)
    strictest = np.maximum.reduceat(pause, cuts)  # from each cut to the next
    at_begin = np.zeros(len(pause), np.bool_)
    at_begin[begin] = True
    behind = np.concatenate([[NONE], strictest[:-1]])
    before = np.where(at_begin[cuts], NONE, behind)[is_token[cuts]]
    lasts = np.append(np.searchsorted(cuts, begin)[1:], len(cuts)) - 1
    return before, strictest[lasts]
