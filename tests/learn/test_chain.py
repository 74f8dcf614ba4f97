"""Chains: the ends of a dialogue of any length, and the message that tells what lies between."""

from __future__ import annotations

import numpy as np

from fl0p_py.learn.candidate import Field
from fl0p_py.learn.chain import Message, chains, places_of
from fl0p_py.learn.search import candidates
from fl0p_py.learn.turn import Turns, turns_in
from fl0p_py.learn.variant import Variant
from fl0p_py.signature.printer import pattern_text
from tests.learn.build import corpus

# Two ciphers, 44 and 52: a success is 16 bytes shorter, and in the other cipher means nothing.
OWN = [
    f"tcp 22 < s40 c{20 + n} s{x} {f'c90 s{x + 8} ' * n}c90 s{x - 16} >" for x in (44, 52) for n in range(4)
]
OTHER = [
    f"tcp 22 < s40 c{20 + n} s{x} {f'c90 s{x + 8} ' * n}c90 s{x + 8} >" for x in (44, 52) for n in range(4)
]
OTHER += [f"tcp 22 < s40 c{20 + n} s52 c90 s28 >" for n in range(3)]
OTHER += [f"tcp 22 < s40 c{20 + n} s44 c90 s36 >" for n in range(3)]


def rows(texts: list[str]) -> tuple[Turns, np.ndarray]:
    return turns_in(corpus(texts), np.arange(len(texts))), np.ones(len(texts), np.int64)


def laid() -> list[Variant]:
    (own, own_times), (other, other_times) = rows(OWN), rows(OTHER)
    return chains(own, own_times, other, other_times, np.arange(len(own)))


def test_each_cipher_has_a_chain_that_ends_with_its_own_message() -> None:
    own, _ = rows(OWN)
    ends = set()
    for variant in laid():
        fixed = [column for column in variant.columns.T if (column >= 0).all()]
        ends.add((len(variant.rows), *np.unique(own.total[variant.rows, fixed[-1]]).tolist()))
    assert {(4, 28), (4, 36)} <= ends


def test_what_lies_between_is_one_exchange() -> None:
    (own, own_times), (other, other_times) = rows(OWN), rows(OTHER)
    field = Field(own, own_times, other, other_times, "tcp", (), False, True, 0, 3)
    texts = [pattern_text(one.course.pattern("tcp")) for one in candidates(field, laid())]
    assert any("s44" in text.lower() and "s28" in text.lower() and "{" in text for text in texts), texts
    assert any("s52" in text.lower() and "s36" in text.lower() and "{" in text for text in texts), texts
    assert not any(one.false.any() for one in candidates(field, laid()))


def test_folds_begin_and_end_between_fixed_columns() -> None:
    for variant in laid():
        for begin, end in variant.folds:
            assert (end - begin) % 2 == 0
            assert (variant.columns[:, begin - 1] >= 0).all() and (variant.columns[:, end] >= 0).all()


def test_places_of_a_message() -> None:
    flows, _ = rows(["tcp 22 < c5 s7 c5 s9", "tcp 22 < c5 c1 s7 c5 >", "tcp 22 < s5 c8"])
    at = np.arange(3)
    assert places_of(flows, at, Message(True, 5, True), latest=False).tolist() == [0, 2, -1]
    assert places_of(flows, at, Message(True, 5, False), latest=False).tolist() == [0, 0, -1]
    assert places_of(flows, at, Message(True, 5, False), latest=True).tolist() == [2, 2, -1]
    assert places_of(flows, at, Message(True, 5, True, final=True), latest=True).tolist() == [-1, 2, -1]
    behind = np.array([0, 2, 0])
    assert places_of(flows, at, Message(True, 5, False), latest=False, behind=behind).tolist() == [2, -1, -1]


def test_nothing_to_tell_apart() -> None:
    own, times = rows(["tcp 22 < c5 s7"] * 4)
    assert chains(own, times, own, times, np.arange(4)) == []
    assert chains(own, times, own, times, np.arange(0)) == []
