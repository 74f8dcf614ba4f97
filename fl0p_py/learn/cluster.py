"""Cluster: flows whose sequences are alike, found among many.

Flows of one sequence and port are looked at once, as a *shape*.  Shapes are compared by the kernel in
distance.pyx; the commonest lead.  The same corpus gives the same clusters, whatever the order in which it was
read; another seed breaks ties among equally common shapes in another way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.distance import OCTAVE, Tokens
from fl0p_py.learn.stage import Told, nobody

FLOOR = 16
"""Bytes added to a size before its logarithm: below, differences stop to matter."""

OWN_PORTS = 64
"""Ports that count as services of their own: the commonest,"""

OWN_FLOWS = 3
"""with at least so many flows.  All others, such as those of a scan, are one."""


class Shapes(NamedTuple):
    """The distinct sequences with the port they were seen on.

    first   : int64[k], a flow that has it
    inverse : int64[n], shape of each flow
    times   : int64[k], flows that have it
    port    : uint16[k], 0 for ports that do not count
    """

    first: NDArray[np.int64]
    inverse: NDArray[np.int64]
    times: NDArray[np.int64]
    port: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """flows : int64, ascending; shapes : int64, commonest first; leader : the shape that all are like"""

    flows: NDArray[np.int64]
    shapes: NDArray[np.int64]
    leader: int


def shapes_of(corpus: Corpus) -> Shapes:
    """The shapes of a corpus, in the order of their first flows."""
    unique = corpus.unique()
    own = _own_ports(corpus.server_port)
    port = np.where(own[corpus.server_port], corpus.server_port, 0).astype(np.uint16)
    key = unique.inverse * (1 << 16) + port
    _, first, inverse, times = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    place = np.argsort(np.argsort(first))  # numbered by first flow
    order = np.argsort(first)
    return Shapes(first[order], place[inverse], times[order], port[first[order]])


def _own_ports(ports: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """bool[65536]: the ports that count as services of their own."""
    flows = np.bincount(ports, minlength=1 << 16)
    common = np.argsort(-flows, kind="stable")[:OWN_PORTS]
    own = np.zeros(1 << 16, np.bool_)
    own[common[flows[common] >= OWN_FLOWS]] = True
    own[0] = False
    return own


def tokens_of(corpus: Corpus, shapes: Shapes) -> Tokens:
    """The shapes as the kernel takes them."""
    chosen = corpus.select(shapes.first)
    return Tokens(
        scaled(chosen.tokens),
        kinds(chosen.tokens, chosen.paused, chosen.offsets),
        chosen.offsets,
        (chosen.proto * 2 + chosen.start_seen).astype(np.uint8),
        shapes.port,
    )


def scaled(tokens: NDArray[Any]) -> NDArray[np.int32]:
    """Sizes on the kernel's log scale."""
    log: NDArray[np.int32] = np.rint(OCTAVE * np.log2(np.abs(tokens.astype(np.float64)) + FLOOR)).astype(
        np.int32
    )
    return log


def kinds(
    tokens: NDArray[np.int32], paused: NDArray[np.bool_], offsets: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """1 from the client, 2 paused, 4 continues a run."""
    client = tokens > 0
    runs = np.zeros(len(tokens), np.bool_)
    runs[1:] = client[1:] == client[:-1]
    runs[offsets[:-1]] = False
    kind: NDArray[np.uint8] = (client + 2 * paused + 4 * (runs & ~paused)).astype(np.uint8)
    return kind


def cluster(
    corpus: Corpus,
    *,
    distance: float = 0.3,
    seed: int = 0,
    told: Told = nobody,
) -> tuple[list[Cluster], Shapes]:
    """The clusters, largest first, and the shapes they are made of.

    distance : the largest between a sequence and the one that leads its cluster, 0 to 1
    told : sequences that are done, of how many
    """
    shapes = shapes_of(corpus)
    count = len(shapes.first)
    if not count:
        return [], shapes
    tokens = tokens_of(corpus, shapes)
    mixed = np.random.default_rng(seed).permutation(count)
    order = np.lexsort((mixed, -shapes.times))

    leader = tokens.leaders(order, round(1000 * distance), lambda done: told(done, 2 * count))
    flows_of = _grouped(leader[shapes.inverse])
    shapes_in = _grouped(leader)
    found = [
        Cluster(flows_of[lead], members[np.argsort(-shapes.times[members], kind="stable")], lead)
        for lead, members in shapes_in.items()
    ]
    return sorted(found, key=lambda each: (-len(each.flows), int(each.flows[0]))), shapes


def _grouped(key: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """Indices by key, ascending."""
    order = np.argsort(key, kind="stable")
    cuts = np.flatnonzero(np.diff(key[order])) + 1
    return {int(key[part[0]]): part for part in np.split(order, cuts)}
