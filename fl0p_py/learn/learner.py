"""Learner: from labelled flows to the patterns that tell one target (target.py) from all else.

Flows of each protocol are a part by themselves (part.py).  Background are flows with the label BACKGROUND:
they speak against everything.  The result depends on the flows and the options, not on the order of flows or
files.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.distinct import key_of
from fl0p_py.learn.lesson import Clash, Lesson, Options
from fl0p_py.learn.part import Part
from fl0p_py.learn.target import Target, sides
from fl0p_py.signature.pattern import Pattern

Array = NDArray[Any]


class Learner:
    """Learns one target; asked again after `strike`, it does without what was struck."""

    def __init__(self, corpus: Corpus, target: Target, options: Options) -> None:
        self.corpus, self.target, self.options = corpus, target, options
        verdict = sides(corpus, target)
        self.own, self.other = np.flatnonzero(verdict > 0), np.flatnonzero(verdict < 0)
        self.clashes = self._clashes()
        clashing = key_of(corpus)[[clash.flow for clash in self.clashes]]
        self.parts = [
            Part(corpus, proto, self.own, self.other, clashing, target, options)
            for proto in np.unique(corpus.proto[self.own]).tolist()
        ]
        self._known: Lesson | None = None

    def lesson(self) -> Lesson:
        if self._known is None:
            learned = tuple(one for part in self.parts for one in part.learned())
            named = np.unique(np.concatenate([one.named for one in learned])) if learned else self.own[:0]
            unnamed = np.setdiff1d(self.own, named)
            self._known = Lesson(self.target, learned, self.own, unnamed, self.clashes)
        return self._known

    def strike(self, pattern: Pattern) -> None:
        self._known = None
        for part in self.parts:
            part.strike(pattern)

    def of(self, target: Target) -> Learner:
        """The same for another target of the same flows."""
        other = copy(self)
        other.target, other.parts = target, [part.of(target) for part in self.parts]
        if self._known is not None:
            other._known = self._known._replace(target=target)
        return other

    def attach(self, corpus: Corpus) -> None:
        """Use this corpus, which holds the flows that were learned from, or nothing while in between."""
        self.corpus = corpus
        for part in self.parts:
            part.corpus = corpus

    def distinct_others(self, proto: int) -> list[int]:
        """One flow for each sequence that speaks against the target."""
        found = next((part.other.first for part in self.parts if part.proto == proto), self.other[:0])
        return [int(flow) for flow in found]

    def _clashes(self) -> tuple[Clash, ...]:
        key = key_of(self.corpus)
        own, first, times = np.unique(key[self.own], return_index=True, return_counts=True)
        other, there = np.unique(key[self.other], return_index=True)
        _, mine, theirs = np.intersect1d(own, other, return_indices=True)
        return tuple(
            Clash(int(self.own[first[i]]), int(self.other[there[j]]), int(times[i]))
            for i, j in zip(mine.tolist(), theirs.tolist(), strict=True)
        )
