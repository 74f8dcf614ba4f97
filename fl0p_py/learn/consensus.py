"""Consensus: what the flows of a cluster have in common, as a pattern of the signature language.

The sequences are cut into bursts and laid along one that is near all others.  What comes of it is a course:
a burst that every flow has is a step, with a range where sizes differ; `{0,1}` where some lack it; `+?` where
only some paused; `( | ){0,n}` stands for bursts that some have in between.  It ends where the first flows
end, with `>` if all do there.

It is for reading and for pasting, not a judgement: ranges are what was seen, and of large clusters only
MOST_MEMBERS sequences are looked at.  `fl0p-learn learn` is what makes signatures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.errors import PatternError
from fl0p_py.learn.cluster import Cluster, Shapes, scaled
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.course import Course, Rounds, Step, Turn
from fl0p_py.learn.distance import LOOK, Tokens
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import MAX_SIZE, PROTOCOLS, Gap, Pattern, Size
from fl0p_py.signature.printer import pattern_text

MOST_MEMBERS = 200
"""Sequences of a cluster that are looked at: half of them the commonest, half drawn from the others."""

MOST_COMPARED = 30
"""Of these, how many are compared with each other to find the one in the middle."""

MOST_BURSTS = 24
"""Bursts of a consensus; nobody reads more."""

ENDED = 0.1
"""The consensus ends where more than this share of the flows has ended."""

BETWEEN = 0.05
"""Bursts in between are named if this share of the flows has any."""

RARE = 0.02
"""What less than this share of the flows does is left out; of a range, half of it at either end."""

MOST_TOKENS = 4
"""Tokens of a burst that are named one by one."""

MOST_PORTS = 4


class Bursts(NamedTuple):
    """The bursts of some sequences.

    total   : int64[k], bytes; tokens : int64[k], how many; first : int64[k], the first of them
    client  : bool[k]; paused : bool[k]
    offsets : int64[n + 1]
    """

    total: NDArray[np.int64]
    tokens: NDArray[np.int64]
    first: NDArray[np.int64]
    client: NDArray[np.bool_]
    paused: NDArray[np.bool_]
    offsets: NDArray[np.int64]


def bursts_of(corpus: Corpus) -> Bursts:
    """Of the first LOOK tokens of each flow."""
    starts = np.repeat(corpus.offsets[:-1], corpus.lengths)
    near = np.arange(len(corpus.tokens)) - starts < LOOK
    client = corpus.tokens > 0
    opens = corpus.paused.copy()
    opens[1:] |= client[1:] != client[:-1]
    opens[corpus.offsets[:-1]] = True
    first = np.flatnonzero(opens & near)
    size = np.where(near, np.abs(corpus.tokens.astype(np.int64)), 0)
    total = np.add.reduceat(size, first)
    tokens = np.add.reduceat(near.astype(np.int64), first)
    flow = corpus.owner[first]
    offsets = np.searchsorted(flow, np.arange(len(corpus) + 1))
    return Bursts(total, tokens, first, client[first], corpus.paused[first], offsets)


@dataclass(slots=True)
class _Place:
    """What stood at one place of the reference."""

    sizes: list[NDArray[np.int64]] = field(default_factory=list)  # of the tokens, of each member,
    times: list[int] = field(default_factory=list)  # and its flows
    there: int = 0  # flows that have it
    paused: int = 0  # of these
    gone: int = 0  # flows that have ended before
    between: int = 0  # flows with other bursts before it
    most: int = 0  # bursts in between, at most
    low: dict[bool, int] = field(default_factory=dict)  # their sizes, by direction
    high: dict[bool, int] = field(default_factory=dict)


def consensus(corpus: Corpus, cluster: Cluster, shapes: Shapes, seed: int = 0) -> Pattern:
    """The pattern of a cluster."""
    members = _members(cluster, shapes, seed)
    flows = corpus.select(shapes.first[members])
    weight = shapes.times[members]
    bursts = bursts_of(flows)
    tokens = Tokens(
        scaled(bursts.total),
        (bursts.client + 2 * bursts.paused).astype(np.uint8),
        bursts.offsets,
        np.zeros(len(members), np.uint8),
        np.zeros(len(members), np.uint16),
    )
    middle = _middle(tokens, weight)
    places, at_end = _places(flows, bursts, tokens, middle, weight)
    begin = int(bursts.offsets[middle])
    whole = int(weight.sum())
    length = _length(places, whole)
    client = bursts.client[begin : begin + length].tolist()
    steps = [
        step for number in range(length) for step in _steps(places[number], number, client[number], whole)
    ]
    ended = length == len(places) and at_end and bool(flows.end_seen.all())
    proto = PROTOCOLS[flows.proto[0]]
    course = Course(tuple(steps), start=bool(flows.start_seen.all()), end=ended)
    try:
        return parse_pattern(pattern_text(course.pattern(proto, _ports(corpus, cluster, proto))))
    except PatternError:  # nothing in it that all have
        return corpus.pattern(int(shapes.first[cluster.leader]))


def _members(cluster: Cluster, shapes: Shapes, seed: int) -> NDArray[np.int64]:
    """The shapes to look at, commonest first."""
    if len(cluster.shapes) <= MOST_MEMBERS:
        return cluster.shapes
    half = MOST_MEMBERS // 2
    rest = np.random.default_rng(seed).choice(cluster.shapes[half:], half, replace=False)
    chosen = np.concatenate([cluster.shapes[:half], rest])
    order: NDArray[np.int64] = chosen[np.lexsort((chosen, -shapes.times[chosen]))]
    return order


def _middle(tokens: Tokens, weight: NDArray[np.int64]) -> int:
    """The member that is nearest to all others."""
    count = min(len(weight), MOST_COMPARED)
    one = np.repeat(np.arange(count), count)
    other = np.tile(np.arange(count), count)
    far = tokens.distances(one, other).astype(np.int64).reshape(count, count)
    return int(np.argmin(far @ weight[:count]))


def _places(
    flows: Corpus, bursts: Bursts, tokens: Tokens, middle: int, weight: NDArray[np.int64]
) -> tuple[list[_Place], bool]:
    """What all members have at each burst of the middle one; whether none goes on behind the last."""
    count = int(bursts.offsets[middle + 1] - bursts.offsets[middle])
    places = [_Place() for _ in range(min(count, LOOK))]
    at_end = True
    for member, times in enumerate(weight.tolist()):
        begin, end = (
            int(bursts.offsets[member]),
            min(int(bursts.offsets[member + 1]), int(bursts.offsets[member]) + LOOK),
        )
        found = tokens.place(member, middle).tolist()
        last = max((number for number, burst in enumerate(found) if burst >= 0), default=-1)
        following = 0
        for number, burst in enumerate(found):
            place = places[number]
            if burst < 0:
                place.gone += times if number > last else 0
                continue
            _note_between(place, bursts, begin + following, begin + burst, times)
            following = burst + 1
            first = int(bursts.first[begin + burst])
            sizes = np.abs(flows.tokens[first : first + int(bursts.tokens[begin + burst])]).astype(np.int64)
            place.sizes.append(sizes)
            place.times.append(times)
            place.there += times
            place.paused += times if bursts.paused[begin + burst] else 0
        at_end &= begin + following == end and last == len(places) - 1
    return places, at_end


def _note_between(place: _Place, bursts: Bursts, begin: int, end: int, times: int) -> None:
    if begin == end:
        return
    place.between += times
    place.most = max(place.most, end - begin)
    for burst in range(begin, end):
        client, total = bool(bursts.client[burst]), int(bursts.total[burst])
        place.low[client] = min(place.low.get(client, total), total)
        place.high[client] = max(place.high.get(client, total), total)


def _length(places: list[_Place], whole: int) -> int:
    """How many places the consensus has: at least one."""
    for number, place in enumerate(places[:MOST_BURSTS]):
        if number and (place.gone > ENDED * whole or place.there < whole / 2):
            return number
    return min(len(places), MOST_BURSTS)


def _steps(place: _Place, number: int, client: bool, whole: int) -> list[Step]:
    """What to say of a place of the consensus; client : whose burst it is"""
    steps: list[Step] = []
    if place.between > BETWEEN * whole and place.low:
        steps.append(_between(place))
    gap = Gap.NONE
    if number and place.paused > RARE * place.there:
        gap = Gap.SOME if place.paused >= (1 - RARE) * place.there else Gap.ANY
    sizes = _sizes(place)
    if place.there + place.gone < (1 - RARE) * whole and number:
        one = Turn(client, sizes, gap) if len(sizes) == 1 else Turn(client, _total(place), gap, burst=True)
        return [*steps, Rounds((one,), 0, 1)]
    if sizes:
        return [*steps, Turn(client, sizes, gap)]
    return [*steps, Turn(client, _total(place), gap, burst=True)]


def _sizes(place: _Place) -> tuple[Size, ...]:
    """Of the tokens of a burst if nearly all have as many, else nothing."""
    flows: Counter[int] = Counter()
    for sizes, times in zip(place.sizes, place.times, strict=True):
        flows[len(sizes)] += times
    (count, most), *_ = flows.most_common()
    if most < (1 - RARE) * place.there or count > MOST_TOKENS:
        return ()
    usual = [
        (sizes, times) for sizes, times in zip(place.sizes, place.times, strict=True) if len(sizes) == count
    ]
    columns = np.array([sizes for sizes, _ in usual])
    weight = np.array([times for _, times in usual])
    return tuple(_size(*_range(column, weight)) for column in columns.T)


def _total(place: _Place) -> tuple[Size]:
    """Of all of a burst."""
    totals = np.array([sizes.sum() for sizes in place.sizes])
    return (_size(*_range(totals, np.array(place.times))),)


def _range(sizes: NDArray[np.int64], weight: NDArray[np.int64]) -> tuple[int, int]:
    """The smallest and the largest that are not rare."""
    order = np.argsort(sizes, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    low = int(np.searchsorted(share, RARE / 2, "right"))
    high = int(np.searchsorted(share, 1 - RARE / 2, "left"))
    return int(sizes[order[low]]), int(sizes[order[min(high, len(sizes) - 1)]])


def _between(place: _Place) -> Rounds:
    """Any of the bursts that some have before this place."""
    sizes = {client: _size(place.low[client], place.high[client]) for client in sorted(place.low)}
    sides = tuple(Turn(client, (size,), burst=True) for client, size in sizes.items())
    return Rounds(sides, 0, -(-place.most // len(sides)), mixed=True)


def _size(low: int, high: int) -> Size:
    low, high = min(low, MAX_SIZE), min(high, MAX_SIZE)
    return Size(low, high, exact=low == high < MAX_SIZE)


def _ports(corpus: Corpus, cluster: Cluster, proto: str) -> tuple[tuple[int, int], ...]:
    ports: NDArray[Any] = np.unique(corpus.server_port[cluster.flows])
    if proto == "icmp" or len(ports) > MOST_PORTS:
        return ()
    return tuple((port, port) for port in ports.tolist())
