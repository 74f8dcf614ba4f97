"""Need: how much of a stream must be in view so that a set of patterns is found exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fl0p_py.grep.distance import Distance, Measure
from fl0p_py.grep.pattern import Pattern, Side
from fl0p_py.grep.piece import FAR

WIDEST_JOINT = FAR
"""Bytes before a segment that are at hand for every stream.  What needs more makes all be followed."""

LONGEST_MATCH = 65536
"""Bytes of a stream that are kept while a match may still be coming."""


@dataclass(frozen=True, slots=True)
class Need:
    """Of one pattern, or of the distance.

    reach  : bytes before the end of a piece that must be there to decide
    follow : bytes behind it that may still be part of a match
    always : no piece says where to look: it is tried everywhere
    """

    reach: int
    follow: int
    always: bool
    side: Side


def of_pattern(pattern: Pattern) -> Need:
    expression = pattern.expression
    follow = 0 if expression.whole else min(expression.widest, LONGEST_MATCH)
    ahead = LONGEST_MATCH if expression.far else expression.ahead
    if not expression.pieces or expression.reach >= WIDEST_JOINT:
        reach = min(expression.widest + expression.behind + ahead, LONGEST_MATCH)
        return Need(reach, 0, True, pattern.side)
    return Need(expression.reach, follow + ahead, False, pattern.side)


def of_distance(distance: Distance) -> Need:
    if distance.measure is Measure.JACCARD:
        return Need(distance.length, distance.length, True, Side.ANY)
    reach = min(2 * distance.length, WIDEST_JOINT - 1)
    return Need(reach, 2 * distance.length, False, Side.ANY)


def joint_width(needs: Sequence[Need]) -> int:
    """What `Joints` are to be made for."""
    return max([2, *(need.reach + 1 for need in needs if not need.always)])
