"""Cover: the few candidates that together name most of a class.

Greedy, as set cover is approximated: always the candidate that names most of what is not named yet;
of those that do about as well, the shortest, then the one that asks least, so that what stays is what a
person would have written.  Candidates that the later ones made needless are taken out again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.candidate import Candidate

ABOUT = 0.005
"""Share of a class's flows by which two candidates do about equally well."""

WORTH = 0.01
"""Share of the class that a further candidate has to add: a signature is read by people."""

LOOSE_WORTH = 0.03
"""The same of one that may begin anywhere: tried at every token of every flow, it has to add more."""

SAFE_WORTH = 0.05
"""The same of the safe ones, which are chosen first: not at the price of many more patterns."""

Array = NDArray[Any]


def cover(
    candidates: Sequence[Candidate], times: Array, *, min_flows: int, max_false: int
) -> list[Candidate]:
    """Candidates in the order in which they were chosen.

    times : int64[n], how often each of the class's flows came
    min_flows : flows that each has to add (and WORTH or LOOSE_WORTH of the class)
    max_false : others that all together may name
    """
    whole = float(times.sum())
    ranked = sorted(candidates, key=_rank)
    worth = {id(one): max(min_flows, (WORTH if one.course.start else LOOSE_WORTH) * whole) for one in ranked}
    safe = [one for one in ranked if one.safe]
    chosen = _greedy(
        safe, [], times, {key: max(least, SAFE_WORTH * whole) for key, least in worth.items()}, max_false
    )
    chosen = _needed(_greedy(ranked, chosen, times, worth, max_false), times, worth)
    plain = _needed(_greedy(ranked, [], times, worth, max_false), times, worth)
    saved = len(chosen) - len(plain)
    if saved > 0 and _named(plain, times) + saved * max(min_flows, WORTH * whole) > _named(chosen, times):
        chosen = plain  # what the others add is not worth a pattern each
    return _exchanged(chosen, ranked, times, max_false)


def _greedy(
    ranked: Sequence[Candidate],
    before: Sequence[Candidate],
    times: Array,
    worth: Mapping[int, float],
    max_false: int,
) -> list[Candidate]:
    """Those chosen before, and what else has to be added.  worth : what each has to name, by its id()"""
    chosen = list(before)
    left = [one for one in ranked if one not in chosen]
    named = np.zeros(len(times), np.bool_)
    for one in chosen:
        named |= one.covered
    false = sum(_cost(one) for one in chosen)
    slack = ABOUT * float(times.sum())
    while left:
        gains = np.array([float(times[candidate.covered & ~named].sum()) for candidate in left])
        enough = gains >= [worth[id(candidate)] for candidate in left]
        if not enough.any():
            break
        best = gains[enough].max()
        near = np.flatnonzero(enough & (gains >= best - min(slack, best / 4)))
        pick = left[int(near[0])]
        left = [one for one, gives in zip(left, enough, strict=True) if one is not pick and gives]
        if false + _cost(pick) > max_false:
            continue
        false += _cost(pick)
        chosen.append(pick)
        named |= pick.covered
    return chosen


def _named(chosen: Sequence[Candidate], times: Array) -> float:
    covered = np.zeros(len(times), np.bool_)
    for one in chosen:
        covered |= one.covered
    return float(times[covered].sum())


def _cost(candidate: Candidate) -> int:
    return int(candidate.field.other_times[candidate.false].sum())


def _rank(candidate: Candidate) -> tuple[Any, ...]:
    """Those far from all others, that begin with the flow, that say enough, then the shortest, then the least
    strict."""
    return (
        candidate.near.bit_length(),
        not candidate.course.start or bool(candidate.course.behind_mixed()),
        candidate.wanting,
        bool(candidate.field.ports),
        candidate.course.end,
        candidate.length,
        candidate.level,
        round(candidate.bits, 6),
        candidate.text,
    )


def _needed(chosen: list[Candidate], times: Array, least: Mapping[int, float]) -> list[Candidate]:
    """Without those that add too little to all others together; the weakest go first."""
    kept = list(chosen)
    for candidate in reversed(chosen):
        others = np.zeros(len(times), np.bool_)
        for other in kept:
            if other is not candidate:
                others |= other.covered
        if times[candidate.covered & ~others].sum() < least[id(candidate)]:
            kept.remove(candidate)
    return kept


def _exchanged(
    chosen: list[Candidate], ranked: Sequence[Candidate], times: Array, max_false: int
) -> list[Candidate]:
    """With others in the place of some, where as many then name more; none for one that is safer, farther
    from all others, or begins with the flow where it does not."""
    kept = list(chosen)
    for place in range(len(kept)):
        rest = [one for number, one in enumerate(kept) if number != place]
        others = np.zeros(len(times), np.bool_)
        for one in rest:
            others |= one.covered
        false = sum(map(_cost, rest))
        most = times[kept[place].covered & ~others].sum()
        for one in ranked:
            gain = times[one.covered & ~others].sum()
            if gain > most and false + _cost(one) <= max_false and _standing(one) <= _standing(kept[place]):
                most, kept[place] = gain, one
    return kept


def _standing(candidate: Candidate) -> tuple[int, ...]:
    """Each the smaller, the better."""
    return int(not candidate.safe), candidate.near.bit_length(), int(not candidate.course.start)
