"""Learner: from labelled flows to the patterns that tell them apart.

For each target (target.py) the distinct flows that speak for it are sorted into variants, the variants
give candidates, a cover is chosen among these, and what was chosen is tried by the matcher itself on
every flow that speaks against the target; what fails there is struck out and the cover chosen anew.
Background are flows with the label BACKGROUND: they speak against everything.  The result depends on the
flows and the options, not on the order of flows or files.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.candidate import Candidate, Field, candidates
from fl0p_py.learn.chain import chains
from fl0p_py.learn.corpus import EMPTY, Corpus
from fl0p_py.learn.course import Ports
from fl0p_py.learn.cover import cover
from fl0p_py.learn.pivot import pivots
from fl0p_py.learn.target import Target, meaning, targets
from fl0p_py.learn.trial import each
from fl0p_py.learn.turn import Turns, turns_of
from fl0p_py.learn.variant import Variant, in_step, saying, variants
from fl0p_py.signature.pattern import PROTOCOLS, Pattern, Signature

BACKGROUND = "(background)"
"""The label of flows of which one knows only that they are none of the classes."""

MOST_PORTS = 8
"""Ports that a signature may ask for."""

PORT_SHARE = 0.95
"""Of a class's flows that go to them, or the class has no ports of its own."""

POOR = 0.98
"""Below this share of the class, what the signatures do not name is looked at once more."""

FEW = 2
"""Signatures without a port, saying enough and naming nearly all, that make those with a port needless."""

MOST_TRIES = 16
"""Covers chosen anew after the matcher struck something out."""

MOST_DISTINCT = 4_000
"""Sequences of one class and protocol that are looked at; of more, evenly chosen ones in canonical order."""

WORTH_PROCESSES = 1_000
"""Flows from which on several targets are learned at a time, each in a process."""

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Options:
    """max_false : flows of others that the signatures of one target may name, in all

    min_flows : flows that a signature has to name to be worth keeping
    threshold_ms : what a `+` of the corpus is
    """

    max_false: int = 0
    min_flows: int = 3
    threshold_ms: int = 400


DEFAULTS = Options()


class Clash(NamedTuple):
    """One sequence, on one port, that speaks for and against a target.

    flow, other : of the corpus, the first flows of both kinds; times : how often it speaks for the target
    """

    flow: int
    other: int
    times: int


class Learned(NamedTuple):
    """A pattern and what it rests on.

    named : flows of the corpus that speak for the target and that it names; tokens : of each by then
    false : flows that it names though they speak against
    """

    pattern: Pattern
    named: Array
    tokens: Array
    false: Array


class Lesson(NamedTuple):
    """What became of one target.

    own : flows that speak for it; unnamed : those that no pattern names
    """

    target: Target
    learned: tuple[Learned, ...]
    own: Array
    unnamed: Array
    clashes: tuple[Clash, ...]


class Learner:
    """Learns one target; asked again after `strike`, it does without what was struck."""

    def __init__(self, corpus: Corpus, target: Target, options: Options) -> None:
        self.corpus, self.target, self.options = corpus, target, options
        verdict = sides(corpus, target)
        self.own, self.other = np.flatnonzero(verdict > 0), np.flatnonzero(verdict < 0)
        self.clashes = self._clashes()
        self.protocols = [_Protocol(self, int(proto)) for proto in np.unique(corpus.proto[self.own]).tolist()]

    def lesson(self) -> Lesson:
        learned = tuple(one for protocol in self.protocols for one in protocol.learned())
        named = np.unique(np.concatenate([one.named for one in learned])) if learned else self.own[:0]
        return Lesson(self.target, learned, self.own, np.setdiff1d(self.own, named), self.clashes)

    def strike(self, pattern: Pattern) -> None:
        for protocol in self.protocols:
            protocol.strike(pattern)

    def of(self, target: Target) -> Learner:
        """The same for another target of the same flows."""
        other = copy(self)
        other.target, other.protocols = target, [protocol.of(target) for protocol in self.protocols]
        return other

    def attach(self, corpus: Corpus) -> None:
        """Use this corpus, which holds the flows that were learned from, or nothing while in between."""
        self.corpus = corpus
        for protocol in self.protocols:
            protocol.corpus = corpus

    def distinct_others(self, proto: int) -> list[int]:
        """One flow for each sequence that speaks against the target."""
        found = next((part.other.first for part in self.protocols if part.proto == proto), self.other[:0])
        return [int(flow) for flow in found]

    def _clashes(self) -> tuple[Clash, ...]:
        key = _key(self.corpus)
        own, first, times = np.unique(key[self.own], return_index=True, return_counts=True)
        other, there = np.unique(key[self.other], return_index=True)
        _, mine, theirs = np.intersect1d(own, other, return_indices=True)
        return tuple(
            Clash(int(self.own[first[i]]), int(self.other[there[j]]), int(times[i]))
            for i, j in zip(mine.tolist(), theirs.tolist(), strict=True)
        )


