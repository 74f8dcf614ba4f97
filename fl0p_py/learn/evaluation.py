"""Evaluation: signatures judged on labelled flows, facet by facet and one by one.

A label of facets, `class=ssh,outcome=auth-failed`, says all there is: what it leaves out is not there, and
a signature that says something of it is wrong.  A label that is one word is a class and says nothing
else.  Flows without a label are left out, and counted.  What the signatures say of a flow is its
verdict at the end, as fl0p has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.errors import UsageError
from fl0p_py.learn.corpus import NO_LABEL, Corpus
from fl0p_py.learn.score import NOTHING, Confusion, Counts, Share, confusion, f1_interval
from fl0p_py.learn.stage import Progress, Told, nobody, silent, stage
from fl0p_py.learn.target import ATTEMPTS, BACKGROUND, KEYS, Meaning, meaning
from fl0p_py.learn.trial import each, events_of, parts_of
from fl0p_py.signature.matcher import Matcher
from fl0p_py.signature.pattern import FACETS, Facets, Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from fl0p_py.signature.specificity import bits
from fl0p_py.signature.tunnel import with_tunnels
from fl0p_py.wording import counted

Array = NDArray[Any]

MOST_VALUES = 24
"""Values of a facet whose confusion is printed as a table."""


class Value(NamedTuple):
    """One value of a facet.  interval : of F1, None with too few captures."""

    name: str
    counts: Counts
    interval: tuple[float, float] | None


class FacetScore(NamedTuple):
    """flows : whose labels speak of it; right : of which exactly the truth was said"""

    facet: str
    flows: int
    right: Share
    values: tuple[Value, ...]
    confusion: Confusion


class SignatureScore(NamedTuple):
    """One signature, tried as if it were the only one.

    named  : labelled flows that it names; false : of these, those of which it says what is not true
    shared : of these, those that another signature with the same facets names as well
    """

    id: str
    name: str
    pattern: str
    named: int
    false: int
    shared: int
    bits: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """flows : labelled ones; unlabelled : left out; sources : captures of the labelled ones"""

    flows: int
    unlabelled: int
    sources: int
    facets: tuple[FacetScore, ...]
    signatures: tuple[SignatureScore, ...]

    def lines(self) -> Iterator[str]:
        """For people."""
        captures = counted(self.sources, "capture")
        yield f"{self.flows:,} labelled flows of {captures}; {self.unlabelled:,} without a label"
        for facet in self.facets:
            yield ""
            yield from _facet_lines(facet)
        yield ""
        yield f"{'flows':>8} {'false':>7} {'shared':>7} {'bits':>6}  signature"
        for one in self.signatures:
            yield f"{one.named:>8,} {one.false:>7,} {one.shared:>7,} {one.bits:>6.1f}  {one.id}"

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "flows": self.flows,
            "unlabelled": self.unlabelled,
            "captures": self.sources,
            "facets": {facet.facet: _facet_dict(facet) for facet in self.facets},
            "signatures": [one._asdict() for one in self.signatures],
        }


def evaluate(
    corpus: Corpus,
    signatures: SignatureSet,
    *,
    threshold_ms: int = 400,
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Judge the signatures on the corpus's labelled flows; UsageError if there are none.

    seed : of the bootstrap
    """
    labelled = corpus.select(corpus.label != NO_LABEL)
    if not len(labelled):
        raise UsageError("no flow has a label: nothing to judge by")
    meanings = [{} if label == BACKGROUND else meaning(label) for label in labelled.labels]
    whole = ["=" in label or label == BACKGROUND for label in labelled.labels]
    said = said_of(labelled, signatures, threshold_ms, stage(progress, "naming flows"))
    facets = []
    for number, facet in enumerate(KEYS):
        progress("judging", number, len(KEYS))
        score = _facet(labelled, facet, meanings, whole, [one[facet] for one in said], seed)
        if score is not None:
            facets.append(score)
    told = stage(progress, "trying signatures")
    singles = tuple(_signatures(labelled, signatures, meanings, whole, threshold_ms, told))
    return Evaluation(
        len(labelled),
        len(corpus) - len(labelled),
        len(np.unique(labelled.source)),
        tuple(facets),
        singles,
    )


def said_of(
    corpus: Corpus, signatures: SignatureSet, threshold_ms: int, told: Told = nobody
) -> list[dict[str, str | None]]:
    """The verdict on each flow, by facet; attempts as text, none for 0."""
    signatures = with_tunnels(signatures)
    found: list[dict[str, str | None]] = []
    for begin, end in parts_of(corpus.offsets):
        told(begin, len(corpus))
        matcher = Matcher(signatures, threshold_ms=threshold_ms, capacity=end - begin)
        matcher.feed(*events_of(corpus, begin, end))
        while matcher.run():
            pass
        for row in range(end - begin):
            verdict = matcher.verdict(row)
            said = dict(zip(FACETS, verdict.facets, strict=True))
            found.append(said | {ATTEMPTS: str(verdict.attempts) if verdict.attempts else None})
    return found


