"""Chains: flows laid along a few fixed points, with any number of exchanges between them.

A dialogue begins with a greeting, goes on for as long as there is something to say, and then comes the
message that tells what it was: the data of a mail, the answer to the right password.  In step with the
flow's beginning that message stands anywhere, and alone it looks like many another.  A chain holds both ends:
the first turn of the flow, and a message that others hardly ever send, or hardly ever after another one that
tells what sizes the rest must have (the answer that names a cipher).  What lies between two of them is one
step, an exchange that comes several times.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.turn import Turns
from fl0p_py.learn.variant import Variant

SHARE = 0.01
"""Of the class's flows that have a message, or it is no fixed point."""

MOST_MESSAGES = 192
"""Of these the commonest are looked at, in pairs."""

MOST_CHAINS = 24

WORTH = 0.01
"""Share of the class's flows that a further chain has to bring."""

AGAINST = 4.0
"""What another flow that has it takes off: each has to be kept out by sizes in between."""

FOLLOWING = 2
"""Turns behind the last message that are looked at."""

NEVER = 1 << 20
"""Stands for no place."""

Array = NDArray[Any]


class Message(NamedTuple):
    """A turn of one size.

    whole : of all of the turn, not of its first token; final : the flow ends with it
    """

    client: bool
    size: int
    whole: bool
    final: bool = False


def chains(own: Turns, own_times: Array, other: Turns, other_times: Array, rows: Array) -> list[Variant]:
    """Some of the class's flows along each chain.  rows : of `own`, in canonical order"""
    rows = rows[own.started[rows]]
    found: list[Variant] = []
    seen: set[bytes] = set()
    for middle, last in _pairs(own, own_times, other, other_times, rows):
        for latest in (False, True):
            for variant in _along(own, rows, middle, last, latest=latest):
                key = variant.rows.tobytes() + variant.columns.tobytes()
                if key not in seen:
                    seen.add(key)
                    found.append(variant)
    return found


def _pairs(
    own: Turns, own_times: Array, other: Turns, other_times: Array, rows: Array
) -> list[tuple[Message | None, Message]]:
    """Messages that come one behind the other in the class and hardly elsewhere; None: the flow's start.

    Greedy: always the pair that adds most of the class's flows, less the others that have it.
    """
    messages = _messages(own, own_times, rows)
    against = np.flatnonzero(other.started)
    mine, theirs = _Places.of(own, rows, messages), _Places.of(other, against, messages)
    weight, cost = own_times[rows].astype(np.float64), other_times[against].astype(np.float64)
    middles = [None, *(number for number, one in enumerate(messages) if one.whole and not one.final)]
    hits = [mine.behind(number) for number in middles]
    false = np.array([cost @ theirs.behind(number) for number in middles]) if messages else np.zeros((1, 0))
    whole = float(weight.sum())
    left = weight.copy()
    found: list[tuple[Message | None, Message]] = []
    while len(found) < MOST_CHAINS and false.size:
        gains = np.array([left @ hit for hit in hits]) - AGAINST * false
        middle, last = divmod(int(np.argmax(np.round(gains, 6))), len(messages))
        if gains[middle, last] < WORTH * whole:
            break
        number = middles[middle]
        found.append((None if number is None else messages[number], messages[last]))
        left[hits[middle][:, last]] = 0
    return found


def _messages(turns: Turns, times: Array, rows: Array) -> list[Message]:
    """What many of the flows have, the commonest first."""
    found: list[tuple[float, Message]] = []
    whole = float(times[rows].sum()) or 1.0
    for whole_turn, sizes in ((True, turns.total), (False, turns.tokens[..., 0])):
        for parity in (0, 1):
            row, column = np.nonzero(sizes[rows, parity::2])
            size = sizes[rows[row], 2 * column + parity].astype(np.int64)
            final = _final(turns, rows)[row] == 2 * column + parity
            for at_end in (False, True):
                kept = final if at_end else np.ones(len(row), np.bool_)
                pairs = np.unique(row[kept] << 32 | size[kept])
                values, inverse = np.unique(pairs & 0xFFFFFFFF, return_inverse=True)
                share = np.bincount(inverse, times[rows[pairs >> 32]], len(values)) / whole
                enough = share >= SHARE
                found += [
                    (-part, Message(parity == 0, one, whole_turn, at_end))
                    for one, part in zip(values[enough].tolist(), share[enough].tolist(), strict=True)
                ]
    return [message for _, message in sorted(found)[:MOST_MESSAGES]]