class _Distinct(NamedTuple):
    """Distinct flows: `first` of each, as rows of the corpus; times; inverse: of all flows asked for."""

    first: Array
    times: Array
    inverse: Array


class _Protocol:
    """The part of a lesson that is about one protocol."""

    def __init__(self, learner: Learner, proto: int) -> None:
        self.corpus, self.options, self.target = learner.corpus, learner.options, learner.target
        self.proto = proto
        key = _key(self.corpus)
        clashing = key[[clash.flow for clash in learner.clashes]]
        own = learner.own[self.corpus.proto[learner.own] == proto]
        self.flows = own[~np.isin(key[own], clashing)]
        other = learner.other[self.corpus.proto[learner.other] == proto]
        self.own, self.other = _distinct(key, self.flows), _distinct(key, other)
        self.other_flows = other
        self.turns = turns(self.corpus, self.own.first)
        self.tried: dict[Pattern, tuple[Array, Array]] = {}
        self.struck: set[Pattern] = set()
        self.candidates = self._candidates(_spread(len(self.own.first)))
        self.looked_again = False

    def learned(self) -> list[Learned]:
        """The best cover that the matcher confirms; what it leaves over is looked at once more."""
        chosen = self._confirmed_cover()
        if not self.looked_again:
            self.looked_again = True
            named = np.zeros(len(self.turns), np.bool_)
            for one in chosen:
                named |= self.tried[self.pattern(one)][0] > 0
            rest = np.flatnonzero(~named)
            if self.own.times[rest].sum() > (1 - POOR) * self.own.times.sum():
                self.candidates += self._candidates(rest)
                chosen = self._confirmed_cover()
        return [self._learned(self._eased(one)) for one in chosen]

    def _confirmed_cover(self) -> list[Candidate]:
        options = self.options
        chosen: list[Candidate] = []
        for _ in range(MOST_TRIES):
            left = [one for one in self.candidates if self.pattern(one) not in self.struck]
            chosen = cover(left, self.own.times, min_flows=options.min_flows, max_false=options.max_false)
            self._try([self.pattern(one) for one in chosen])
            confirmed = [self._confirmed(one) for one in chosen]
            if all(confirmed):
                break
        return [one for one in chosen if self.pattern(one) not in self.struck]

    def of(self, target: Target) -> _Protocol:
        other = copy(self)
        other.target, other.struck, other.candidates = target, set(self.struck), list(self.candidates)
        return other

    def strike(self, pattern: Pattern) -> None:
        self.struck.add(pattern)

    def _eased(self, candidate: Candidate) -> Pattern:
        """Its pattern with wider ranges, if the matcher agrees that it names no less and nothing else."""
        own, wider = self.pattern(candidate), self.pattern(candidate.eased())
        self._try([wider])
        (named, false), (also, wrong) = self.tried[own], self.tried[wider]
        sound = not ((named > 0) & (also == 0)).any() and not ((wrong > 0) & (false == 0)).any()
        return wider if sound and wider not in self.struck else own

    def pattern(self, candidate: Candidate) -> Pattern:
        field = candidate.field
        return candidate.course.pattern(field.proto, field.ports)

    def _candidates(self, rows: Array) -> list[Candidate]:
        """Candidates for some of the distinct flows."""
        if not len(rows):
            return []
        stepping = in_step(self.turns, rows)
        said = [part for one in stepping for part in saying(self.turns, self.own.times, one)]
        sorted_in = [*stepping, *said, *variants(self.turns, self.own.times, rows)]
        found = self._searched(sorted_in, rows, ())
        ports = self._ports()
        if ports and not self._suffice(found, rows):
            found += self._searched(sorted_in, rows, ports)
        return found

    def _suffice(self, found: Sequence[Candidate], rows: Array) -> bool:
        """Whether a few of the candidates name nearly all of the flows, so that no port need be asked for."""
        times = np.zeros_like(self.own.times)
        times[rows] = self.own.times[rows]
        options = self.options
        chosen = cover(found, times, min_flows=options.min_flows, max_false=options.max_false)
        named = np.zeros(len(times), np.bool_)
        for one in chosen:
            named |= one.covered
        enough = len(chosen) <= FEW and not any(one.wanting for one in chosen)
        return enough and bool(times[named].sum() >= POOR * times.sum())

    def _searched(self, sorted_in: Sequence[Variant], rows: Array, ports: Ports) -> list[Candidate]:
        other, times = self.other.first, self.other.times
        inside = np.ones(len(self.own.first), np.bool_)
        if ports:
            numbers = [low for low, _ in ports]
            kept = np.isin(self.corpus.server_port[other], numbers)
            other, times = other[kept], times[kept]
            inside = np.isin(self.corpus.server_port[self.own.first], numbers)
        field = Field(
            self.turns,
            self.own.times,
            turns(self.corpus, other),
            times,
            PROTOCOLS[self.proto],
            ports,
            bool(ports or self._ports()),
            _exact(self.target),
            self.options.max_false,
            self.options.min_flows,
        )
        fixed = pivots(field.own, field.own_times, field.other, field.other_times, rows)
        linked = chains(field.own, field.own_times, field.other, field.other_times, rows)
        found = candidates(field, [*sorted_in, *fixed, *linked])
        return [replace(candidate, covered=candidate.covered & inside) for candidate in found]

    def _ports(self) -> Ports:
        """The few ports to which nearly all of the class's flows go; () if they have none."""
        if PROTOCOLS[self.proto] == "icmp":
            return ()
        ports, counts = np.unique(self.corpus.server_port[self.flows], return_counts=True)
        order = np.argsort(-counts, kind="stable")[:MOST_PORTS]
        share = np.cumsum(counts[order]) / counts.sum()
        enough = int(np.searchsorted(share, PORT_SHARE)) + 1
        if share[-1] < PORT_SHARE:
            return ()
        return tuple((port, port) for port in sorted(ports[order[:enough]].tolist()))

    def _try(self, patterns: Sequence[Pattern]) -> None:
        """Let the matcher say which of the distinct flows the patterns name."""
        new = [pattern for pattern in dict.fromkeys(patterns) if pattern not in self.tried]
        if not new:
            return
        flows = np.concatenate([self.own.first, self.other.first])
        order = np.argsort(flows, kind="stable")
        signatures = [Signature(f"candidate.{i}", "", pattern, edits=False) for i, pattern in enumerate(new)]
        sorted_tokens = each(
            signatures, self.corpus.select(flows[order]), threshold_ms=self.options.threshold_ms
        )
        tokens = np.zeros_like(sorted_tokens)
        tokens[:, order] = sorted_tokens
        split = len(self.own.first)
        for number, pattern in enumerate(new):
            self.tried[pattern] = tokens[number, :split], tokens[number, split:]

    def _confirmed(self, candidate: Candidate) -> bool:
        """Whether the matcher agrees; if not, the candidate is struck or takes over what the matcher said."""
        pattern = self.pattern(candidate)
        named, false = self.tried[pattern]
        wrong = int(self.other.times[false > 0].sum())
        if wrong > self.options.max_false or self.own.times[named > 0].sum() < self.options.min_flows:
            self.struck.add(pattern)
            return False
        if (named > 0).sum() >= candidate.covered.sum():
            return True
        place = next(i for i, one in enumerate(self.candidates) if one is candidate)
        self.candidates[place] = replace(candidate, covered=named > 0)
        return False

    def _learned(self, pattern: Pattern) -> Learned:
        named, false = self.tried[pattern]
        tokens = named[self.own.inverse]
        return Learned(
            pattern,
            self.flows[tokens > 0],
            tokens[tokens > 0],
            self.other_flows[false[self.other.inverse] > 0],
        )


