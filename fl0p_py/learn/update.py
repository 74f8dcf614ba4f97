"""Update: a signature file brought in line with new labelled flows, as little as will do.

For each target of the labels whose signatures stand in the file: flows of it that none of them names are
looked at.  Where the sizes of a signature only have to give way a little (widen.py), they do; what is left is
learned as signatures of its own, put behind the ones of that target; a signature whose flows these name
too stays as it was.  Nothing is changed that would make a signature name flows of another class or the
background, or outcomes meet.  What becomes of the file is shown as a unified diff; every byte that no flow
spoke about stays (toml_edit.py).
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.errors import SignatureFileError
from fl0p_py.learn import toml_edit
from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.generalise import LIKELY, SEEN, bounds
from fl0p_py.learn.learner import Learner
from fl0p_py.learn.lesson import DEFAULTS, Options
from fl0p_py.learn.proposal import entry_text, proposals
from fl0p_py.learn.stage import Progress, silent
from fl0p_py.learn.target import BACKGROUND, Target, sides, targets
from fl0p_py.learn.trial import each
from fl0p_py.learn.widen import Wanted, Widener
from fl0p_py.signature.check import findings, tried
from fl0p_py.signature.pattern import MAX_SIZE, Segment, Signature, SignatureSet, Size
from fl0p_py.signature.printer import size_text
from fl0p_py.signature.toml_file import read_section
from fl0p_py.wording import counted

MOST_FITTED = 500
"""Distinct flows of one target that are fitted to signatures; of more, evenly chosen ones."""

PARTS = ("items", "alternatives", "left", "right", "atom")
"""Where nodes of a pattern hold others, in the order in which they are written."""

Array = NDArray[Any]


class Change(NamedTuple):
    """id : of a signature that was widened or is new; flows : that it names now and nobody did before"""

    id: str
    flows: int
    new: bool
    what: str


@dataclass(slots=True)
class Update:
    """before, after : the file's text; changes : what was done; left : flows still not named, by target"""

    source: str
    before: str
    after: str
    changes: list[Change] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    def diff(self) -> str:
        """What `patch` takes."""
        lines = (self.before.splitlines(keepends=True), self.after.splitlines(keepends=True))
        found = difflib.unified_diff(*lines, fromfile=self.source, tofile=self.source)
        return "".join(
            line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in found
        )

    def lines(self) -> Iterator[str]:
        """For people."""
        for change in self.changes:
            flows = counted(change.flows, "flow")
            yield f"{change.id}: {change.what}, for {flows} that nothing named before"
        for text, left in sorted(self.left.items()):
            yield f"{text}: {counted(left, 'flow')} still not named"
        for text in self.absent:
            yield f"{text}: the file has no signature for it; fl0p-learn learn finds some"
        if not self.changes:
            yield "nothing to change"


class Widening(NamedTuple):
    """old : the signature as it was; sizes : new ones, by the number of the segment"""

    old: Signature
    sizes: dict[int, Size]


class File(NamedTuple):
    """A TOML file of signatures, read.  source : its name; signatures : as they stand in it"""

    text: str
    source: str
    signatures: tuple[Signature, ...]


def opened(data: bytes, source: str) -> File:
    """The file with these contents; raises SignatureFileError if it is broken."""
    section, errors = read_section(data, source)
    if errors:
        raise SignatureFileError(errors)
    return File(data.decode(), source, tuple(section.signatures))


def update(
    file: File,
    corpus: Corpus,
    options: Options = DEFAULTS,
    *,
    progress: Progress = silent,
) -> Update:
    """What the file should become.

    corpus : labelled flows, background under the label BACKGROUND; raises UsageError for a file that cannot
    be edited
    """
    work = _Work(Update(file.source, file.text, file.text), list(file.signatures), corpus, options)
    wanted = targets([label for label in corpus.labels if label != BACKGROUND])
    for number, target in enumerate(wanted):
        progress("updating", number, len(wanted))
        work.target(target)
    return work.update


