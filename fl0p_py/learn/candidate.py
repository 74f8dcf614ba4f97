"""Candidates: courses that may become patterns, each with what it names and how safe it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

from numpy.typing import NDArray

from fl0p_py.learn.course import Course, Ports, Rounds, Turn, openings
from fl0p_py.learn.ease import eased
from fl0p_py.learn.generalise import LEVELS, LIKELY
from fl0p_py.learn.turn import Turns
from fl0p_py.learn.variant import Variant, places
from fl0p_py.signature.specificity import bits

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

STEP_BITS = 4.0
"""Patterns that say less than GOOD_BITS are ranked by steps of so many bits."""

MOST_NEAR = 2
"""Flows of others that may lie next to the ranges of a course below that level: those one happens not to have
seen lie inside."""

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
        return max(0, ceil((GOOD_BITS + more_bits(field, anchored) - said) / STEP_BITS))

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


def more_bits(field: Field, start: bool) -> float:
    """Bits that are asked of a course beside those that are asked of each."""
    if start:
        return -PORT_BITS if field.ports else 0.0
    return LOOSE_BITS - PORT_BITS if field.ports else LOOSE_BITS + (HOME_BITS if field.home else 0.0)
