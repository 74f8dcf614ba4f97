"""Ease: the ranges of a chosen course made as wide as one may expect, where no other flow speaks against it.

A course that was found on a strict level asks for what was seen, and of n sizes drawn from a range the next
one lies outside of them in 2 cases of n + 1.  Here each end of each range by itself is moved to where chance
would put it, or, if others are named on the way there, half the way to the first of them.  Where
conversations have any number of exchanges, what stands in one place of some stands two turns further on in
others, so a burst also takes the sizes of those neighbours of its side that are much like it.  Constants stay
constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import log2

from fl0p_py.learn.course import Course, Rounds, Step, Turn
from fl0p_py.learn.generalise import SMALL
from fl0p_py.signature.pattern import Size

LIKE = 0.5
"""Neighbours have so much of their ranges, on the log scale, in common."""

Fits = Callable[[Course], bool]


def eased(course: Course, wider: Sequence[Step | None], fits: Fits) -> Course:
    """The course with wider ranges.

    wider : for each step what its flows let one expect; None: not known
    fits  : whether a course still names nothing that it must not
    """
    expected = [_alike(own, wide) for own, wide in zip(course.steps, wider, strict=True)]
    wanted = _sizes(_pooled(expected))
    for place, wide in enumerate(wanted):
        own = _sizes(course.steps)[place]
        if own.low == own.high:
            continue
        for end in ("low", "high"):
            course = _moved(course, place, end, wide, fits)
    return course


def _moved(course: Course, place: int, end: str, wide: Size, fits: Fits) -> Course:
    """The course with one end of one range as far out as it goes."""
    own = _sizes(course.steps)[place]
    begin = getattr(own, end)
    target = min(own.low, wide.low) if end == "low" else max(own.high, wide.high)

    def at(bound: int) -> Course:
        return _with(course, place, replace(own, exact=False, **{end: bound}))

    if target == begin or fits(at(target)):
        return at(target)
    good, bad = begin, target
    while abs(bad - good) > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(at(middle)) else (good, middle)
    return at((begin + good) // 2)


def _with(course: Course, place: int, size: Size) -> Course:
    numbers = iter(range(len(_sizes(course.steps))))
    return course.resized(lambda old: size if next(numbers) == place else old)


def _turns(step: Step) -> tuple[Turn, ...]:
    return step.turns if isinstance(step, Rounds) else (step,)


def _sizes(steps: Sequence[Step]) -> list[Size]:
    """In the order of `Course.resized`."""
    return [size for step in steps for turn in _turns(step) for size in turn.sizes]


def _alike(own: Step, wide: Step | None) -> Step:
    """The wider step, if it is of the same make."""
    if wide is None or type(own) is not type(wide):
        return own
    return wide if _make(own) == _make(wide) else own


def _make(step: Step) -> list[tuple[bool, bool, bool, int]]:
    return [(turn.client, turn.burst, turn.run, len(turn.sizes)) for turn in _turns(step)]


def _pooled(steps: Sequence[Step]) -> list[Step]:
    """The steps, each burst with what its neighbours of the same side take."""
    found = list(steps)
    for place, step in enumerate(steps):
        if isinstance(step, Turn) and (own := _range(step)):
            near = [_range(steps[at]) for at in (place - 2, place + 2) if 0 <= at < len(steps)]
            like = [own, *(size for size in near if size and _common(own, size) >= LIKE)]
            size = Size(min(one.low for one in like), max(one.high for one in like), exact=False)
            found[place] = replace(step, sizes=(size,))
    return found


def _range(step: Step) -> Size | None:
    """Of one burst of many sizes."""
    if isinstance(step, Turn) and step.burst and step.sizes[0].low < step.sizes[0].high:
        return step.sizes[0]
    return None


def _common(one: Size, other: Size) -> float:
    """How much of what either takes both take, on the log scale."""
    low, high = sorted((one.low, other.low)), sorted((one.high, other.high))
    whole = log2(high[1] + SMALL) - log2(low[0] + SMALL)
    return (log2(high[0] + SMALL) - log2(low[1] + SMALL)) / whole