def _facet(
    corpus: Corpus,
    facet: str,
    meanings: Sequence[Meaning],
    whole: Sequence[bool],
    said: Sequence[str | None],
    seed: int,
) -> FacetScore | None:
    """None if no label speaks of the facet."""
    if not any(facet in one for one in meanings):
        return None
    speaks = np.array([facet in one or all_ for one, all_ in zip(meanings, whole, strict=True)])
    flows = np.flatnonzero(speaks[corpus.label])
    truth = [_true(meanings[label], facet) for label in corpus.label[flows].tolist()]
    return score_of(facet, truth, [said[flow] for flow in flows.tolist()], corpus.source[flows], seed)


def score_of(
    facet: str, truth: Sequence[str | None], said: Sequence[str | None], source: Array, seed: int
) -> FacetScore:
    """What was said of some flows beside what is true.  source : int[n], what the bootstrap keeps together"""
    table = confusion(truth, said)
    truths, words = np.array([one or NOTHING for one in truth]), np.array([one or NOTHING for one in said])
    values = []
    for name in table.names[:-1]:
        interval = f1_interval(truths == name, words == name, source, seed)
        values.append(Value(name, table.counts(name), interval))
    return FacetScore(facet, len(truth), Share(int(np.trace(table.table)), len(truth)), tuple(values), table)


def _true(said: Meaning, facet: str) -> str | None:
    """What is true; no attempts are said as 0 or not at all."""
    value = said.get(facet)
    return None if facet == ATTEMPTS and value == "0" else value


def _signatures(
    corpus: Corpus,
    signatures: SignatureSet,
    meanings: Sequence[Meaning],
    whole: Sequence[bool],
    threshold_ms: int,
    told: Told,
) -> Iterator[SignatureScore]:
    every = signatures.signatures
    named = each(every, corpus, threshold_ms=threshold_ms, told=told) > 0
    alike: dict[Facets, Array] = {}
    for signature, flows in zip(every, named, strict=True):
        count = alike.setdefault(signature.facets, np.zeros(len(corpus), np.int64))
        count += flows
    for signature, flows in zip(every, named, strict=True):
        wrong = np.array(
            [_contradicts(signature, *label) for label in zip(meanings, whole, strict=True)], np.bool_
        )
        yield SignatureScore(
            signature.id,
            signature.name,
            pattern_text(signature.pattern),
            int(flows.sum()),
            int((flows & wrong[corpus.label]).sum()),
            int((flows & (alike[signature.facets] > 1)).sum()),
            round(bits(signature.pattern), 1),
        )


def _contradicts(signature: Signature, said: Meaning, whole: bool) -> bool:
    """Whether something of what the signature says is not true of flows with that label.

    One that counts attempts is right of a flow with attempts, whatever came of it in the end.
    """
    tried = signature.count and _true(said, ATTEMPTS) is not None
    return any(
        value is not None and said.get(name) != value and (whole or name in said)
        for name, value in zip(FACETS, signature.facets, strict=True)
        if not (tried and name == "outcome")
    )


def _facet_lines(score: FacetScore) -> Iterator[str]:
    yield f"{score.facet}: {score.flows:,} flows, right {score.right}"
    width = max((len(value.name) for value in score.values), default=0)
    head = f"  {'':<{width}} {'true':>7} {'said':>7}  {'precision':<20} {'recall':<20} F1"
    yield head
    for value in score.values:
        counts = value.counts
        yield (
            f"  {value.name:<{width}} {counts.recall.whole:>7,} {counts.precision.whole:>7,}  "
            f"{counts.precision!s:<20} {counts.recall!s:<20} {_f1(value)}"
        )
    if len(score.confusion.names) <= MOST_VALUES:
        yield "  what was said (columns) of what is true (rows):"
        yield from _matrix(score.confusion)


def _f1(value: Value) -> str:
    if value.counts.f1 is None:
        return "-"
    if value.interval is None:
        return f"{value.counts.f1:.3f}"
    return f"{value.counts.f1:.3f} ({value.interval[0]:.3f}-{value.interval[1]:.3f})"


def _matrix(table: Confusion) -> Iterator[str]:
    cells = [[f"{count:,}" if count else "." for count in row] for row in table.table.tolist()]
    widths = [max(len(name), *(len(row[column]) for row in cells)) for column, name in enumerate(table.names)]
    first = max(map(len, table.names))
    names = " ".join(f"{name:>{width}}" for name, width in zip(table.names, widths, strict=True))
    yield f"  {'':<{first}} {names}"
    for name, row in zip(table.names, cells, strict=True):
        yield f"  {name:<{first}} " + " ".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True))


def _facet_dict(score: FacetScore) -> dict[str, Any]:
    return {
        "flows": score.flows,
        "right": score.right.value,
        "right_interval": score.right.interval,
        "values": {
            value.name: {
                **value.counts._asdict(),
                "precision": value.counts.precision.value,
                "precision_interval": value.counts.precision.interval,
                "recall": value.counts.recall.value,
                "recall_interval": value.counts.recall.interval,
                "f1": value.counts.f1,
                "f1_interval": value.interval,
            }
            for value in score.values
        },
        "confusion": {"names": list(score.confusion.names), "true_said": score.confusion.table.tolist()},
    }