def learners(
    corpus: Corpus,
    options: Options,
    *,
    wanted: Sequence[Target] | None = None,
    step: Callable[[Target], None] = lambda target: None,
) -> list[Learner]:
    """One for each target of the corpus's labels.  step : called before each, for a progress bar

    Targets that the same flows speak for and against, as of two facets that always go together, are learned
    once.
    """
    named = [label for label in corpus.labels if label != BACKGROUND]
    chosen = targets(named) if wanted is None else list(wanted)
    first: dict[tuple[bytes, bool], Target] = {}
    alike = [first.setdefault((sides(corpus, one).tobytes(), _exact(one)), one) for one in chosen]
    different = list(first.values())
    workers = min(len(os.sched_getaffinity(0)), len(different))
    learn = _one_by_one if workers < 2 or len(corpus) < WORTH_PROCESSES else partial(_side_by_side, workers)
    learned: dict[Target, Learner] = {}
    found = []
    with learn(corpus, options, different) as ask:
        for target, same in zip(chosen, alike, strict=True):
            step(target)
            if target is same:
                learned[target] = ask(target)
            found.append(learned[target] if target is same else learned[same].of(target))
    return found


Ask = Callable[[Target], Learner]


@contextmanager
def _one_by_one(corpus: Corpus, options: Options, _: Sequence[Target]) -> Iterator[Ask]:
    yield lambda target: Learner(corpus, target, options)


