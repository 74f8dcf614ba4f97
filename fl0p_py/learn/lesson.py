"""Lesson: what is asked of a learner, and what became of one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from fl0p_py.learn.target import Target
from fl0p_py.signature.pattern import Pattern

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Options:
    """max_false : flows of others that the signatures of one target may name, in all

    min_flows : flows that a signature has to name to be worth keeping
    threshold_ms : what a `+` of the corpus is
    """

    max_false: int = 0
    min_flows: int = 3
    threshold_ms: int = 400


DEFAULTS = Options()


class Clash(NamedTuple):
    """One sequence, on one port, that speaks for and against a target.

    flow, other : of the corpus, the first flows of both kinds; times : how often it speaks for the target
    """

    flow: int
    other: int
    times: int


class Learned(NamedTuple):
    """A pattern and what it rests on.

    named : flows of the corpus that speak for the target and that it names; tokens : of each by then
    false : flows that it names though they speak against
    """

    pattern: Pattern
    named: Array
    tokens: Array
    false: Array


class Lesson(NamedTuple):
    """What became of one target.

    own : flows that speak for it; unnamed : those that no pattern names
    """

    target: Target
    learned: tuple[Learned, ...]
    own: Array
    unnamed: Array
    clashes: tuple[Clash, ...]
