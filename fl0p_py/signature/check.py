"""What `fl0p --check` finds wrong with a set of signatures that loads.

    fails     an example that does not match, a counter-example that does; inside of tunnels, too
    fails     two outcomes of one class that can complete on the same tokens
    warns     one pattern twice, with the same facets
    warns     a signature that only matches where another of the same facets does
    warns     a signature that says next to nothing

Two outcomes may meet as they are written if one is clearly more specific, since it then speaks; they
may not meet because of tolerance.  No step looks at all pairs of a large set: pairs come from
indexes, and no more than MAX_TRIED are compared.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from fl0p_py.errors import Place
from fl0p_py.signature.channel import SSH
from fl0p_py.signature.channel import example as through_channel
from fl0p_py.signature.compiled import compile_set
from fl0p_py.signature.extent import shortest
from fl0p_py.signature.loader import load
from fl0p_py.signature.overhead import CARRIERS
from fl0p_py.signature.overlap import Shape, included, meeting, shape
from fl0p_py.signature.pattern import MAX_SIZE, Pattern, Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from fl0p_py.signature.specificity import bits
from fl0p_py.signature.text import source_paths
from fl0p_py.signature.tunnel import VIAS, can, encapsulated, variant, with_tunnels
from fl0p_py.wording import counted

WEAK_BITS = 24.0
"""Below, chance alone finds a match in one of a few hundred thousand places."""

LOOSE_ITEMS, LOOSE_BITS = 3, 40.0
"""A signature without `<` gets a try at every token of every flow: fewer items need more bits."""

CLEAR_BITS = 1.0
"""By so much one of two outcomes must be more specific to be allowed where the other is."""

MAX_TRIED = 50_000
"""Pairs of signatures that are compared, for shadows and for outcomes each."""

FORCED = 3
"""Further tokens that the index for shadows looks at."""

Matches = Callable[[Signature, Pattern, bool], bool]
"""Whether a signature, alone, matches a flow written as an example; True: with fuzzy matching."""


class Finding(NamedTuple):
    """fails : whether it makes the check fail; else a warning."""

    fails: bool
    location: str
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message}{'' if self.fails else ' (warning)'}"


class Report(NamedTuple):
    """text : a line for each finding and one that counts them"""

    passed: bool
    text: str


def check(paths: Iterable[str | os.PathLike[str]] = (), *, threshold_ms: int = 400) -> Report:
    """What is found in the files and folders, by default in the shipped TOML files.

    Raises SignatureFileError if they do not load, SignatureError if no tables can be made of them.
    """
    signatures = load(list(paths) or source_paths())
    compile_set(with_tunnels(signatures), threshold_ms=threshold_ms)
    found = findings(signatures, partial(tried, threshold_ms=threshold_ms))
    failed = sum(finding.fails for finding in found)
    warnings = len(found) - failed + len(signatures.warnings)
    every = tuple(signatures.signatures)
    examples = sum(len(signature.examples) + len(signature.counter_examples) for signature in every)
    tried_on = f"{counted(len(every), 'signature')}, {examples:,} examples and counter-examples"
    counts = f"{tried_on}: {failed:,} failed, {counted(warnings, 'warning')}"
    lines = [*(f"{warning} (warning)" for warning in signatures.warnings), *map(str, found), counts]
    return Report(not failed, "\n".join(lines) + "\n")


def findings(signatures: SignatureSet, matches: Matches) -> list[Finding]:
    """Everything that is found, examples first."""
    every = tuple(signatures.signatures)
    shapes = [shape(signature) for signature in every]
    return [
        *_examples(every, matches),
        *_outcomes(every, shapes, matches),
        *_twice(every),
        *_shadows(every, shapes),
        *_weak(every),
    ]


def tried(signature: Signature, example: Pattern, fuzzy: bool, threshold_ms: int = 400) -> bool:
    """What the matcher says, of a variant too."""
    from fl0p_py.signature import trial  # numpy and the kernel, only for this

    alone = SignatureSet((signature,))
    if signature.via in VIAS:
        alone = with_tunnels(SignatureSet((replace(signature, via="", inside=(signature.via,)),)))
    (result,) = trial.run(alone, [trial.flow_of(example)], threshold_ms=threshold_ms, fuzzy=fuzzy)
    return any(alone.signatures[found.signature].via == signature.via for found in result.identifications)


def _examples(signatures: Iterable[Signature], matches: Matches) -> Iterator[Finding]:
    for signature in signatures:
        for examples, wanted, name in (
            (signature.examples, True, "examples"),
            (signature.counter_examples, False, "counter_examples"),
        ):
            for number, example in enumerate(examples, 1):
                if matches(signature, example.pattern, True) != wanted:
                    what = "does not match" if wanted else "matches"
                    location = f"{signature.location}: {name} {number}"
                    yield Finding(
                        True, location, f"{pattern_text(example.pattern)} {what} {_named(signature)}"
                    )
                yield from _inside(signature, example.pattern, wanted, f"{name} {number}", matches)


def _inside(
    signature: Signature, example: Pattern, wanted: bool, name: str, matches: Matches
) -> Iterator[Finding]:
    """The same in a tunnel, but for an example without `<`: there every flow has a beginning.  Records hide
    where tokens end, so counter-examples may match there if nothing but a few bytes tells them; that no
    outcome is told wrongly is asked all the same."""
    if not wanted and not signature.facets.outcome:
        return
    if not example.start:
        return
    outers = [(carrier.via, encapsulated(example, carrier)) for carrier in CARRIERS]
    for via, outer in ((SSH, through_channel(example)), *outers):
        if can(signature, via) and matches(variant(signature, via), outer, True) != wanted:
            what = "does not match" if wanted else "matches"
            text = f"{pattern_text(outer)} {what} {_named(signature)} via {via}"
            yield Finding(True, f"{signature.location}: {name}", text)


def _twice(signatures: Iterable[Signature]) -> Iterator[Finding]:
    seen: dict[object, Signature] = {}
    for signature in signatures:
        first = seen.setdefault((signature.pattern, signature.threshold_ms, signature.facets), signature)
        if first is not signature:
            yield Finding(False, signature.location, f"this pattern stands already at {first.location}")


def _weak(signatures: Iterable[Signature]) -> Iterator[Finding]:
    for signature in signatures:
        pattern, worth = signature.pattern, bits(signature.pattern)
        message = ""
        if worth < WEAK_BITS:
            message = f"this says {worth:.0f} bits, below {WEAK_BITS:.0f} it matches nearly everything"
        elif not pattern.start and worth < LOOSE_BITS and shortest(pattern.sequence) < LOOSE_ITEMS:
            message = f"short, {worth:.0f} bits, and without '<': long flows will match it by chance"
        if message:
            yield Finding(False, signature.location, message)


def _shadows(signatures: tuple[Signature, ...], shapes: list[Shape]) -> Iterator[Finding]:
    groups = defaultdict(list)
    for i, signature in enumerate(signatures):
        groups[signature.facets, signature.pattern.proto, signature.threshold_ms].append(i)
    tried = 0
    for group in groups.values():
        index = _Index(shapes, group)
        shadowed = set()
        for wide in group:
            for narrow in index.may_include(wide):
                if (
                    narrow == wide
                    or narrow in shadowed
                    or signatures[narrow].pattern == signatures[wide].pattern
                ):
                    continue
                tried += 1
                if tried > MAX_TRIED:
                    yield Finding(
                        False, signatures[wide].location, "too many alike, the search for shadows ended here"
                    )
                    return
                if included(shapes[narrow], shapes[wide]):
                    shadowed.add(narrow)
                    message = f"{_named(signatures[wide])} matches wherever this does, with the same facets"
                    yield Finding(False, signatures[narrow].location, message)


class _Index:
    """Which signatures could lie inside of another, by the sizes that they ask for.

    A signature inside an anchored one begins with what that one begins with; one inside any other holds,
    somewhere, what that one ends with.
    """

    def __init__(self, shapes: list[Shape], group: list[int]) -> None:
        self.shapes = shapes
        self.firsts, self.all = _Sizes(), _Sizes()
        for i in group:
            of = shapes[i]
            for at in range(len(of.positions)):
                self.all.add(of, at, i)
                if at in of.first and of.pattern.start:
                    self.firsts.add(of, at, i)

    def may_include(self, wide: int) -> Iterable[int]:
        of = self.shapes[wide]
        sizes, ends = (self.firsts, of.first) if of.pattern.start else (self.all, of.last)
        found: set[int] = set()
        for at in ends:
            inside = sizes.inside(of, at)
            for step in _forced(of, at, of.after if of.pattern.start else of.before):
                inside = inside & self.all.inside(of, step)
            found |= inside
        return sorted(found)


def _forced(of: Shape, at: int, links: list[list[tuple[int, int]]]) -> Iterator[int]:
    """The next few positions along the links, as far as there is only one way."""
    ends = of.last if links is of.after else of.first
    for _ in range(FORCED):
        if at in ends or len(links[at]) != 1:
            return
        ((at, _),) = links[at]
        yield at


class _Sizes:
    """Signatures by direction, kind and bounds of a position."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, bool], dict[tuple[int, int], set[int]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self.ordered: dict[tuple[int, bool], list[tuple[int, int]]] = {}

    def add(self, of: Shape, at: int, signature: int) -> None:
        size = of.size(at)
        self.known[of.kind(at)][size.low, size.high].add(signature)

    def inside(self, of: Shape, at: int) -> set[int]:
        """Signatures with a position whose bounds lie inside those of this one."""
        kind, size = of.kind(at), of.size(at)
        bounds = self.known[kind]
        if size.low == size.high:
            return bounds.get((size.low, size.high), set())
        if kind not in self.ordered:
            self.ordered[kind] = sorted(bounds)
        ordered = self.ordered[kind]
        found: set[int] = set()
        for low, high in ordered[
            bisect_left(ordered, (size.low, 0)) : bisect_left(ordered, (size.high, MAX_SIZE + 1))
        ]:
            if high <= size.high:
                found |= bounds[low, high]
        return found


