"""Study: a whole run of `fl0p-learn learn`, from a labelled corpus to signatures and an honest account.

Some captures are set aside (holdout.py), the targets are learned from the others, the outcomes that
`fl0p --check` would refuse are learned again without what made them meet, and what came out is judged on
the captures set aside, if there were any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.corpus import NO_LABEL, Corpus
from fl0p_py.learn.holdout import Holdout, split
from fl0p_py.learn.learner import Learner
from fl0p_py.learn.lesson import DEFAULTS, Lesson, Options
from fl0p_py.learn.proposal import proposals
from fl0p_py.learn.score import Share
from fl0p_py.learn.stage import Progress, silent
from fl0p_py.learn.target import BACKGROUND, Target, sides
from fl0p_py.learn.trial import each
from fl0p_py.learn.workers import learners
from fl0p_py.signature.check import Finding, findings, tried
from fl0p_py.signature.pattern import Pattern, Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from fl0p_py.wording import counted, noun

MOST_ROUNDS = 12
"""Of learning again after `--check`."""

SHOWN = 5
"""Clashes and unnamed flows that are shown of each target."""

LONGEST_SHOWN = 160

Array = NDArray[Any]


class Taught(NamedTuple):
    """One target: its lesson, signatures, and what they do on the captures set aside.

    recall : of its flows there; false : others there that were named; None without any
    """

    lesson: Lesson
    signatures: tuple[Signature, ...]
    recall: Share | None
    false: Share | None


@dataclass(frozen=True, slots=True)
class Study:
    """learned, aside : flows to learn from and to judge by; findings : of `fl0p --check`, what is left"""

    learned: Corpus
    aside: Corpus
    holdout: Holdout
    taught: tuple[Taught, ...]
    findings: tuple[Finding, ...]

    @property
    def signatures(self) -> tuple[Signature, ...]:
        return tuple(signature for one in self.taught for signature in one.signatures)

    def lines(self) -> Iterator[str]:
        """The account, for people."""
        yield from _about(self)
        for one in self.taught:
            yield from _taught(self.learned, one)
        yield from map(str, self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The account, for programs."""
        return {
            "held_out": list(self.holdout.sources),
            "one_source_only": list(self.holdout.alone),
            "targets": [_as_dict(self.learned, one) for one in self.taught],
            "findings": [str(finding) for finding in self.findings],
        }


def study(
    corpus: Corpus,
    background: Corpus | None = None,
    options: Options = DEFAULTS,
    *,
    share: float = 0.0,
    seed: int = 0,
    progress: Progress = silent,
) -> Study:
    """Learn what the labels say.

    background : flows of which one knows only that they are none of the classes
    share      : of the captures of each label to set aside, 0 to 0.9; seed : which of them
    """
    every = joined(corpus, background)
    holdout = split(every, share, seed)
    learned, aside = every.select(~holdout.kept), every.select(holdout.kept)
    pupils = learners(learned, options, progress=progress)
    lessons, found = _settled(pupils, options)
    taught: list[Taught] = []
    for pupil, lesson in zip(pupils, lessons, strict=True):
        progress("choosing examples", len(taught), len(pupils))
        signatures = tuple(proposals(pupil, lesson.learned))
        recall, false = _judged(aside, lesson.target, signatures, options)
        taught.append(Taught(lesson, signatures, recall, false))
    return Study(learned, aside, holdout, tuple(taught), tuple(found))


def joined(corpus: Corpus, background: Corpus | None) -> Corpus:
    """The labelled flows, and the background under its own label, in canonical order."""
    if background is None or not len(background):
        return Corpus.concat([corpus])
    nobody = background.labelled(np.zeros(len(background), np.int32), [BACKGROUND])
    return Corpus.concat([corpus, nobody])


def _settled(pupils: list[Learner], options: Options) -> tuple[list[Lesson], list[Finding]]:
    """Lessons whose outcomes do not meet, as far as that can be had."""
    lessons = [pupil.lesson() for pupil in pupils]
    for _ in range(MOST_ROUNDS):
        owner: dict[str, tuple[int, Pattern]] = {}
        signatures = []
        for place, lesson in enumerate(lessons):
            for number, one in enumerate(lesson.learned):
                name = f"{place}.{number}"
                owner[name] = place, one.pattern
                facets = lesson.target.said
                signatures.append(
                    Signature(name, name, one.pattern, facets, edits=one.pattern.exact, where=name)
                )
        found = findings(
            SignatureSet(tuple(signatures)), lambda s, p, fuzzy: tried(s, p, fuzzy, options.threshold_ms)
        )
        failing = sorted({finding.location.rpartition(" ")[2] for finding in found if finding.fails})
        if not failing:
            break
        for name in failing:
            place, pattern = owner[name]
            pupils[place].strike(pattern)
            lessons[place] = pupils[place].lesson()
    return lessons, [finding for finding in found if finding.fails]


