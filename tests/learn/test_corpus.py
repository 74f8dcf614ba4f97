"""A corpus keeps what it was given, in an order of its own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.learn.corpus import EMPTY, NO_LABEL, Corpus
from fl0p_py.signature.pattern import MAX_SIZE
from tests.learn.build import corpus

LINES = [
    "tcp 22 < c41 s41 + c148 s52 >",
    "tcp 22 < c41 s41 + c148 s52",
    "tcp 25 s80 c20",
    "udp 53 < c40 s100 >",
    "icmp * < c56 s56 + c56 s56",
    "tcp 80 < c1048575- s3",
    "tcp 7 c1 s1",
]


def texts(flows: Corpus) -> list[str]:
    return [flows.pattern_text(flow) for flow in range(len(flows))]


@pytest.mark.parametrize("line", LINES)
def test_a_line_comes_back_as_it_was(line: str) -> None:
    assert texts(corpus([line])) == [line]


def test_sequence_text_has_no_port() -> None:
    assert corpus(["tcp 22 < c41 + s41 >"]).sequence_text(0) == "< c41 + s41 >"


def test_a_token_larger_than_the_language_knows_is_the_largest() -> None:
    flows = corpus(["tcp 1 c5"])
    large = dataclasses.replace(flows, tokens=np.array([MAX_SIZE], np.int32))
    assert texts(large) == ["tcp 1 c1048575-"]


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]])
def test_concat_does_not_depend_on_the_order(order: list[int]) -> None:
    parts = [
        corpus(LINES[:3], labels=["b", None, "a"], sources=["y", "x", "y"]),
        corpus(LINES[3:5], sources=["x", "z"]),
        corpus([LINES[0]], labels=["c"]),
        EMPTY,
    ]
    reference, shuffled = Corpus.concat(parts), Corpus.concat([parts[i] for i in order])
    for field in dataclasses.fields(Corpus):
        one, other = getattr(reference, field.name), getattr(shuffled, field.name)
        if isinstance(one, tuple):
            assert one == other
        else:
            np.testing.assert_array_equal(one, other)
    assert reference.sources == ("test", "x", "y", "z")
    assert reference.labels == ("a", "b", "c")
    labels = [reference.labels[i] if i != NO_LABEL else None for i in reference.label]
    assert sorted(zip(texts(reference), labels, strict=True), key=str) == sorted(
        zip(
            [*LINES[:3], *LINES[3:5], LINES[0]],
            ["b", None, "a", None, None, "c"],
            strict=True,
        ),
        key=str,
    )


def test_select_takes_a_mask_or_indices() -> None:
    flows = corpus(LINES)
    mask = flows.lengths == 2
    assert texts(flows.select(mask)) == texts(flows.select(np.flatnonzero(mask)))
    assert len(flows.select(np.zeros(len(flows), np.bool_))) == 0
    assert texts(flows.select(np.array([2, 0]))) == [texts(flows)[2], texts(flows)[0]]


def test_unique_tells_sequences_not_ports() -> None:
    flows = corpus(
        ["tcp 1 c5 s5", "tcp 2 c5 s5", "udp 1 c5 s5", "tcp 1 < c5 s5", "tcp 1 c5 + s5", "tcp 1 c5"]
    )
    found = flows.unique()
    same = {text: found.inverse[i] for i, text in enumerate(texts(flows))}
    assert same["tcp 1 c5 s5"] == same["tcp 2 c5 s5"]
    assert len(set(same.values())) == 5
    assert found.times.sum() == 6
    assert (found.inverse[found.first] == np.arange(5)).all()


def test_place_names_file_and_line() -> None:
    assert corpus(LINES[:1], sources=["gathered.log"]).place(0) == "gathered.log:1"


def test_labelled_sorts_the_names() -> None:
    flows = corpus(LINES[:3]).labelled(np.array([1, -1, 0], np.int32), ["z", "a"])
    assert flows.labels == ("a", "z")
    assert flows.label.tolist() == [0, NO_LABEL, 1]


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.integers(-MAX_SIZE, MAX_SIZE).filter(bool), min_size=1, max_size=8),
        min_size=1,
        max_size=12,
    ),
    st.randoms(),
)
def test_any_flows_survive_being_split_and_joined(sizes: list[list[int]], random: object) -> None:
    lines = ["tcp 9 " + " ".join(f"{'c' if n > 0 else 's'}{abs(n)}" for n in flow) for flow in sizes]
    whole = corpus(lines)
    chosen = np.arange(len(whole)) % 2 == 0
    again = Corpus.concat([whole.select(~chosen), whole.select(chosen)])
    np.testing.assert_array_equal(whole.tokens, again.tokens)
    np.testing.assert_array_equal(whole.offsets, again.offsets)
