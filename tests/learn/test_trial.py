"""A trial over a corpus says what fl0p_py.signature.trial says of the same flows one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.learn import trial
from fl0p_py.learn.corpus import EMPTY, Corpus
from fl0p_py.signature.loader import load
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.trial import PAUSE_MS, flow_of, run
from tests.learn.build import corpus, signatures

FLOWS = [
    "tcp 22 < c41 s41 + c148 s52 >",
    "tcp 22 < c41 s41 c148 s52",
    "tcp 22 c41 s41 + c148 s52 +",
    "udp 53 < c40 s100 >",
    "icmp * < c56 s56 + c56 s56 >",
    "tcp 25 < s80 c20 s250 c30 s40 c6 s37 c2000 c3 s20 c6 s15 >",
]
SET = signatures(
    "tcp 22 c41 s41",
    "tcp * < c40 s* + c100-",
    "tcp 22 C41 s41 +? C1-",
    "tcp * s52 +",
    "tcp * s52 >",
    "udp 53 < c40 s* >",
    "icmp * c56 s56 + c56",
    "tcp 25 < s80 c20 s250 c30 s40 c6 s37 c2000 c3 s21",
    "tcp 25 s80 c20 s250 c31 + s40 c6 s37",
)


def expected(found: SignatureSet, flows: Corpus, *, fuzzy: bool = True) -> list[tuple[object, ...]]:
    """The same by the one-flow way."""
    silent = {True: PAUSE_MS, False: 0}
    tried = [
        replace(flow_of(parse_pattern(flows.pattern_text(number))), silence_ms=silent[trailing])
        for number, trailing in enumerate(flows.trailing_pause.tolist())
    ]
    return [
        (number, i.signature, i.token, i.score, i.fuzzy, i.lost)
        for number, result in enumerate(run(found, tried, fuzzy=fuzzy))
        for i in result.identifications
    ]


@pytest.mark.parametrize("fuzzy", [True, False])
def test_like_one_by_one(fuzzy: bool) -> None:
    flows = corpus(FLOWS)
    rows = list(zip(*trial.matches(SET, flows, fuzzy=fuzzy), strict=True))
    assert rows == expected(SET, flows, fuzzy=fuzzy)
    assert {row[1] for row in rows} >= {0, 3, 4, 5, 6}


def test_each_does_not_let_one_hold_another_back() -> None:
    long = "tcp 25 < s80 c20 s250 c30 s40 c6 s37 c2000 c3 s20"
    both = signatures(long, long.replace("c2000", "c2000 c9"))
    flows = corpus([long])
    assert trial.matches(both, flows).signature.tolist() == [0]
    assert trial.each(both.signatures, flows).tolist() == [[10], [10]]


def test_each_takes_more_signatures_than_a_flow_can_be_identified_by() -> None:
    many = signatures(*(f"tcp * = c1-{1000 + n}" for n in range(100)))
    assert trial.each(many.signatures, corpus(["tcp 1 c5", "tcp 1 s5"])).tolist() == [[1, 0]] * 100


@pytest.mark.parametrize(
    ("gap_ms", "threshold_ms", "hit"),
    [
        (399.0, 400, False),
        (401.0, 400, True),
        (401.0, 500, False),
        (1e30, 400, True),
        (float("nan"), 400, True),
    ],
)
def test_a_known_gap_counts(gap_ms: float, threshold_ms: int, hit: bool) -> None:
    flows = corpus(["tcp 1 c5 + s5"], gaps_ms=[[0, gap_ms]])
    found = trial.matches(signatures("tcp 1 c5 + s5"), flows, threshold_ms=threshold_ms)
    assert (len(found.flow) == 1) is hit


def test_nothing_to_try() -> None:
    assert len(trial.matches(SET, EMPTY).flow) == 0
    assert trial.each((), corpus(FLOWS)).shape == (0, len(FLOWS))


def test_parts_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    flows = corpus(FLOWS * 3)
    whole = trial.matches(SET, flows)
    monkeypatch.setattr(trial, "TOKENS_AT_ONCE", 5)
    for one, other in zip(whole, trial.matches(SET, flows), strict=True):
        assert one.tolist() == other.tolist()


TOKEN = st.builds(lambda direction, size: f"{direction}{size}", st.sampled_from("cs"), st.integers(1, 2000))
SEQUENCE = st.lists(TOKEN, min_size=1, max_size=20).map(" ".join)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(["tcp 22 ", "tcp 443 <", "udp 53 <"]), SEQUENCE), max_size=6))
def test_the_shipped_set_on_any_flows(flows: list[tuple[str, str]]) -> None:
    tried = corpus([f"{head} {tokens}" for head, tokens in flows]) if flows else EMPTY
    rows = list(zip(*trial.matches(SHIPPED, tried), strict=True))
    assert rows == expected(SHIPPED, tried)


SHIPPED = load()
