"""Candidates: the shortest courses that name flows of one class and nothing else.

After GGFAST (Piet, Nwoji, Paxson, SIGCOMM 2023): short runs of message lengths, "snippets", that occur
in the flows of one class and hardly ever elsewhere.  Here their sizes are ranges, learned from flows
that run alike (variant.py), and a run may begin with the flow (`<`), end with it (`>`), and hold an exchange
that comes several times.  Each run is made longer until what else it names is gone; what one level of
generality cannot tell apart is tried on the next, stricter one, and in the end the variant is divided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.course import Course, Ports, Rounds, Step, Turn, advance, at_end, openings, rows_of
from fl0p_py.learn.ease import eased
from fl0p_py.learn.generalise import GENEROUS, LEVELS, LIKELY, Level, doubled, widened
from fl0p_py.learn.turn import Turns
from fl0p_py.learn.variant import Variant, halves, places
from fl0p_py.signature.pattern import Size
from fl0p_py.signature.specificity import ANCHOR, bits

LEAST_BITS = 32.0
"""Specificity below which no course is good enough."""

PORT_BITS = 6.0
"""So many less are asked where the signature asks for a port, which gives 16 itself; `fl0p --check` warns
below 24."""

GOOD_BITS = 44.0
"""Up to here a course is made longer if it then names as many flows: what names nothing else among those
that one happens to have shall name nothing else tomorrow."""

LOOSE_BITS = 24.0
"""More is asked of a course that may begin at any token of any flow."""

HOME_BITS = 12.0
"""And still more if the class has ports of its own and the course does not ask for them: what it might name
is all that the network holds, and little of that was seen."""

FREE_BITS = 24.0
"""What a course has to say behind an exchange of any length: until then it stands nowhere in particular."""

STEP_BITS = 4.0
"""Patterns that say less than GOOD_BITS are ranked by steps of so many bits."""

TOLERANT_BITS = 60.0
"""Below that, constants are meant to the byte: where a course says little, a byte more is something else."""

STRICT, STRICT_SHARE = 4, 0.03
"""From this level on a course has fitted itself to what was seen, so it must name a larger share of the
class."""

MOST_NEAR = 2
"""Flows of others that may lie next to the ranges of a course below that level: those one happens not to have
seen lie inside."""

LONGEST = 10
"""Most steps of a course that may begin anywhere; one that begins with the flow has no bound."""

ENOUGH = 0.98
"""Share of a variant's flows that a course has to name for the search in it to end."""

DEEPEST = 8
"""Divisions of a variant, one inside the other."""

MOST_DIVISIONS = 125
"""Of the variants of one class and protocol."""

IN_VAIN = 16
"""So many divisions in a row that led to nothing new, and the rest is given up."""