def _outcomes(signatures: tuple[Signature, ...], shapes: list[Shape], matches: Matches) -> Iterator[Finding]:
    tried = 0
    for i, j in _rivals(signatures, shapes):
        tried += 1
        if tried > MAX_TRIED:
            yield Finding(
                False, signatures[i].location, "too many alike, the search for outcomes that meet ended here"
            )
            return
        a, b = signatures[i], signatures[j]
        flow = meeting(shapes[i], shapes[j], tolerant=False)
        as_written = flow is not None
        if flow is None:
            flow = meeting(shapes[i], shapes[j], tolerant=True)
        elif abs(bits(a.pattern) - bits(b.pattern)) >= CLEAR_BITS:
            continue
        if flow is None or not all(matches(signature, flow, not as_written) for signature in (a, b)):
            continue
        reason = (
            "and neither is clearly more specific" if as_written else "under tolerance: write both with '='"
        )
        message = (
            f"outcome {b.facets.outcome} meets outcome {a.facets.outcome} of {_named(a)}"
            f" in {pattern_text(flow)}, {reason}"
        )
        yield Finding(True, b.location, message)


def _rivals(signatures: tuple[Signature, ...], shapes: list[Shape]) -> Iterator[tuple[int, int]]:
    """Pairs of one class with different outcomes that end in sizes that overlap, each once, in file order."""
    groups = defaultdict(list)
    for i, signature in enumerate(signatures):
        facets = signature.facets
        if facets.outcome:
            for at in shapes[i].last:
                size = shapes[i].size(at, tolerant=True)
                key = (facets.class_, signature.pattern.proto, shapes[i].positions[at].direction)
                groups[key].append((size.low, size.high, i))
    given: set[tuple[int, int]] = set()
    for group in groups.values():
        group.sort()
        open_: list[tuple[int, int, int]] = []
        for low, high, i in group:
            open_ = [entry for entry in open_ if entry[1] >= low]
            for _, _, j in open_:
                pair = (min(i, j), max(i, j))
                if pair not in given and signatures[i].facets.outcome != signatures[j].facets.outcome:
                    given.add(pair)
                    yield pair
            open_.append((low, high, i))


def _named(signature: Signature) -> str:
    """Its id, and its place where that says more."""
    return f"{signature.id} ({signature.location})" if isinstance(signature.where, Place) else signature.id