def _judged(
    aside: Corpus, target: Target, signatures: tuple[Signature, ...], options: Options
) -> tuple[Share | None, Share | None]:
    """(recall, share of others named) on the flows set aside."""
    if not len(aside):
        return None, None
    verdict = sides(aside, target)
    named: Array = np.zeros(len(aside), np.bool_)
    if signatures:
        named = each(signatures, aside, threshold_ms=options.threshold_ms).max(axis=0) > 0
    own, other = verdict > 0, verdict < 0
    return (
        Share(int((named & own).sum()), int(own.sum())),
        Share(int((named & other).sum()), int(other.sum())),
    )


def _about(study: Study) -> Iterator[str]:
    corpus, holdout = study.learned, study.holdout
    said = corpus.label != NO_LABEL
    names = [label for label in corpus.labels if label != BACKGROUND]
    own = said & np.isin(corpus.label, [corpus.labels.index(name) for name in names])
    sources = len(np.unique(corpus.source[own]))
    flows = counted(int(own.sum()), "flow")
    yield f"{flows} with {counted(len(names), 'label')}, from {counted(sources, 'capture')}"
    background = int(said.sum() - own.sum())
    if background:
        yield f"{counted(background, 'flow')} of background"
    silent = int((~said).sum())
    if silent:
        yield f"{counted(silent, 'flow')} without a label, not used"
    if not own.any():
        yield "no flow has a label: nothing to learn"
    elif len(study.taught) == 1 and not background:
        yield "one class and no background: nothing to tell it from, so its signatures may name anything"
    if len(study.aside):
        yield f"set aside to judge by: {', '.join(holdout.sources)}"
    for label in holdout.alone[:SHOWN]:
        yield f"{label}: all its flows are of one capture, so nothing of it could be set aside"
    if len(holdout.alone) > SHOWN:
        yield f"the same of {counted(len(holdout.alone) - SHOWN, 'more label')}"


def _taught(corpus: Corpus, one: Taught) -> Iterator[str]:
    lesson = one.lesson
    total = len(lesson.own)
    if not total:
        yield ""
        yield f"{lesson.target.text}: no flow to learn from"
        return
    named = total - len(lesson.unnamed)
    wrong = len({flow for learned in lesson.learned for flow in learned.false.tolist()})
    yield ""
    yield (
        f"{lesson.target.text}: {counted(len(one.signatures), 'signature')} "
        f"{'names' if len(one.signatures) == 1 else 'name'} {named:,} of {counted(total, 'flow')}"
        f" ({named / total:.1%})" + (f", and {wrong:,} of others" if wrong else ", none of others")
    )
    if one.recall is not None and one.false is not None:
        if one.recall.whole:
            yield f"  set aside: recall {one.recall}, of {counted(one.recall.whole, 'flow')}"
        else:
            yield "  set aside: none of its flows"
        yield f"  set aside: {one.false.part:,} of {counted(one.false.whole, 'other flow')} named falsely"
    for signature, learned in zip(one.signatures, lesson.learned, strict=True):
        yield f"  {len(learned.named):>7,}  {pattern_text(signature.pattern)}"
    if total == 1:
        yield "  one flow only: nothing can be said of what varies"
    for clash in lesson.clashes[:SHOWN]:
        other = corpus.labels[corpus.label[clash.other]]
        yield (
            f"  cannot be told from {other} ({counted(clash.times, 'flow')}, {corpus.place(clash.flow)} and "
            f"{corpus.place(clash.other)}): {_cut(corpus.sequence_text(clash.flow))}"
        )
    if len(lesson.clashes) > SHOWN:
        rest = len(lesson.clashes) - SHOWN
        yield f"  and {rest:,} more {noun(rest, 'sequence')} that others have too"
    clashing = {clash.flow for clash in lesson.clashes}
    for flow in [flow for flow in lesson.unnamed.tolist() if flow not in clashing][:SHOWN]:
        yield f"  not named: {corpus.place(flow)}: {_cut(corpus.sequence_text(flow))}"


def _as_dict(corpus: Corpus, one: Taught) -> dict[str, Any]:
    lesson = one.lesson
    return {
        "target": lesson.target.text,
        "flows": len(lesson.own),
        "named": len(lesson.own) - len(lesson.unnamed),
        "held_out": {
            "recall": None if one.recall is None else one.recall.value,
            "recall_interval": None if one.recall is None else one.recall.interval,
            "flows": None if one.recall is None else one.recall.whole,
            "false": None if one.false is None else one.false.part,
            "others": None if one.false is None else one.false.whole,
        },
        "signatures": [
            {
                "id": signature.id,
                "pattern": pattern_text(signature.pattern),
                "flows": len(learned.named),
                "false": len(learned.false),
            }
            for signature, learned in zip(one.signatures, lesson.learned, strict=True)
        ],
        "clashes": [
            {
                "flow": corpus.place(clash.flow),
                "other": corpus.place(clash.other),
                "label": corpus.labels[corpus.label[clash.other]],
                "flows": clash.times,
                "sequence": corpus.sequence_text(clash.flow),
            }
            for clash in lesson.clashes
        ],
        "unnamed": [corpus.place(flow) for flow in lesson.unnamed.tolist()],
    }


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 2].rpartition(" ")[0] + " …"
