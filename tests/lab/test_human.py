"""People and programs at a terminal: what they type is right in the end, and their rhythms are their own."""

from __future__ import annotations

import statistics
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from tools.lab import words
from tools.lab.bot import KINDS, Bot
from tools.lab.human import BACKSPACE, ENTER, FASTEST_KEY_S, MEAN_KEY_S, Typist


class Paper:
    """A terminal that only notes what is typed and when.

    typed : (time, bytes); text : what a shell would have, with what was taken back gone
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self.typed: list[tuple[float, bytes]] = []

    def send(self, data: bytes) -> None:
        self.typed.append((self.now_s, data))

    def pause(self, seconds: float) -> None:
        assert seconds >= 0
        self.now_s += seconds

    @property
    def text(self) -> str:
        left = b""
        for _, data in self.typed:
            left = left[:-1] if data == BACKSPACE else left + data
        return left.decode()

    @property
    def intervals_s(self) -> list[float]:
        times = [time_s for time_s, _ in self.typed]
        return [later - earlier for earlier, later in pairwise(times)]


def written(hands: Any, *lines: str) -> Paper:
    paper = Paper()
    for line in lines:
        hands.line(paper, line)
    return paper


@pytest.mark.parametrize("seed", range(20))
def test_slips_are_taken_back(seed: int) -> None:
    typist = Typist(Random(seed))
    typist.slips = 0.3
    paper = written(typist, "grep -n project notes.txt")
    assert paper.text == "grep -n project notes.txt\r"
    assert BACKSPACE in [data for _, data in paper.typed]


def test_typists_are_as_fast_as_people_and_differ_as_they_do() -> None:
    speeds = [Typist(Random(seed)).key_s for seed in range(400)]
    assert statistics.mean(speeds) == pytest.approx(MEAN_KEY_S, rel=0.1)
    assert 0.08 < statistics.stdev(speeds) < 0.15


def test_intervals_of_a_typist_are_never_even() -> None:
    paper = written(Typist(Random(4)), "cat report notes draft")
    assert min(paper.intervals_s) >= FASTEST_KEY_S
    assert len({round(interval, 4) for interval in paper.intervals_s}) > 15


def test_the_same_person_types_the_same_again() -> None:
    first, second = (written(Typist(Random(6)), "uname -a", "ls").typed for _ in range(2))
    assert first == second


@pytest.mark.parametrize("kind", KINDS)
def test_programs_type_what_they_are_told(kind: str) -> None:
    paper = written(Bot(Random(1), kind), "ls -l", "exit")
    assert paper.text == "ls -l\rexit\r"
    assert len(paper.typed) == (2 if kind not in ("keys", "jittery") else len("ls -l\rexit\r"))


def test_a_program_with_fixed_delays_is_even() -> None:
    intervals = written(Bot(Random(1), "fixed"), *["ls"] * 10).intervals_s
    assert max(intervals) == pytest.approx(min(intervals))


@pytest.mark.parametrize("seed", range(50))
def test_names_and_passwords_have_up_to_thirty_printable_characters(seed: int) -> None:
    rng = Random(seed)
    for word in (words.user_name(rng), words.password(rng)):
        assert 1 <= len(word) <= words.LONGEST
        assert word.isascii() and word.isprintable() and " " not in word
        assert ENTER.decode() not in word