class _Work:
    """signatures : as the file has them by now, in its order."""

    def __init__(self, update: Update, signatures: list[Signature], corpus: Corpus, options: Options) -> None:
        self.update, self.signatures, self.corpus, self.options = update, signatures, corpus, options

    def target(self, target: Target) -> None:
        places = [i for i, one in enumerate(self.signatures) if one.facets == target.said]
        if not places:
            self.update.absent.append(target.text)
            return
        side = sides(self.corpus, target)
        own, other = np.flatnonzero(side > 0), np.flatnonzero(side < 0)
        missing = unnamed = own[~self._named([self.signatures[i] for i in places], own)]
        widened: dict[int, Widening] = {}
        new: list[Signature] = []
        if len(unnamed):
            widened, unnamed = self._widen(places, unnamed, other)
        if len(unnamed) >= self.options.min_flows:
            new, unnamed = self._split(target, unnamed)
        if len(unnamed):
            self.update.left[target.text] = len(unnamed)
        missing = missing[~np.isin(missing, unnamed)]
        if new:
            self._narrow(places, widened, new, missing)
        self._write(places, widened, new, missing)

    def _named(self, signatures: Sequence[Signature], flows: Array) -> Array:
        """bool: the flows that any of the signatures names."""
        if not len(flows) or not signatures:
            return np.zeros(len(flows), np.bool_)
        order = np.sort(flows)
        tokens = each(signatures, self.corpus.select(order), threshold_ms=self.options.threshold_ms)
        found: Array = (tokens.max(axis=0) > 0)[np.searchsorted(order, flows)]
        return found

    def _widen(
        self, places: Sequence[int], unnamed: Array, other: Array
    ) -> tuple[dict[int, Widening], Array]:
        """Widen signatures at these places; returns those that were, and the flows that stay unnamed."""
        widened = {}
        wanted = self._wanted(places, unnamed)
        for place in sorted(wanted):
            signature = self.signatures[place]
            before = self._named([signature], other)
            for width in (LIKELY, SEEN):
                sizes = _sizes(signature, wanted[place], width)
                changed = _with_sizes(signature, sizes)
                if (self._named([changed], other) & ~before).sum() > self.options.max_false:
                    continue
                gained = self._named([changed], unnamed)
                if gained.any() and self._sound(place, changed):
                    widened[place] = Widening(signature, sizes)
                    self.signatures[place] = changed
                    unnamed = unnamed[~gained]
                    break
        return widened, unnamed

    def _narrow(
        self, places: Sequence[int], widened: dict[int, Widening], new: list[Signature], missing: Array
    ) -> None:
        """Take back what was widened for flows that the other signatures, or the new ones, name."""
        for place, widening in list(widened.items()):
            rest = [self.signatures[i] for i in places if i != place] + [widening.old, *new]
            if self._named(rest, missing).all() and self._sound(place, widening.old, new):
                self.signatures[place] = widened.pop(place).old

    def _wanted(self, places: Sequence[int], unnamed: Array) -> dict[int, Wanted]:
        """For each signature the sizes that it would have to take, of the flows that it is nearest to."""
        wideners = [(place, Widener(self.signatures[place])) for place in places]
        part = self.corpus.select(np.sort(unnamed))
        first = part.unique().first
        chosen = first[np.unique(np.linspace(0, len(first) - 1, MOST_FITTED).astype(np.int64))]
        found: dict[int, Wanted] = defaultdict(lambda: defaultdict(set))
        for flow in chosen.tolist():
            fits = [(fit.cost, place, fit) for place, widener in wideners if (fit := widener.fit(part, flow))]
            if fits:
                _, place, fit = min(fits, key=lambda each: each[:2])
                for number, sizes in fit.wanted.items():
                    found[place][number] |= sizes
        return {place: wanted for place, wanted in found.items() if wanted}

    def _write(
        self, places: Sequence[int], widened: dict[int, Widening], new: list[Signature], missing: Array
    ) -> None:
        """Put what was decided into the text and the account.  missing : flows that are named by it now"""

        def account(signature: Signature, is_new: bool, what: str) -> None:
            nonlocal missing
            gained = self._named([signature], missing)
            self.update.changes.append(Change(signature.id, int(gained.sum()), is_new, what))
            missing = missing[~gained]

        for place, (signature, sizes) in sorted(widened.items()):
            old = _segments(signature)
            words = [
                f"{_word(old[i], old[i].size)} is {_word(old[i], size)}" for i, size in sorted(sizes.items())
            ]
            self.update.after = toml_edit.widened(self.update.after, place, sizes)
            account(self.signatures[place], False, ", ".join(words))
        for last, signature in enumerate(new, places[-1]):
            self.update.after = toml_edit.inserted(self.update.after, last, entry_text(signature))
            self.signatures.insert(last + 1, signature)
            account(signature, True, "new")

    def _split(self, target: Target, unnamed: Array) -> tuple[list[Signature], Array]:
        """Signatures learned of the unnamed flows, and those that stay unnamed."""
        side = sides(self.corpus, target)
        side[side > 0] = 0
        side[unnamed] = 1
        kept = np.flatnonzero(side)
        part = self.corpus.select(kept)
        learner = Learner(part, target, self.options)
        lesson = learner.lesson()
        new: list[Signature] = []
        for signature in proposals(learner, lesson.learned):
            signature.id = self._free(target, new)
            signature.name = signature.name.partition(", variant")[0] + f", {signature.id.rpartition('.')[2]}"
            gained = self._named([signature], unnamed)
            if gained.any() and self._sound(None, signature, new):
                new.append(signature)
                unnamed = unnamed[~gained]
        return new, unnamed

    def _free(self, target: Target, new: Sequence[Signature]) -> str:
        """An id that neither the file nor a new signature has."""
        taken = {signature.id for signature in (*self.signatures, *new)}
        number = 2
        while f"{target.id}.{number}" in taken:
            number += 1
        return f"{target.id}.{number}"

    def _sound(self, place: int | None, changed: Signature, new: Sequence[Signature] = ()) -> bool:
        """Whether `fl0p --check` finds nothing wrong that it did not before.

        place : of the signature that is changed, None: it is added; new : added before, not yet in the file
        """
        before = [*self.signatures, *new]
        after = list(before)
        if place is None:
            after.append(changed)
        else:
            after[place] = changed
        return self._failing(after) <= self._failing(before)

    def _failing(self, signatures: Sequence[Signature]) -> set[str]:
        found = findings(
            SignatureSet(tuple(signatures)), lambda s, p, f: tried(s, p, f, self.options.threshold_ms)
        )
        return {finding.location for finding in found if finding.fails}


