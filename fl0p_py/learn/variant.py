"""Variant: flows of one class that run alike, laid along one reference, and how to tell them apart further.

`variants` sorts the flows of a class: a reference is chosen, all flows are aligned to it (align.py), those
near it become a variant, the others go on to the next reference.  Being near is taken loosely, since
`halves` divides a variant where that makes it most regular: between two ciphers, say, or between those who
paused and those who did not.  Nothing here depends on the order of the flows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.align import OCTAVE, align
from fl0p_py.learn.course import Rounds, Step, Turn
from fl0p_py.learn.generalise import Level, inherited, mixed, rounds, turn
from fl0p_py.learn.turn import MAX_TOKENS, Turns

LONGEST = 24
"""Turns of a reference: what decides stands at the beginning."""

NEAR = 2 * OCTAVE
"""Cost a turn up to which a flow is of the reference's kind: sizes within a factor of four, on average."""

MOST_VARIANTS = 24
"""References of one class; what is like none of them stays uncovered and is reported."""

SAMPLE = 64
"""Flows among which a reference is looked for."""

CUTS = 3
"""Places in the order of sizes, those of the largest steps, where a division is tried."""

WORTH_BITS = 0.5
"""What a division has to say about the average flow, or it is not worth a signature more."""

LOOKED_AT = 16
"""Turns of the reference by which a variant is divided."""

SAID = 6
"""Turns in which that is looked for."""

OFTEN = 0.05
"""Share of the flows that say it, or do not."""

MOST_SAYING = 12

RARELY = 0.03
"""Share of the flows that may lack a turn which all of them are said to have."""

