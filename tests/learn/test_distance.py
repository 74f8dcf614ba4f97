"""The kernel that compares sequences says what its twin says, and clusters hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.learn import distance as kernel
from fl0p_py.learn.cluster import cluster, shapes_of, tokens_of
from fl0p_py.learn.corpus import EMPTY, Corpus
from fl0p_py.learn.distance import Tokens
from tests.learn import twin_distance as twin
from tests.learn.build import corpus


def test_the_kernel_is_the_compiled_one() -> None:
    assert kernel.__file__.endswith(".so")


def both(shapes: list[twin.Shape]) -> Tokens:
    offsets = np.cumsum([0, *(len(shape.log) for shape in shapes)])
    return Tokens(
        np.array([log for shape in shapes for log in shape.log], np.int32),
        np.array([kind for shape in shapes for kind in shape.kind], np.uint8),
        offsets,
        np.array([shape.group for shape in shapes], np.uint8),
        np.array([shape.port for shape in shapes], np.uint16),
    )


def shape(tokens: list[tuple[int, int]], group: int = 0, port: int = 0) -> twin.Shape:
    return twin.Shape(tuple(t[0] for t in tokens), tuple(t[1] for t in tokens), group, port)


TOKEN = st.tuples(st.integers(260, 700), st.integers(0, 7))
SHAPE = st.builds(
    shape,
    st.one_of(st.lists(TOKEN, min_size=1, max_size=7), st.lists(TOKEN, min_size=15, max_size=80)),
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([0, 22]),
)


@settings(max_examples=60)
@given(SHAPE, SHAPE)
def test_like_the_twin(a: twin.Shape, b: twin.Shape) -> None:
    tokens = both([a, b])
    pairs = np.array([0, 1, 0], np.int64), np.array([1, 0, 0], np.int64)
    there, back, itself = tokens.distances(*pairs).tolist()
    expected = twin.distance(a, b)
    assert itself == 0
    if expected is None:
        assert there == back == 1 << 30
    else:
        assert there == expected and there == back


@settings(max_examples=40)
@given(SHAPE, SHAPE)
def test_places_are_on_a_way_that_costs_least(a: twin.Shape, b: twin.Shape) -> None:
    found = both([a, b]).place(0, 1).tolist()
    assert twin.placed_cost(a, b, found) == twin.table(a, b, band=False)[-1][-1]


@pytest.mark.parametrize(
    ("one", "other", "nearer"),
    [
        ("tcp 9 < c100 s100", "tcp 9 < c110 s100", "tcp 9 < c150 s100"),
        ("tcp 9 < c100 s100", "tcp 9 < c100 + s100", "tcp 9 < c100 s200"),
        ("tcp 9 < c100 s1448", "tcp 9 < c100 s1448 s1448", "tcp 9 < c100 s1448 c1448"),
        ("tcp 9 < c100 s100 c9 s9", "tcp 9 < c100 s100 c9 s90", "tcp 9 < c900 s100 c9 s9"),
        ("tcp 9 < c5", "tcp 9 < c9", "tcp 9 < c90"),
        ("tcp 9 < c5 s5", "tcp 9 < c5", "tcp 9 < s5"),
    ],
)
def test_what_is_nearer(one: str, other: str, nearer: str) -> None:
    flows = corpus([one, other, nearer])
    shapes = shapes_of(flows)
    place = {flows.pattern_text(int(flow)): number for number, flow in enumerate(shapes.first)}
    begin = np.array([place[one]] * 2, np.int64)
    near, far = tokens_of(flows, shapes).distances(begin, np.array([place[other], place[nearer]], np.int64))
    assert near < far


def test_bad_arrays_are_refused() -> None:
    one = both([shape([(300, 1)])])
    with pytest.raises(ValueError, match="do not cut"):
        Tokens(
            np.zeros(2, np.int32),
            np.zeros(2, np.uint8),
            np.array([0, 0, 2]),
            np.zeros(2, np.uint8),
            np.zeros(2, np.uint16),
        )
    with pytest.raises(ValueError, match="different lengths"):
        Tokens(
            np.zeros(2, np.int32),
            np.zeros(1, np.uint8),
            np.array([0, 2]),
            np.zeros(1, np.uint8),
            np.zeros(1, np.uint16),
        )
    with pytest.raises(IndexError):
        one.distances(np.array([0]), np.array([1]))
    with pytest.raises(IndexError):
        one.place(-1, 0)
    with pytest.raises(ValueError, match="order does not name"):
        one.leaders(np.array([1]), 300)


WORDS = ["c40", "s60", "c44", "s1448", "s900", "+ c41", "+ s58", "c1", "s1", "c517"]
LINES = st.lists(
    st.builds(
        lambda proto, words: f"{proto} < {' '.join(words)}".replace("< +", "<"),
        st.sampled_from(["tcp 22", "tcp 443", "udp 53"]),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40)
@given(LINES, st.integers(0, 3), st.sampled_from([0.0, 0.2, 0.5]))
def test_clusters_hold_every_flow_once_and_nothing_unlike(lines: list[str], seed: int, limit: float) -> None:
    flows = corpus(lines)
    found, shapes = cluster(flows, distance=limit, seed=seed)
    tokens = tokens_of(flows, shapes)
    assert sorted(flow for each in found for flow in each.flows) == list(range(len(flows)))
    assert [len(each.flows) for each in found] == sorted((len(each.flows) for each in found), reverse=True)
    for each in found:
        assert sorted(set(shapes.inverse[each.flows])) == sorted(each.shapes)
        leader = np.full(len(each.shapes), each.leader, np.int64)
        assert (tokens.distances(each.shapes, leader) <= round(1000 * limit)).all()


def test_sequences_of_a_kind_come_together() -> None:
    kinds = [
        "tcp 22 < s41 c41 s1080 c{} s300 c52",
        "tcp 25 < s80 c{} s250 c30 s40 c6 s37",
        "udp 53 < c{} s100",
    ]
    lines = [kind.format(size) for kind in kinds for size in range(30, 42)]
    found, _ = cluster(corpus(lines))
    assert [len(each.flows) for each in found] == [12, 12, 12]
    assert cluster(EMPTY)[0] == []


def test_the_order_of_files_does_not_show() -> None:
    lines = [f"tcp 22 < c{40 + n % 7} s{100 + 13 * n} c9" for n in range(40)]
    parts = [corpus(lines[at : at + 10], sources=[f"{at}"] * 10) for at in range(0, 40, 10)]
    one, other = Corpus.concat(parts), Corpus.concat(parts[::-1])
    assert [each.flows.tolist() for each in cluster(one)[0]] == [
        each.flows.tolist() for each in cluster(other)[0]
    ]


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    cluster(corpus(["tcp 1 c1", "tcp 1 s1"]), told=lambda done, whole: told.append((done, whole)))
    assert told == [(2, 4), (4, 4)]
