"""Search: the shortest courses that name flows of one class and nothing else.

After GGFAST (Piet, Nwoji, Paxson, SIGCOMM 2023): short runs of message lengths, "snippets", that occur
in the flows of one class and hardly ever elsewhere.  Here their sizes are ranges, learned from flows
that run alike (variant.py), and a run may begin with the flow (`<`), end with it (`>`), and hold an exchange
that comes several times.  Each run is made longer until what else it names is gone; what one level of
generality cannot tell apart is tried on the next, stricter one, and in the end the variant is divided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.candidate import GOOD_BITS, MOST_NEAR, Candidate, Field, more_bits
from fl0p_py.learn.course import Course, Step, Turn, advance, at_end, rows_of
from fl0p_py.learn.generalise import GENEROUS, LEVELS, Level, doubled, widened
from fl0p_py.learn.turn import Turns
from fl0p_py.learn.variant import Variant, halves, places
from fl0p_py.signature.pattern import Size
from fl0p_py.signature.specificity import ANCHOR, bits

LEAST_BITS = 32.0
"""Specificity below which no course is good enough."""

FREE_BITS = 24.0
"""What a course has to say behind an exchange of any length: until then it stands nowhere in particular."""

TOLERANT_BITS = 60.0
"""Below that, constants are meant to the byte: where a course says little, a byte more is something else."""

STRICT, STRICT_SHARE = 4, 0.03
"""From this level on a course has fitted itself to what was seen, so it must name a larger share of the
class."""

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
        self.wider: dict[int, Step] = {}
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
        more = more_bits(field, start)
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
            own, other, wide = self._advanced(own, other, wide, step, at)
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

    def _advanced(
        self, own: Array, other: Array, wide: Array, step: Step, place: int
    ) -> tuple[Array, Array, Array]:
        field, exact = self.field, self.level.exact
        if self.number < STRICT and wide.size:
            wide = advance(field.other, wide, self._wider(place, step), exact)
        return advance(field.own, own, step, exact), advance(field.other, other, step, exact), wide

    def _wider(self, place: int, step: Step) -> Step:
        if isinstance(step, Turn) and step.closing:  # only where the course begins
            return step.resized(widened)
        if place not in self.wider:
            self.wider[place] = step.resized(widened)
        return self.wider[place]

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