MOST_BEGINS = 16
"""Places of a variant from which courses are tried."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Field:
    """Where candidates are tried.

    own, other       : flows of the class, of one protocol, and those that must not be named
    own_times, other_times : int64, how often each came
    ports            : what the signature asks for; `other` holds only flows to these
    home             : the class has ports of its own
    exact            : only patterns with `=` will do
    max_false        : flows of `other` that one candidate may name
    min_flows        : flows of the class that it has to name
    """

    own: Turns
    own_times: Array
    other: Turns
    other_times: Array
    proto: str
    ports: Ports
    home: bool
    exact: bool
    max_false: int
    min_flows: int

    @cached_property
    def openings(self) -> dict[tuple[bool, bool], tuple[Array, Array]]:
        """By (anchored, client): where a course may begin, in `own` and in `other`."""
        return {
            (start, client): (openings(self.own, start, client), openings(self.other, start, client))
            for start in (True, False)
            for client in (True, False)
        }


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """covered : bool, the class's flows that it names; false : bool, the others

    level : how strict its course is; bits : its specificity
    near  : others next to its ranges: the more, the likelier that some that one did not see are inside
    variant, columns : whose flows it was made of, and the place of each of its steps
    around : others of half to twice the sizes: what of the course is constant is all that keeps them out
    """

    course: Course
    field: Field
    covered: Array
    false: Array
    level: int
    bits: float
    near: int
    variant: Variant
    columns: tuple[int, ...]
    around: int = 0

    @property
    def safe(self) -> bool:
        """Whether it would still name hardly any others if its ranges were ill drawn."""
        return self.around <= MOST_NEAR

    @property
    def wanting(self) -> int:
        """How much less it says than one would like, in steps of a few bits; an exchange of any length says
        nothing, and what comes behind it stands anywhere."""
        field, course, said = self.field, self.course, self.bits
        if course.behind_mixed():
            fixed = tuple(step for step in course.steps if not (isinstance(step, Rounds) and step.mixed))
            said = bits(replace(course, steps=fixed).pattern(field.proto, field.ports))
        anchored = course.start and not course.behind_mixed()
        return max(0, ceil((GOOD_BITS + _more(field, anchored) - said) / STEP_BITS))

    def eased(self) -> Candidate:
        """The same with ranges as wide as its flows let one expect, but for what would name others."""
        field, variant, level = self.field, self.variant, LEVELS[self.level]
        level = level._replace(width=min(level.width, LIKELY))
        steps = {place.column: place.step for place in places(field.own, variant, level)}
        wider = [steps.get(column) for column in self.columns]
        if isinstance(last := self.course.steps[-1], Turn) and last.opening:
            wider[-1] = variant.turn(field.own, self.columns[-1], level, last=True)
        first = self.course.steps[0]
        assert isinstance(first, Turn)  # as begins() says
        own, other = field.openings[self.course.start, first.client]

        def fits(course: Course) -> bool:
            return not (course.matched(field.other, other) & ~self.false).any()

        course = eased(self.course, wider, fits)
        return replace(self, course=course, covered=self.covered | course.matched(field.own, own))

    @property
    def length(self) -> int:
        return sum(2 + step.mixed if isinstance(step, Rounds) else 1 for step in self.course.steps)

    @property
    def text(self) -> str:
        """For an order that does not depend on how it was found."""
        return repr(self.course)


def candidates(field: Field, sorted_in: Sequence[Variant]) -> list[Candidate]:
    """Those of the variants, and of their halves where they name too few; the largest rest goes first."""
    named = np.zeros(len(field.own), np.bool_)
    found: list[Candidate] = []
    waiting = [(variant, 0) for variant in sorted_in]
    for variant in sorted_in:
        found += _Search(field, variant).run()
    for candidate in found:
        if candidate.safe:
            named |= candidate.covered
    vain = 0
    for _ in range(MOST_DIVISIONS):
        rests = [_rest(field, variant, named) for variant, _ in waiting]
        if not rests or max(rests) < field.min_flows or vain == IN_VAIN:
            break
        before = int(named.sum())
        variant, depth = waiting.pop(int(np.argmax(rests)))
        for half in halves(field.own, variant) if depth < DEEPEST else ():
            for candidate in _Search(field, half).run():
                found.append(candidate)
                if candidate.safe:
                    named |= candidate.covered
            waiting.append((half, depth + 1))
        vain = 0 if named.sum() > before else vain + 1
    return found


def _more(field: Field, start: bool) -> float:
    """Bits that are asked of a course beside those that are asked of each."""
    if start:
        return -PORT_BITS if field.ports else 0.0
    return LOOSE_BITS - PORT_BITS if field.ports else LOOSE_BITS + (HOME_BITS if field.home else 0.0)


def _rest(field: Field, variant: Variant, named: Array) -> int:
    """Flows of the variant that no candidate names, if they are more than a few."""
    times = field.own_times[variant.rows]
    rest = int(times[~named[variant.rows]].sum())
    return rest if rest > (1 - ENOUGH) * times.sum() else 0


def _as_many(longer: Candidate, shorter: Candidate) -> bool:
    """Whether the longer course names about as many flows, and no more has to be known of their ends."""
    times = shorter.field.own_times
    if longer.course.end > shorter.course.end:
        return False
    return bool(times[longer.covered].sum() >= ENOUGH * times[shorter.covered].sum())


class _Search:
    """One variant."""

    def __init__(self, field: Field, variant: Variant) -> None:
        self.field, self.variant = field, variant

    def run(self) -> list[Candidate]:
        """For each beginning the candidates from the most generous to the first with no others next to it, a
        generous one only if it says enough; the strictest level says where there is one."""
        exact = self.field.exact or bool(self.variant.folds)  # what stands anywhere has to be meant
        levels = [(i, level) for i, level in enumerate(LEVELS) if level.exact or not exact]
        strictest = _Walk(self.field, self.variant, *levels[-1])
        left = {begin: candidate for begin in strictest.begins() if (candidate := strictest.shortest(*begin))}
        found = []
        for number, level in levels[:-1]:
            if not left:
                break
            begins = [begin for begin in left if level.exact or begin[1]]  # elsewhere, tolerance is too much
            if not begins:
                continue
            walk = _Walk(self.field, self.variant, number, level)
            for begin in begins:
                candidate = walk.shortest(*begin)
                if candidate is not None:
                    if number >= STRICT:
                        candidate = replace(candidate, near=self._others(candidate, widened))
                    found.append(candidate)
                    narrowed = level.width != GENEROUS or not candidate.wanting
                    if level.exact and narrowed and not candidate.near and _as_many(candidate, left[begin]):
                        del left[begin]
        found += [replace(candidate, near=self._others(candidate, widened)) for candidate in left.values()]
        return [replace(candidate, around=self._others(candidate, doubled)) for candidate in found]

    def _others(self, candidate: Candidate, change: Callable[[Size], Size]) -> int:
        """Others that the course does not name, but would with other sizes."""
        field, course = self.field, candidate.course
        first = course.steps[0]
        assert isinstance(first, Turn)  # as begins() says
        _, at = field.openings[course.start, first.client]
        nearby = course.resized(change).matched(field.other, at)
        return int(field.other_times[nearby & ~candidate.false].sum())


class _Walk:
    """One variant at one level."""

    def __init__(self, field: Field, variant: Variant, number: int, level: Level) -> None:
        self.field, self.variant, self.number, self.level = field, variant, number, level
        self.places = places(field.own, variant, level)
        self.finals: dict[int, Turn] = {}
        self.alone = bool((field.own.end - field.own.begin)[variant.rows].max() == 1)
        self.needed = max(field.min_flows, STRICT_SHARE * field.own_times.sum() if number >= STRICT else 0)

    def begins(self) -> list[tuple[int, bool]]:
        """Places where a course may begin, and whether with the flow."""
        turns = [i for i, place in enumerate(self.places[:MOST_BEGINS]) if isinstance(place.step, Turn)]
        return [(0, True)] * (0 in turns) + [(i, False) for i in turns]

    def shortest(self, first: int, start: bool) -> Candidate | None:
        """The shortest course from this place on that names nothing else."""
        field = self.field
        opening = self.places[first].step
        assert isinstance(opening, Turn)  # as begins() says, at each level
        own, other = field.openings[start, opening.client]
        wide = other
        more = _more(field, start)
        best: Candidate | None = None
        most = len(self.places) if start else min(len(self.places), first + LONGEST)
        before: list[Step] = []
        said = bits(Course((), start).pattern(field.proto, field.ports))
        for at in range(first, most):
            step = self.places[at].step
            if step is None:
                return best
            if isinstance(step, Turn):
                if at == first and not start and not step.burst and not step.run and len(step.sizes) == 1:
                    step = replace(step, closing=True)
                candidate = None
                final = self._final(at)
                enough = said + max(final.most_bits, step.most_bits + ANCHOR) >= LEAST_BITS + more
                if enough and (
                    at > first or len(final.sizes) > 1 or self.alone
                ):  # one is what anybody may send
                    candidate = self._ending(before, at, (own, other, wide), start, more)
                if best is not None and (candidate is None or not _as_many(candidate, best)):
                    return best
                best = candidate
                if best is not None and best.bits >= GOOD_BITS + more and not best.near:
                    return best
            own, other, wide = self._advanced(own, other, wide, step)
            if self._times(rows_of(field.own, own)) < self.needed:
                return best
            before.append(step)
            said += step.most_bits
        return best

    def _ending(
        self, before: list[Step], at: int, behind: tuple[Array, Array, Array], start: bool, more: float
    ) -> Candidate | None:
        """The course that ends with step `at`, if it is good enough; behind : places before it, in `own`, in
        `other`, and in `other` with the steps widened."""
        columns = tuple(place.column for place in self.places[at - len(before) : at + 1])
        least, final, exact = LEAST_BITS + more, self._final(at), self.level.exact
        candidate = self._candidate(Course((*before, final), start, exact=exact), columns, behind, least)
        if candidate is not None and candidate.wanting and final.opening and len(final.sizes) == 1:
            # who sends more at once means something else
            course = Course((*before, replace(final, burst=True, opening=False)), start, exact=exact)
            closed = self._candidate(course, columns, behind, least) if self.field.own.stream else None
            return closed if closed is not None and _as_many(closed, candidate) else candidate
        whole = self.places[at].step
        if candidate is None and whole is not None:
            course = Course((*before, whole), start, end=True, exact=exact)
            candidate = self._candidate(course, columns, behind, least)
        return candidate

    def _final(self, at: int) -> Turn:
        """What the flows have in common in one place, if nothing is asked behind it."""
        if at not in self.finals:
            self.finals[at] = self.variant.turn(self.field.own, self.places[at].column, self.level, last=True)
        return self.finals[at]

    def _advanced(self, own: Array, other: Array, wide: Array, step: Step) -> tuple[Array, Array, Array]:
        field, exact = self.field, self.level.exact
        if self.number < STRICT:
            wide = advance(field.other, wide, step.resized(widened), exact)
        return advance(field.own, own, step, exact), advance(field.other, other, step, exact), wide

    def _candidate(
        self, course: Course, columns: tuple[int, ...], behind: tuple[Array, Array, Array], least: float
    ) -> Candidate | None:
        """The course, if it is good enough."""
        field, final = self.field, course.steps[-1]
        own, other, wide = behind
        named = self._named(field.own, own, course, final)
        if self._times(named) < self.needed:
            return None
        false = self._named(field.other, other, course, final)
        if field.other_times[false].sum() > field.max_false:
            return None
        worth = bits(course.pattern(field.proto, field.ports))
        if worth < (least if course.exact else TOLERANT_BITS):
            return None
        free = course.behind_mixed()
        if free and bits(Course(free, start=False, end=course.end).pattern(field.proto)) < FREE_BITS:
            return None
        near = 0
        if self.number < STRICT:
            nearby = self._named(field.other, wide, course, final.resized(widened))
            near = int(field.other_times[nearby & ~false].sum())
        if near > MOST_NEAR:
            return None
        return Candidate(course, field, named, false, self.number, worth, near, self.variant, columns)

    def _named(self, turns: Turns, at: Array, course: Course, final: Step) -> Array:
        at = advance(turns, at, final, course.exact)
        return rows_of(turns, at_end(turns, at) if course.end else at)

    def _times(self, rows: Array) -> int:
        return int(self.field.own_times[rows].sum())
