"""The rule by which learned signatures ship (docs/learn.md, "What of it ships").

For one value of a facet: its learned signatures stand beside those that there are, and everything that the
whole set says is counted anew.  Nothing may get worse: of no class and no value may fewer flows be right
or more false, no public flow may lose its name, get one that contradicts ndpiReader, or become a tunnel.
Then each older signature of that value is taken away, if nothing gets worse without it and the
learned ones match its own examples.  What names more flows or makes others needless ships.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from fl0p_py.learn.corpus import NO_LABEL, Corpus
from fl0p_py.learn.evaluation import said_of
from fl0p_py.learn.target import meaning
from fl0p_py.signature.check import tried
from fl0p_py.signature.pattern import FACETS, Facets, Signature, SignatureSet
from fl0p_py.wording import counted
from tools.public_flows import Named, PublicFlows, Said

Signatures = tuple[Signature, ...]


class Place(NamedTuple):
    """A facet's value, of flows of one class."""

    class_: str
    facet: str
    value: str

    def __str__(self) -> str:
        own = self.facet == FACETS[0] and self.value == self.class_
        return self.class_ if own else f"{self.class_}, {self.facet} {self.value}"


class Tally(NamedTuple):
    """right, false : flows of the class of which the value was said; true : of which it is true"""

    right: int = 0
    false: int = 0
    true: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What one set says of all flows that are judged by."""

    lab: dict[Place, Tally]
    public: Named

    def at(self, place: Place) -> Tally:
        return self.lab.get(place, Tally())

    def worse(self, before: State) -> str | None:
        """What is worse than before, in words."""
        for place in sorted(self.lab.keys() | before.lab.keys()):
            was, now = before.at(place), self.at(place)
            if now.false > was.false:
                return f"{place}: {now.false - was.false} more false"
            if now.right < was.right:
                return f"{place}: {was.right - now.right} fewer right"
        if lost := before.public.right - self.public.right:
            return f"{counted(len(lost), 'public flow')} lost"
        if wrong := self.public.wrong - before.public.wrong:
            return f"{counted(len(wrong), 'public flow')} named falsely"
        if tunnels := self.public.tunnels - before.public.tunnels:
            return f"{counted(len(tunnels), 'public flow')} said to be a tunnel"
        return None


class Ruling(NamedTuple):
    """What the rule says of the learned signatures of one place.

    state : of the whole set with them; against : why they do not ship, None if they do
    needless : ids of the signatures in whose place they stand
    """

    state: State
    against: str | None
    needless: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Court:
    """heldout : labelled flows of the lab that nothing was learned from"""

    heldout: Corpus
    public: PublicFlows
    threshold_ms: int = 400

    def state(self, signatures: Sequence[Signature]) -> State:
        every = SignatureSet(unlike(signatures))
        lab = tallied(self.heldout, said_of(self.heldout, every, self.threshold_ms))
        return State(lab, self.public.named(said_of(self.public.corpus, every, self.threshold_ms)))

    def ruling(self, place: Place, learned: Signatures, standing: Signatures, before: State) -> Ruling:
        """before : what the standing signatures say by themselves"""
        state = self.state([*standing, *learned])
        worse = state.worse(before)
        if worse is not None:
            return Ruling(state, worse, ())
        needless: list[Signature] = []
        for old in (one for one in standing if speaks(one.facets) == place):
            if not matches_examples(learned, old):
                continue
            rest = [one for one in standing if one is not old and one not in needless]
            without = self.state([*rest, *learned])
            if without.worse(before) is None:
                needless.append(old)
                state = without
        gained = state.at(place).right - before.at(place).right
        gained += len(state.public.right) - len(before.public.right)
        against = None if gained or needless else "adds nothing"
        return Ruling(state, against, tuple(one.id for one in needless))


def speaks(facets: Facets) -> Place:
    """What a signature is for: the class, or the last facet that it sets besides."""
    said = [(name, value) for name, value in zip(FACETS, facets, strict=True) if value is not None]
    class_ = facets.class_ or ""
    name, value = said[-1] if said else (FACETS[0], class_)
    return Place(class_, name, value)


def matches_examples(learned: Signatures, old: Signature) -> bool:
    """Whether the learned ones name all examples of the old one, and none that it must not."""
    names = [[tried(one, example.pattern, True) for one in learned] for example in old.examples]
    others = [tried(one, example.pattern, True) for one in learned for example in old.counter_examples]
    return all(any(row) for row in names) and not any(others)


def tallied(corpus: Corpus, said: Said) -> dict[Place, Tally]:
    """Of flows with labels of facets, which say all there is."""
    found: dict[Place, list[int]] = defaultdict(lambda: [0, 0, 0])
    meanings = [meaning(label) for label in corpus.labels]
    for label, verdict in zip(corpus.label.tolist(), said, strict=True):
        if label == NO_LABEL:
            continue
        truth = meanings[label]
        for facet in FACETS:
            true, word = truth.get(facet), verdict[facet]
            if true is not None:
                found[Place(truth["class"], facet, true)][2] += 1
            if word is not None:
                found[Place(truth["class"], facet, word)][int(word != true)] += 1
    return {place: Tally(*counts) for place, counts in found.items()}


def unlike(signatures: Sequence[Signature]) -> Signatures:
    """The signatures with ids that no two of them share."""
    seen: set[str] = set()
    kept = []
    for one in signatures:
        name, number = one.id, 1
        while name in seen:
            number += 1
            name = f"{one.id}.v{number}"
        seen.add(name)
        kept.append(replace(one, id=name))
    return tuple(kept)
