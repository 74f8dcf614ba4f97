"""Courses say of flows what the matcher says of their patterns."""

from __future__ import annotations

import numpy as np
import pytest

from fl0p_py.learn.course import Course, Rounds, Turn
from fl0p_py.learn.trial import each
from fl0p_py.learn.turn import turns_in
from fl0p_py.signature.pattern import Gap, Signature, Size
from fl0p_py.signature.printer import pattern_text
from tests.learn.build import corpus

FLOWS = corpus(
    [
        "tcp 22 < c41 s41 c7 s9 >",
        "tcp 22 < c41 + s41 c7 s9 >",
        "tcp 22 < c20 c21 s41 c7 s9",
        "tcp 22 < c41 s41 c7 s9 c7 s9 c7 s9 c50 s1 >",
        "tcp 22 < c41 s41 c50 s1",
        "tcp 22 c41 s41 c50 s1",
        "tcp 22 < s41 c41 s41 + c7 c1 s9 >",
        "tcp 22 < c40 s41 c7 s9 s9 s9",
    ]
)


def at(size: int, wide: int = 0) -> tuple[Size, ...]:
    return (Size(size - wide, size + wide, exact=wide == 0),)


C41, S41 = Turn(True, at(41)), Turn(False, at(41))
C7, S9 = Turn(True, at(7)), Turn(False, at(9))
ANY_C = Turn(True, (Size(1, 60, exact=False),), inner=Gap.ANY, burst=True)
ANY_S = Turn(False, (Size(9, 60, exact=False),), inner=Gap.ANY, burst=True)


@pytest.mark.parametrize(
    "course",
    [
        Course((C41, S41), start=True, exact=True),
        Course((C41, S41), start=True),
        Course((C41, S41), start=False, exact=True),
        Course((Turn(True, at(41), burst=True), S41), start=True, exact=True),
        Course((C41, Turn(False, at(41), Gap.SOME)), start=True, exact=True),
        Course((C41, Turn(False, at(41), Gap.NONE)), start=True, exact=True),
        Course((C41, S41, C7, S9), start=True, end=True, exact=True),
        Course((C41, S41, Rounds((C7, S9), 0, 4), Turn(True, at(50))), start=True, exact=True),
        Course((C41, S41, Rounds((C7, S9), 2, None), Turn(True, at(50))), start=True, exact=True),
        Course((C41, S41, Turn(True, at(7), opening=True)), start=False, exact=True),
        Course((C41, Rounds((ANY_S, ANY_C), 0, None, mixed=True), S9), start=True, exact=True),
        Course(
            (C41, Rounds((ANY_S, ANY_C), 1, None, mixed=True), Turn(False, at(1))), start=True, exact=True
        ),
        Course((Turn(True, at(30, 11), run=True, low=1, high=3), S41), start=True),
        Course((C7, Turn(False, (*at(9), *at(9)), opening=True)), start=False, exact=True),
    ],
    ids=lambda course: pattern_text(course.pattern("tcp")),
)
def test_as_the_matcher_says(course: Course) -> None:
    signature = Signature("x", "x", course.pattern("tcp"), edits=False)
    named = course.matched(turns_in(FLOWS, np.arange(len(FLOWS))))
    assert named.tolist() == (each([signature], FLOWS)[0] > 0).tolist()
    assert named.any()