def _final(turns: Turns, rows: Array) -> Array:
    """Column of the last turn of flows that are seen to end with it; -1 of the others."""
    found: Array = np.where(turns.ended[rows] & turns.whole[rows], turns.end[rows] - 1, -1)
    return found


class _Places(NamedTuple):
    """Where each message comes first and last, int32[flows, messages]: NEVER and -1 where it does not."""

    first: Array
    last: Array
    begin: Array

    @staticmethod
    def of(turns: Turns, rows: Array, messages: list[Message]) -> _Places:
        first = np.full((len(rows), len(messages)), NEVER, np.int32)
        last = np.full((len(rows), len(messages)), -1, np.int32)
        for number, message in enumerate(messages):
            found = places_of(turns, rows, message, latest=False)
            first[:, number] = np.where(found >= 0, found, NEVER)
            last[:, number] = places_of(turns, rows, message, latest=True)
        return _Places(first, last, turns.begin[rows])

    def behind(self, middle: int | None) -> Array:
        """bool[flows, messages]: which messages come behind that one."""
        before = self.begin if middle is None else self.first[:, middle]
        found: Array = self.last > before[:, None]
        return found


def _along(
    own: Turns, rows: Array, middle: Message | None, last: Message, *, latest: bool
) -> Iterator[Variant]:
    """The flows that have both, with the last message where it comes first behind the other, or last."""
    before = own.begin[rows]
    if middle is not None:
        place = places_of(own, rows, middle, latest=False)
        kept = place > before
        rows, before = rows[kept], place[kept]
    place = places_of(own, rows, last, latest=latest, behind=before)
    kept = place > before
    rows, before, place = rows[kept], before[kept], place[kept]
    points = [place] if middle is None else [before, place]
    for begin in (0, 1):  # who spoke first
        same = own.begin[rows] == begin
        if same.any():
            yield _laid(own, begin, rows[same], [point[same] for point in points])


def _laid(own: Turns, begin: int, rows: Array, points: list[Array]) -> Variant:
    """Each part in columns of its own: the first turn, what is between, a point, what is between, a point,
    and what follows."""
    columns: list[Array] = [np.full((len(rows), 1), -1, np.int32)] * begin
    columns.append(np.full((len(rows), 1), begin, np.int32))
    at = np.full(len(rows), begin + 1)
    folds = []
    for point in points:
        if (point[0] - at[0]) % 2:  # an exchange is two turns
            columns.append(at[:, None].astype(np.int32))
            at = at + 1
        most = int((point - at).max())
        if most > 0:
            width = sum(part.shape[1] for part in columns)
            folds.append((width, width + most))
            between = at[:, None] + np.arange(most)
            columns.append(np.where(between < point[:, None], between, -1).astype(np.int32))
        columns.append(point[:, None].astype(np.int32))
        at = point + 1
    following = at[:, None] + np.arange(FOLLOWING)
    columns.append(np.where(following < own.end[rows][:, None], following, -1).astype(np.int32))
    return Variant(rows, np.concatenate(columns, axis=1), folds=tuple(folds))


def places_of(
    turns: Turns, rows: Array, message: Message, *, latest: bool, behind: Array | None = None
) -> Array:
    """Columns of the first, or of the last, such turn in each row; -1: there is none.

    behind : of each row, the column after which it is looked for
    """
    sizes = turns.total if message.whole else turns.tokens[..., 0]
    hit = sizes[rows] == message.size
    hit[:, int(message.client) :: 2] = False
    if message.final:
        hit &= np.arange(hit.shape[1]) == _final(turns, rows)[:, None]
    if behind is not None:
        hit &= np.arange(hit.shape[1]) > behind[:, None]
    column = hit.shape[1] - 1 - hit[:, ::-1].argmax(axis=1) if latest else hit.argmax(axis=1)
    return np.where(hit.any(axis=1), column, -1)