@contextmanager
def _side_by_side(workers: int, corpus: Corpus, options: Options, chosen: Sequence[Target]) -> Iterator[Ask]:
    """The same in processes, each of which has learned its targets for the first time already; those with
    most flows are begun first, so that none is left to run alone in the end."""
    with ProcessPoolExecutor(
        workers, get_context("fork"), initializer=_remember, initargs=(corpus, options)
    ) as pool:
        flows = {target: int((sides(corpus, target) > 0).sum()) for target in chosen}
        waiting = {
            one: pool.submit(_taught, one) for one in sorted(chosen, key=flows.__getitem__, reverse=True)
        }

        def ask(target: Target) -> Learner:
            learner = waiting.pop(target).result()
            learner.attach(corpus)
            return learner

        yield ask


_shared: list[tuple[Corpus, Options]] = []
"""Of a process of the pool: what all its targets are learned from."""


def _remember(corpus: Corpus, options: Options) -> None:
    _shared[:] = [(corpus, options)]


def _taught(target: Target) -> Learner:
    corpus, options = _shared[0]
    learner = Learner(corpus, target, options)
    learner.lesson()
    learner.attach(EMPTY)  # the parent has the corpus
    return learner


def _exact(target: Target) -> bool:
    """Whether its signatures are written with `=`."""
    return any(name == "outcome" for name, _ in target.facets)


def sides(corpus: Corpus, target: Target) -> Array:
    """int8[n]: 1 for flows that speak for the target, -1 against it, 0 neither."""
    by_label = np.array([*(_verdict(target, label) for label in corpus.labels), 0], np.int8)
    found: Array = by_label[corpus.label]  # NO_LABEL is the last
    return found


def _verdict(target: Target, label: str) -> int:
    agrees = False if label == BACKGROUND else target.agrees(meaning(label))
    if agrees is None:
        return -1 if "=" in label else 0  # a label of facets says all there is
    return 1 if agrees else -1


def _key(corpus: Corpus) -> Array:
    """int64[n]: equal for flows alike in protocol, anchors, tokens, pauses and the server's port."""
    return corpus.unique().inverse * 65536 + corpus.server_port


def _distinct(key: Array, flows: Array) -> _Distinct:
    _, first, inverse, times = np.unique(
        key[flows], return_index=True, return_inverse=True, return_counts=True
    )
    return _Distinct(flows[first], times, inverse)


def _spread(count: int) -> Array:
    """Indices of all, or of MOST_DISTINCT of them."""
    if count <= MOST_DISTINCT:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MOST_DISTINCT).astype(np.int64))


def turns(corpus: Corpus, flows: Array) -> Turns:
    """The rows of some flows of a corpus."""
    part = corpus.select(flows)
    stream = bool((part.proto == PROTOCOLS.index("tcp")).all())
    return turns_of(part.tokens, part.paused, part.offsets, part.start_seen, part.end_seen, stream=stream)
