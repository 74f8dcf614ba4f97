"""Explore: a harvest as a short list of clusters that somebody can look through.

Of each of the largest clusters: how many flows, where they go, what they have in common, whether known
signatures name them, and how well the common pattern tells them from all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn import trial
from fl0p_py.learn.cluster import Cluster, Shapes, cluster
from fl0p_py.learn.consensus import consensus
from fl0p_py.learn.corpus import NO_LABEL, NO_TIME, Corpus
from fl0p_py.learn.picture import MOST_TOKENS
from fl0p_py.learn.stage import Progress, Told, silent, stage
from fl0p_py.signature.pattern import Pattern, Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from fl0p_py.signature.specificity import bits

MOST_NAMED = 5
"""Of servers, ports, names and labels: the commonest so many."""

MOST_EXAMPLES = 3

TRIED_AT_ONCE = 48
"""Patterns whose matches with all flows are in memory at a time."""

PORT_NAMES = ("none", *map(str, range(1, 1 << 16)))


class Counted(NamedTuple):
    """Something, and how many flows have it."""

    what: str
    flows: int


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A cluster as it is shown.

    number    : from 1, by flows
    flows, sequences, servers, clients, ports : how many there are of each
    top_servers, top_ports, known, labels : the commonest; known: signatures that name its flows
    pattern   : the consensus, text of a signature's pattern; bits : its specificity
    takes     : flows of the cluster that it matches; others : other flows
    tokens, paused : the sequence that leads, at most MOST_TOKENS
    low, high : for each of these tokens, the least and greatest size of that direction there in the cluster
    examples  : places in the logs
    first_ns, last_ns : when its flows were seen, NO_TIME where not known
    """

    number: int
    flows: int
    sequences: int
    servers: int
    clients: int
    ports: int
    top_servers: tuple[Counted, ...]
    top_ports: tuple[Counted, ...]
    known: tuple[Counted, ...]
    labels: tuple[Counted, ...]
    pattern: str
    bits: float
    takes: int
    others: int
    tokens: tuple[int, ...]
    paused: tuple[bool, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    examples: tuple[str, ...]
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Exploration:
    """What was found.

    flows, sequences, clusters : in all; sizes : int64[clusters], flows of each, descending
    rows     : the largest clusters
    left_out : flows of clusters that are too small, or one too many, to be shown; rest_ports : their ports
    """

    flows: int
    sequences: int
    clusters: int
    sizes: NDArray[np.int64]
    rows: tuple[Row, ...]
    left_out: int
    rest_ports: tuple[Counted, ...]


def explore(
    corpus: Corpus,
    signatures: SignatureSet,
    *,
    distance: float = 0.3,
    most: int = 40,
    least: int = 2,
    seed: int = 0,
    only_unknown: bool = False,
    threshold_ms: int = 400,
    progress: Progress = silent,
) -> Exploration:
    """Cluster the flows and describe the largest clusters.

    signatures   : those whose names are told
    most, least  : clusters shown, and flows in each of them
    only_unknown : leave out flows that a signature names
    """
    named = _named(signatures, corpus, threshold_ms, stage(progress, "naming flows"))
    if only_unknown:
        unknown = named < 0
        corpus, named = corpus.select(unknown), named[unknown]
    clusters, shapes = cluster(
        corpus, distance=distance, seed=seed, told=stage(progress, "comparing sequences")
    )
    shown = [each for each in clusters[:most] if len(each.flows) >= least]
    patterns = []
    for number, each in enumerate(shown):
        progress("finding what they share", number, len(shown))
        patterns.append(consensus(corpus, each, shapes, seed))
    judged = _judged(corpus, shown, patterns, threshold_ms, stage(progress, "trying patterns"))
    names = [signature.id for signature in signatures.signatures]
    rows = tuple(
        _row(
            number,
            corpus,
            each,
            shapes,
            patterns[number - 1],
            judged[number - 1],
            _count(named[each.flows], names),
        )
        for number, each in enumerate(shown, 1)
    )
    rest = np.ones(len(corpus), np.bool_)
    for each in shown:
        rest[each.flows] = False
    return Exploration(
        flows=len(corpus),
        sequences=len(corpus.unique().first),
        clusters=len(clusters),
        sizes=np.array([len(each.flows) for each in clusters], np.int64),
        rows=rows,
        left_out=int(rest.sum()),
        rest_ports=_count(corpus.server_port[rest], PORT_NAMES),
    )


def _named(signatures: SignatureSet, corpus: Corpus, threshold_ms: int, told: Told) -> NDArray[np.int64]:
    """int64[n]: the signature that spoke last of each flow, with something to say; -1 none."""
    named = np.full(len(corpus), -1, np.int64)
    if signatures.signatures and len(corpus):
        found = trial.matches(signatures, corpus, threshold_ms=threshold_ms, told=told)
        for kept in (found.lost, ~found.lost):  # what was lost counts only where nothing else was said
            named[found.flow[kept]] = found.signature[kept]
    return named


def _judged(
    corpus: Corpus, clusters: list[Cluster], patterns: list[Pattern], threshold_ms: int, told: Told
) -> list[tuple[int, int]]:
    """Of each cluster, (its flows that its pattern matches, other flows that it matches)."""
    tried = [Signature(str(number), "", pattern) for number, pattern in enumerate(patterns)]
    found = []
    for at in range(0, len(clusters), TRIED_AT_ONCE):
        told(at, len(clusters))
        part = slice(at, at + TRIED_AT_ONCE)
        hits = trial.each(tried[part], corpus, threshold_ms=threshold_ms, fuzzy=False) > 0
        for each, hit in zip(clusters[part], hits, strict=True):
            takes = int(hit[each.flows].sum())
            found.append((takes, int(hit.sum()) - takes))
    return found


def _row(
    number: int,
    corpus: Corpus,
    each: Cluster,
    shapes: Shapes,
    pattern: Pattern,
    judged: tuple[int, int],
    known: tuple[Counted, ...],
) -> Row:
    flows = each.flows
    leader = int(shapes.first[each.leader])
    tokens = corpus.tokens[corpus.offsets[leader] : corpus.offsets[leader + 1]][:MOST_TOKENS]
    low, high = _bounds(corpus, flows, tokens)
    times = np.concatenate([corpus.start_ns[flows], corpus.end_ns[flows]])
    times = times[times != NO_TIME]
    ports = corpus.server_port[flows]
    return Row(
        number=number,
        flows=len(flows),
        sequences=len(np.unique(shapes.inverse[flows])),
        servers=len(np.unique(corpus.server[flows])),
        clients=len(np.unique(corpus.client[flows])),
        ports=len(np.unique(ports)),
        top_servers=_count(corpus.server[flows], corpus.hosts),
        top_ports=_count(ports, PORT_NAMES),
        known=known,
        labels=_count(corpus.label[flows], corpus.labels, nothing=NO_LABEL),
        pattern=pattern_text(pattern),
        bits=bits(pattern),
        takes=judged[0],
        others=judged[1],
        tokens=tuple(tokens.tolist()),
        paused=tuple(
            corpus.paused[corpus.offsets[leader] : corpus.offsets[leader + 1]][:MOST_TOKENS].tolist()
        ),
        low=low,
        high=high,
        examples=tuple(corpus.place(int(flow)) for flow in flows[:MOST_EXAMPLES]),
        first_ns=int(times.min(initial=np.iinfo(np.int64).max)) if len(times) else NO_TIME,
        last_ns=int(times.max()) if len(times) else NO_TIME,
    )


def _bounds(
    corpus: Corpus, flows: NDArray[np.int64], leader: NDArray[np.int32]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The least and greatest size at each of the first places, of tokens in the leader's direction."""
    least, greatest = [], []
    lengths, begin = corpus.lengths[flows], corpus.offsets[flows]
    for place, token in enumerate(leader.tolist()):
        there = corpus.tokens[begin[lengths > place] + place]
        sizes = np.abs(there[(there > 0) == (token > 0)])
        least.append(int(sizes.min()))
        greatest.append(int(sizes.max()))
    return tuple(least), tuple(greatest)


def _count(values: NDArray[Any], names: Any, nothing: int = -1) -> tuple[Counted, ...]:
    """The commonest values, by their names; equally common ones in the order of their numbers."""
    found, flows = np.unique(values[values != nothing], return_counts=True)
    order = np.argsort(-flows, kind="stable")[:MOST_NAMED]
    return tuple(Counted(str(names[int(found[at])]), int(flows[at])) for at in order)
