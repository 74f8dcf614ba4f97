"""Turns: the flows of a corpus as rows of a matrix, one column a turn of the conversation.

A *turn* is all that one side sends until the other side speaks: one or several tokens, with or without
pauses between them.  How TCP cut it is a detail of the turn, so flows of one service that differ only
by segmentation have equal rows.  Even columns are the client's, odd ones the server's; where the
server speaks first, column 0 is empty.  Turns beyond MAX_TURNS are left out (`whole` says so).
The last column is always empty: from any turn there is a next place in the same row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.corpus import Corpus
from fl0p_py.signature.pattern import PROTOCOLS

MAX_TURNS = 40
"""Columns of a row; what a signature needs to see stands at the beginning of a flow nearly always."""

MAX_TOKENS = 4
"""Tokens of a turn whose own sizes are kept; longer turns are bursts or runs."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Turns:
    """Rows of flows, columns of turns.

    begin    : int64[n], column of the first turn, 0 or 1
    end      : int64[n], column behind the last turn kept
    whole    : bool[n], all turns are kept
    started  : bool[n], the flow's start was seen; ended : its end
    total    : int32[n, T], bytes of the turn; 0: there is none
    count    : int32[n, T], tokens of the turn
    smallest, largest : int32[n, T], of its tokens
    inner    : int32[n, T], pauses inside the turn
    pause    : bool[n, T], a pause stands before it
    final    : int32[n, T], size of its last token
    tokens   : int32[n, T, MAX_TOKENS], sizes of its first tokens, 0 behind the last
    stream   : of TCP, which cuts a message as it likes
    """

    begin: Array
    end: Array
    whole: Array
    started: Array
    ended: Array
    total: Array
    count: Array
    smallest: Array
    largest: Array
    inner: Array
    pause: Array
    final: Array
    tokens: Array
    stream: bool

    def __len__(self) -> int:
        return len(self.begin)


def turns_in(corpus: Corpus, flows: Array) -> Turns:
    """The rows of some flows of a corpus."""
    part = corpus.select(flows)
    stream = bool((part.proto == PROTOCOLS.index("tcp")).all())
    return turns_of(part.tokens, part.paused, part.offsets, part.start_seen, part.end_seen, stream=stream)


def turns_of(
    tokens: Array, paused: Array, offsets: Array, started: Array, ended: Array, *, stream: bool = True
) -> Turns:
    """The rows of flows in compressed form.

    tokens : int32[total], positive from the client; paused : bool[total], a pause before the token
    offsets : int64[n + 1], where each flow's tokens begin
    """
    n = len(offsets) - 1
    lengths = np.diff(offsets)
    flow = np.repeat(np.arange(n), lengths)
    client = tokens > 0
    size = np.abs(tokens).astype(np.int32)
    opening = np.ones(len(tokens), np.bool_)
    opening[1:] = (client[1:] != client[:-1]) | (flow[1:] != flow[:-1])
    first = offsets[:-1][lengths > 0]
    begin = np.zeros(n, np.int64)
    begin[lengths > 0] = ~client[first]
    number = np.cumsum(opening) - 1  # of the turn, over all flows
    number_first = np.zeros(n, np.int64)
    number_first[lengths > 0] = number[first]
    column = number - number_first[flow] + begin[flow]
    turns = np.zeros(n, np.int64)
    np.maximum.at(turns, flow, column + 1)
    kept = column < MAX_TURNS
    return _filled(
        _Kept(flow[kept], column[kept], size[kept], opening[kept], (paused & ~_at(first, len(tokens)))[kept]),
        begin,
        turns,
        np.asarray(started, np.bool_),
        np.asarray(ended, np.bool_),
        stream,
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """Tokens, each with its place; opening : it begins a turn."""

    flow: Array
    column: Array
    size: Array
    opening: Array
    paused: Array


def _at(places: Array, length: int) -> Array:
    mask = np.zeros(length, np.bool_)
    mask[places] = True
    return mask


def _filled(kept: _Kept, begin: Array, turns: Array, started: Array, ended: Array, stream: bool) -> Turns:
    n = len(begin)
    width = max(2, int(min(MAX_TURNS, turns.max(initial=0))))
    shape = (n, width + 1)
    starts = np.flatnonzero(kept.opening)
    at = (kept.flow[starts], kept.column[starts])
    total, count, smallest, largest, inner, final = (np.zeros(shape, np.int32) for _ in range(6))
    pause = np.zeros(shape, np.bool_)
    sizes = np.zeros((*shape, MAX_TOKENS), np.int32)
    if len(starts):
        total[at] = np.add.reduceat(kept.size, starts)
        counts = np.diff(np.append(starts, len(kept.size)))
        count[at] = counts
        smallest[at] = np.minimum.reduceat(kept.size, starts)
        largest[at] = np.maximum.reduceat(kept.size, starts)
        pause[at] = kept.paused[starts]
        final[at] = kept.size[np.append(starts[1:], len(kept.size)) - 1]
        inner[at] = np.add.reduceat((kept.paused & ~kept.opening).astype(np.int32), starts)
        place = np.arange(len(kept.size)) - np.repeat(starts, counts)
        few = place < MAX_TOKENS
        sizes[kept.flow[few], kept.column[few], place[few]] = kept.size[few]
    end = np.minimum(turns, width)
    whole = turns <= MAX_TURNS
    return Turns(
        *(begin, end, whole, started, ended),
        *(total, count, smallest, largest, inner, pause, final, sizes),
        stream,
    )
