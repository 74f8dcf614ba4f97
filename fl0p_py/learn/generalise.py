"""Generalise: from the turns seen in one place of a conversation to the turn that a signature asks for.

How far a range reaches beyond what was seen is a matter of how much was seen: of n sizes drawn evenly
from an unknown range, what lies beyond the largest is about a n-th of what lies below.  Sizes that differ by
multiples of a cipher's block keep to its grid.  There are several levels, from generous to just what was
seen; a learner takes the most generous one that names nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil, gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.course import Rounds, Turn
from fl0p_py.learn.turn import MAX_TOKENS, Turns
from fl0p_py.signature.pattern import MAX_REPEAT, MAX_SIZE, Gap, Size

Array = NDArray[Any]

GENEROUS, LIKELY, SEEN = 0, 1, 2
"""How far sizes may lie outside of what was seen: a quarter of its width, what chance leaves out, nothing."""

LIKELY_SHARES = 3
"""Of the n-th part that lies beyond: three times as much is exceeded one time in twenty."""

LOWER = 3
"""Below the smallest size there is room for a third of it at most: sizes differ by ratios, and a message of
two bytes is nothing like one of twelve, however wide the range above."""

CROWD, CROWDED = 16, 2
"""Of half of it, if the CROWD smallest lie so thinly that chance may have left that much out; they show it if
they are a quarter of all at most."""

BLOCKS = (16, 8, 4)
"""Grids of sizes: blocks of ciphers, and the four bytes to which XDR and others pad."""

FEWEST_ON_GRID = 3
"""Different sizes that it takes to believe in a grid."""

SEGMENT = 1200
"""Turns from this size on are cut by TCP as it likes; no network carries less in a segment nowadays.
They are data, of which there may be twice as much as was seen."""

WIDE = 4
"""A last turn whose sizes differ by this factor is of any size from the smallest on."""


NARROWED = 4
"""What makes a range so many times narrower was about that range."""

NARROWED_RATIO = 2.5
"""The same of the ratio of its ends, on the log scale, to which SMALL bytes are added: below, a few bytes
more or less are no matter of ratios."""

SMALL = 8

OUTLYING = 0.01
"""Of the sizes in one place, those that may be left out if that makes the range NARROWED: a message that a
retransmission cut in two, or another one that stands in its place."""

NEARBY = 4
"""What is next to a range: so many times less than its width, on either side."""


ALWAYS = 0.98
"""Share of the flows that pause in one place from which on a pause belongs there."""


class Level(NamedTuple):
    """How much is asked.

    width  : GENEROUS, LIKELY or SEEN
    whole  : a division takes its ranges from all of the variant, but for those that made it one
    pauses : ask for a pause, or for none, where that never varied
    tokens : ask for the same number of tokens in a turn where that never varied
    exact  : constants are meant to the byte, `=`
    usual  : a few sizes far from all others are left out
    """

    width: int
    whole: bool
    pauses: bool
    tokens: bool
    exact: bool
    usual: bool = True


LEVELS = (
    Level(GENEROUS, whole=True, pauses=False, tokens=False, exact=False, usual=False),
    Level(GENEROUS, whole=True, pauses=False, tokens=False, exact=True),
    Level(LIKELY, whole=True, pauses=False, tokens=False, exact=True),
    Level(GENEROUS, whole=True, pauses=True, tokens=False, exact=True),
    Level(SEEN, whole=True, pauses=False, tokens=False, exact=True),
    Level(LIKELY, whole=False, pauses=True, tokens=False, exact=True),
    Level(LIKELY, whole=False, pauses=True, tokens=True, exact=True),
    Level(SEEN, whole=False, pauses=True, tokens=True, exact=True),
)
"""From the one that takes most to the one that takes least."""


def bounds(sizes: Array, width: int, *, usual: bool = False) -> Size:
    """The range of which `sizes` are a sample; one size alone is taken for a constant.

    usual : without what is far from all others
    """
    if usual:
        sizes = _usual(sizes)
    low, high = int(sizes.min()), int(sizes.max())
    if low == high:
        return Size(low, high, exact=True)
    spread, count = high - low, len(sizes)
    block = grid(sizes)
    below = above = 0
    if width != SEEN:
        above = max(1, ceil(LIKELY_SHARES * spread / (count + 1)))
        below = min(above, max(1, low // LOWER, min(low // CROWDED, _left_out_below(sizes))))
    if width == GENEROUS:
        below, above = max(below, min(spread, low) // 4), max(2, above, spread // 4)
    low = max(low - ceil(below / block) * block, (low - 1) % block + 1)
    return Size(low, min(MAX_SIZE, high + ceil(above / block) * block), exact=False)


def _left_out_below(sizes: Array) -> int:
    """How far below the smallest size the next one may lie, as thinly as they lie there; 0: not known."""
    if len(sizes) < 4 * CROWD:
        return 0
    smallest = np.partition(sizes, CROWD - 1)[:CROWD]
    return ceil(LIKELY_SHARES * int(smallest.max() - smallest.min()) / (CROWD - 1))


def _usual(sizes: Array) -> Array:
    """The sizes without OUTLYING of them, if the others are in a much narrower range."""
    few = int(OUTLYING * len(sizes))
    if not few:
        return sizes
    ordered = np.sort(sizes)
    for scale, narrowed in (
        (ordered.astype(np.float64), NARROWED),
        (np.log2(ordered + SMALL), NARROWED_RATIO),
    ):
        widths = scale[len(scale) - 1 - few :] - scale[: few + 1]
        low = int(np.argmin(np.round(widths, 6)))
        if narrowed * widths[low] <= scale[-1] - scale[0]:
            return ordered[low : low + len(ordered) - few]
    return sizes


def widened(size: Size) -> Size:
    """The range with what is next to it; constants have nothing next to them."""
    more = (size.high - size.low) // NEARBY if size.high < MAX_SIZE else size.low // NEARBY
    return Size(max(1, size.low - more), min(MAX_SIZE, size.high + more), exact=size.exact)


def doubled(size: Size) -> Size:
    """The range from half its least to twice its largest; constants stay constants."""
    if size.low == size.high:
        return size
    return Size(max(1, size.low // 2), min(MAX_SIZE, 2 * size.high), exact=False)


def grid(sizes: Array) -> int:
    """The block that all differences are multiples of; 1 if there is none."""
    values = np.unique(sizes)
    if len(values) < FEWEST_ON_GRID:
        return 1
    step = gcd(*np.diff(values).tolist())
    return next((block for block in BLOCKS if step % block == 0), 1)


def turn(turns: Turns, at: Array, level: Level, *, last: bool = False) -> Turn:
    """The turn of which those at the flat indices are examples.

    last : nothing is asked behind it
    """
    if level.usual:
        at = _usually_cut(turns, at)
    count, total = turns.count.take(at), turns.total.take(at)
    client = bool(at[0] % turns.total.shape[1] % 2 == 0)
    gap = _gap(turns.pause.take(at), level)
    inner = Gap.ANY if turns.inner.take(at).any() else Gap.NONE
    fewest, most = int(count.min()), int(count.max())
    cut = bool(total.max() >= SEGMENT)
    single = most == 1 and not cut and (last or not turns.stream)
    same = fewest == most and (inner is Gap.ANY or level.tokens or single)
    if (same and most <= MAX_TOKENS) or (last and not cut and inner is Gap.ANY):
        sizes = turns.tokens.reshape(-1, MAX_TOKENS)[at, : min(fewest, MAX_TOKENS)]
        asked = tuple(bounds(column, level.width, usual=level.usual) for column in sizes.T)
        return Turn(client, asked, gap, inner, opening=last)
    first = turns.tokens.reshape(-1, MAX_TOKENS)[at, 0]
    if last and fewest < most and first.min() == first.max() < SEGMENT:
        return Turn(client, (Size(int(first[0]), int(first[0]), exact=True),), gap, inner, opening=True)
    if inner is Gap.NONE:
        size = bounds(total, level.width, usual=level.usual)
        if cut and level.width == GENEROUS and not size.exact:
            size = Size(size.low, min(MAX_SIZE, 2 * size.high), exact=False)
        if last and size.high >= WIDE * size.low:
            size = Size(size.low, MAX_SIZE, exact=False)
        return Turn(client, (size,), gap, burst=True)
    pieces = np.concatenate([turns.smallest.take(at), turns.largest.take(at)])
    if level.width != SEEN:
        fewest, most = 1, min(MAX_REPEAT, most + max(1, most // 2))
    piece = bounds(pieces, level.width, usual=level.usual)
    if last:
        return Turn(client, (piece,), gap, opening=True)
    return Turn(client, (piece,), gap, run=True, low=fewest, high=most)


def _usually_cut(turns: Turns, at: Array) -> Array:
    """Without the few of another number of tokens, if all others have the same: a retransmission cut them."""
    count = turns.count.take(at)
    common = count == np.argmax(np.bincount(count))
    return at[common] if common.mean() >= 1 - OUTLYING else at


def inherited(own: Turn, whole: Turn) -> Turn:
    """The turn of a division, with the ranges of the whole variant where its own are about as wide."""
    alike = (own.burst, own.run, len(own.sizes)) == (whole.burst, whole.run, len(whole.sizes))
    if not alike:
        return own
    sizes = tuple(
        wide if NARROWED * (size.high - size.low) >= wide.high - wide.low else size
        for size, wide in zip(own.sizes, whole.sizes, strict=True)
    )
    return replace(own, sizes=sizes, low=min(own.low, whole.low), high=max(own.high, whole.high))


def rounds(
    turns: Turns, client_at: Array, server_at: Array, times: Array, level: Level, client_first: bool
) -> Rounds:
    """The exchange that came `times` often; the flat indices are of its turns, all rounds together."""
    first, second = (client_at, server_at) if client_first else (server_at, client_at)
    low, high = int(times.min()), int(times.max())
    most: int | None = high
    if level.width != SEEN and high > 1:
        most = high + max(1, high // 2)
    pair = (turn(turns, first, level), turn(turns, second, level))
    return Rounds(pair, low, most)


def mixed(
    turns: Turns, client_at: Array, server_at: Array, times: Array, level: Level, client_first: bool
) -> Rounds:
    """Whatever was said in between, `times` rounds of it, as bursts of either side; the flat indices are of
    its turns."""
    sides = []
    for client, at in ((True, client_at), (False, server_at)):
        least = np.where(turns.inner.take(at) > 0, turns.smallest.take(at), turns.total.take(at))
        size = bounds(np.concatenate([least, turns.total.take(at)]), level.width, usual=level.usual)
        sides.append(Turn(client, (size,), Gap.ANY, Gap.ANY, burst=True))
    first, second = sides if client_first else sides[::-1]
    return Rounds((first, second), int(times.min()), None, mixed=True)


def _gap(paused: Array, level: Level) -> Gap:
    share = float(paused.mean())
    if level.pauses and share >= ALWAYS:
        return Gap.SOME
    if level.pauses and share <= 1 - ALWAYS:
        return Gap.NONE
    return Gap.ANY