def _segments(signature: Signature) -> list[Segment]:
    """In the order in which they are written."""
    return list(_walk(signature.pattern.sequence))


def _walk(node: Any) -> Iterator[Segment]:
    if isinstance(node, Segment):
        yield node
    for name in PARTS:
        below = getattr(node, name, ())
        for part in below if isinstance(below, tuple) else (below,):
            yield from _walk(part)


def _sizes(signature: Signature, wanted: Wanted, width: int) -> dict[int, Size]:
    """New bounds for the segments that have to take more."""
    segments = _segments(signature)
    found = {}
    for number, sizes in wanted.items():
        old = segments[number].size
        both = bounds(np.array(sorted({old.low, min(old.high, MAX_SIZE), *sizes})), SEEN)
        if width == LIKELY:
            slack = max(1, (both.high - both.low) // 16)
            both = Size(
                old.low if both.low == old.low else max(1, both.low - slack),
                old.high if both.high == old.high else min(MAX_SIZE, both.high + slack),
                exact=False,
            )
        found[number] = both
    return found


def _with_sizes(signature: Signature, sizes: dict[int, Size]) -> Signature:
    """The signature with the sizes of some segments replaced."""
    numbers = iter(range(len(_segments(signature))))

    def copy(node: Any) -> Any:
        if isinstance(node, Segment):
            return replace(node, size=sizes.get(next(numbers), node.size))
        if isinstance(node, tuple):
            return tuple(map(copy, node))
        names = [name for name in PARTS if hasattr(node, name)]
        return replace(node, **{name: copy(getattr(node, name)) for name in names}) if names else node

    pattern = signature.pattern._replace(sequence=copy(signature.pattern.sequence))
    return replace(signature, pattern=pattern)


def _word(segment: Segment, size: Size) -> str:
    return (segment.direction.upper() if segment.burst else segment.direction) + size_text(size)
