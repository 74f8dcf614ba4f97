"""Part: what is learned of one target's flows of one protocol.

The distinct flows are sorted into variants, the variants give candidates, a cover is chosen among these, and
what was chosen is tried by the matcher itself on every flow that speaks against the target; what fails there
is struck out and the cover chosen anew.  What is left over is looked at once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.candidate import Candidate, Field
from fl0p_py.learn.chain import chains
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.course import Ports
from fl0p_py.learn.cover import cover
from fl0p_py.learn.distinct import distinct, key_of, spread
from fl0p_py.learn.lesson import Learned, Options
from fl0p_py.learn.pivot import pivots
from fl0p_py.learn.search import candidates
from fl0p_py.learn.target import Target
from fl0p_py.learn.trial import each
from fl0p_py.learn.turn import turns_in
from fl0p_py.learn.variant import Variant, in_step, saying, variants
from fl0p_py.signature.pattern import PROTOCOLS, Pattern, Signature

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

Array = NDArray[Any]


class Part:
    """Asked again after `strike`, it does without what was struck.

    own, other : of the corpus, the flows that speak for and against the target; clashing : keys (distinct.py)
    of those that do both
    """

    def __init__(
        self,
        corpus: Corpus,
        proto: int,
        own: Array,
        other: Array,
        clashing: Array,
        target: Target,
        options: Options,
    ) -> None:
        self.corpus, self.options, self.target, self.proto = corpus, options, target, proto
        key = key_of(corpus)
        own = own[corpus.proto[own] == proto]
        self.flows = own[~np.isin(key[own], clashing)]
        self.other_flows = other[corpus.proto[other] == proto]
        self.own, self.other = distinct(key, self.flows), distinct(key, self.other_flows)
        self.turns = turns_in(self.corpus, self.own.first)
        self.tried: dict[Pattern, tuple[Array, Array]] = {}
        self.struck: set[Pattern] = set()
        self.candidates = self._candidates(spread(len(self.own.first)))
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

    def of(self, target: Target) -> Part:
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
            turns_in(self.corpus, other),
            times,
            PROTOCOLS[self.proto],
            ports,
            bool(ports or self._ports()),
            self.target.exact,
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