LACKING_BITS = 4.0
"""What it says that a turn is always there, or never."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Variant:
    """Flows along a reference.

    rows    : int64[k], of the Turns
    columns : int32[k, m], the flow's column for each turn of the reference, -1: it lacks it
    folds   : columns, from and to, that are one exchange which comes several times
    whole   : the variant that this is a division of
    known   : turns that were asked for before: the same are, with ports and without, and of each division
    """

    rows: Array
    columns: Array
    folds: tuple[tuple[int, int], ...] = ()
    whole: Variant | None = None
    known: dict[tuple[int, Level, bool], Turn] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, kept: Array) -> Variant:
        return Variant(self.rows[kept], self.columns[kept], self.folds, self.whole or self)

    def at(self, turns: Turns, column: int) -> Array:
        """Flat indices of the turns in one place of the reference."""
        found = self.columns[:, column]
        met = found >= 0
        at: Array = self.rows[met] * turns.total.shape[1] + found[met]
        return at

    def turn(self, turns: Turns, column: int, level: Level, *, last: bool = False) -> Turn:
        """What the flows have in common in one place.  last : nothing is asked behind it"""
        key = column, level, last
        if key not in self.known:
            own = turn(turns, self.at(turns, column), level, last=last)
            if self.whole is not None and level.whole:
                own = inherited(own, self.whole.turn(turns, column, level, last=last))
            self.known[key] = own
        return self.known[key]


def variants(turns: Turns, times: Array, order: Array) -> list[Variant]:
    """The flows sorted by how they run.

    times : int64[n], how often each sequence came; order : int64[n], their canonical order
    """
    found: list[Variant] = []
    left = order
    while len(left) and len(found) < MOST_VARIANTS:
        reference = _reference(turns, times, left)
        cost, columns = align(turns.total[left], turns.begin[left], turns.end[left], reference)
        same = turns.begin[left] == int(reference[0] == 0)
        met = (columns >= 0).sum(axis=1)
        near = same & (cost <= NEAR * np.maximum(1, met)) & (met > 0)
        found.append(Variant(left[near], columns[near]))
        left = left[~near]
    return [variant for variant in found if len(variant)]


def in_step(turns: Turns, order: Array) -> list[Variant]:
    """All flows turn by turn from their beginnings, without any alignment: one variant for each side that
    may speak first.  What is always there comes early, and an alignment can only disturb it."""
    found = []
    for begin in (0, 1):
        rows = order[(turns.begin[order] == begin) & turns.started[order]]
        columns = np.broadcast_to(np.arange(LONGEST, dtype=np.int32), (len(rows), LONGEST))
        there = (columns >= begin) & (columns < turns.end[rows][:, None])
        if len(rows):
            found.append(Variant(rows, np.where(there, columns, -1)))
    return found


def saying(turns: Turns, times: Array, variant: Variant) -> list[Variant]:
    """Those of a variant in step that say one thing in one place, for the commonest such things.

    An alignment would sort them by all that follows, and leave out those that go on otherwise.
    """
    found: list[tuple[float, int, int]] = []
    whole = float(times[variant.rows].sum())
    words = _words(turns, variant)
    for column, said in enumerate(words.T):
        there = said > 0
        values, inverse = np.unique(said[there], return_inverse=True)
        share = np.bincount(inverse, times[variant.rows[there]], len(values)) / whole
        usual = (share >= OFTEN) & (share <= 1 - OFTEN)
        found += [
            (-part, column, one)
            for part, one in zip(share[usual].tolist(), values[usual].tolist(), strict=True)
        ]
    alike: dict[bytes, Array] = {}  # what stands in one place often goes with what stands in the next
    for _, column, word in sorted(found):
        same = words[:, column] == word
        alike.setdefault(same.tobytes(), same)
    return [Variant(variant.rows[same], variant.columns[same]) for same in list(alike.values())[:MOST_SAYING]]


def _words(turns: Turns, variant: Variant) -> Array:
    """int64[k, SAID]: the first turns, equal where they begin with the same token and, of TCP, have as many
    bytes; datagrams are said again until they are answered."""
    words: Array = turns.tokens[variant.rows, :SAID, 0].astype(np.int64)
    if turns.stream:
        words |= turns.total[variant.rows, :SAID].astype(np.int64) << 32
    return words


def _reference(turns: Turns, times: Array, left: Array) -> Array:
    """The sizes of a flow that stands for many: long, among the most frequent, in the middle of its like."""
    length = np.minimum(turns.end[left], LONGEST)
    wanted = int(np.sort(length)[int(0.9 * (len(left) - 1))])
    begins = turns.begin[left] == round(float(np.average(turns.begin[left], weights=times[left])))
    alike = left[(length == wanted) & begins]
    if not len(alike):
        alike = left[length == wanted]
    if len(alike) > SAMPLE:
        frequent = np.argsort(-times[alike], kind="stable")[: SAMPLE // 2]
        spread = np.linspace(0, len(alike) - 1, SAMPLE // 2).astype(np.int64)
        alike = alike[np.unique(np.concatenate([frequent, spread]))]
    logs = np.log2(turns.total[alike, :wanted].astype(np.float64) + 8)
    apart = np.abs(logs[:, None] - logs[None, :]).sum(axis=2) @ times[alike]
    chosen = alike[int(np.round(apart, 6).argmin())]
    reference: Array = turns.total[chosen, :wanted].astype(np.int32)
    return reference


class Place(NamedTuple):
    """What the flows of a variant have in common from one column of the reference on.

    step : None where nothing can be said
    """

    column: int
    step: Step | None


def places(turns: Turns, variant: Variant, level: Level) -> list[Place]:
    """The reference's columns in order, as far as all flows reach.

    Turns that some flows lack are one exchange that comes several times, or not.
    """
    lacking = (variant.columns < 0).mean(axis=0) > RARELY
    width = len(lacking)
    full = np.flatnonzero(~lacking)
    last = int(full[-1]) + 1 if len(full) else 0
    column = int(bool((variant.columns[:, 0] < 0).all()))  # the server began
    folds = dict(variant.folds)
    found: list[Place] = []
    while column < last:
        begin = column
        if begin in folds:
            column = folds[begin]
            if (variant.columns[:, begin:column] >= 0).any():
                found.append(Place(begin, _folded(turns, variant, level, begin, column, mixed)))
            continue
        if not lacking[column]:
            found.append(Place(begin, variant.turn(turns, begin, level)))
            column += 1
            continue
        while column < width and (lacking[column] or (column - begin) % 2):
            column += 1
        if (column - begin) % 2:
            return found
        found.append(Place(begin, _folded(turns, variant, level, begin, column, rounds)))
    return found


def _folded(
    turns: Turns, variant: Variant, level: Level, begin: int, end: int, make: Callable[..., Rounds]
) -> Step | None:
    """One step for an even number of columns, begin to end, which some flows lack in part."""
    times = (variant.columns[:, begin:end] >= 0).sum(axis=1)
    if (times % 2).mean() > RARELY:
        return None
    sides = [
        np.concatenate([variant.at(turns, column) for column in range(begin, end) if column % 2 == side])
        for side in (0, 1)
    ]
    if not len(sides[0]) or not len(sides[1]):
        return None
    return make(turns, sides[0], sides[1], times // 2, level, begin % 2 == 0)


def halves(turns: Turns, variant: Variant) -> list[Variant]:
    """The variant divided in two where that leaves least open about the flows, in bits; or nothing."""
    if len(variant) < 2:
        return []
    columns = _Columns.of(turns, variant)
    whole = columns.open_bits(np.ones(len(variant), np.bool_))
    best, chosen = WORTH_BITS, None
    tried: set[bytes] = set()  # a turn of one token divides alike by its size and by its token's
    for feature in columns.features():
        for split in _splits(feature):
            if (key := split.tobytes()) in tried:
                continue
            tried.add(key)
            share = float(split.mean())
            rest = share * columns.open_bits(split) + (1 - share) * columns.open_bits(~split)
            if whole - rest > best + 1e-6:
                best, chosen = whole - rest, split
    return [] if chosen is None else [variant.only(chosen), variant.only(~chosen)]


@dataclass(frozen=True, slots=True)
class _Columns:
    """What varies among the flows of a variant.

    sizes : float32[k, 3 m], of each turn its bytes, its first token's, and how many tokens it has; NaN where
            a flow lacks the turn; low, high : the same with what no minimum, no maximum takes instead
    pauses: bool[k, 2 m], before each turn, and inside
    there : bool[k, m]
    """

    sizes: Array
    low: Array
    high: Array
    pauses: Array
    there: Array

    @staticmethod
    def of(turns: Turns, variant: Variant) -> _Columns:
        columns = variant.columns[:, :LOOKED_AT]
        there = columns >= 0
        at = variant.rows[:, None] * turns.total.shape[1] + np.maximum(columns, 0)
        parts = (turns.total, turns.tokens[..., 0], np.minimum(turns.count, MAX_TOKENS + 1))
        sizes = np.concatenate([part.ravel()[at] for part in parts], axis=1).astype(np.float32)
        sizes[~np.tile(there, 3)] = np.nan
        pauses = np.concatenate(
            [turns.pause.ravel()[at] & there, (turns.inner.ravel()[at] > 0) & there], axis=1
        )
        return _Columns(
            sizes, np.nan_to_num(sizes, nan=np.inf), np.nan_to_num(sizes, nan=-np.inf), pauses, there
        )

    def features(self) -> Iterator[Array]:
        """Values by which to divide; -1 where a flow lacks the turn."""
        for values in (self.sizes, self.pauses.astype(np.float32)):
            yield from np.nan_to_num(values, nan=-1.0).T

    def open_bits(self, rows: Array) -> float:
        """Bits that a signature of these flows leaves open: widths, pauses, turns that some lack."""
        there = self.there[rows]
        met = there.sum(axis=0)
        used = np.tile(met > 0, 3)
        width = self.high[rows].max(axis=0)[used] - self.low[rows].min(axis=0)[used]
        paused = self.pauses[rows].sum(axis=0) / np.maximum(1, np.tile(met, 2))
        doubts = float(_entropy(paused).sum()) + LACKING_BITS * float(_entropy(met / len(there)).sum())
        return float(np.log2(width + 1).sum()) + doubts


def _entropy(share: Array) -> Array:
    inside = np.clip(share, 1e-9, 1 - 1e-9)
    found: Array = -inside * np.log2(inside) - (1 - inside) * np.log2(1 - inside)
    return found


def _splits(values: Array) -> Iterator[Array]:
    """Masks of the flows below a bound, at the largest steps between values (on the log scale)."""
    distinct = np.unique(values)
    if len(distinct) < 2:
        return
    jumps = np.diff(np.log2(np.maximum(distinct, 0) + 8.0)) + (distinct[:-1] < 0) * 8.0
    for cut in np.argsort(-jumps, kind="stable")[:CUTS]:
        yield values <= distinct[cut]
