"""Long flows, small buffers, bounds: what must not depend on how much there is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.errors import SignatureError
from fl0p_py.signature.compiled import compile_set
from fl0p_py.signature.matcher import RESULT_DTYPE, Matcher
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Facets, Signature, SignatureSet
from fl0p_py.signature.trial import MS, START_NS, TrialFlow, events_of
from tests.signature.lines import said, signature_set
from tests.support.examples import examples

MIXED = """\
tcp * < c1 s2 + c3 : a
tcp * c1 s1 : b
#: count
tcp * S3- : c
tcp * ( c1 & S2- ) c1 : d
tcp * c1-3 + : e
#: threshold_ms=1000
tcp * s1-3 + c1 : f
tcp * < c1-{3,} s1 > : g
tcp * c1 s2 c3 s1 c2 s3 : h
"""
tokens = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, -1, -2, -3]), st.sampled_from([0, 0, 0, 500, 2000])), max_size=12
)
flows = st.lists(st.builds(
    lambda tokens, start, end: TrialFlow([t[0] for t in tokens], [t[1] for t in tokens], start, end, 700),
    tokens, st.booleans(), st.booleans(),
), min_size=1, max_size=6)  # fmt: skip


def interleaved(flows: list[TrialFlow], starts: list[int]) -> tuple[Any, Any]:
    """The events of the flows in order of time, flow i beginning at starts[i] ms."""
    events, rows = events_of(flows)
    for row, start in enumerate(starts):
        mine = events["flow"] == row
        if mine.any():
            shift = START_NS + start * MS - events["ts_ns"][mine][0]
            events["ts_ns"][mine] += shift
            events["arrival_ns"][mine] += shift
    return events[np.argsort(events["ts_ns"], kind="stable")], rows


def results_of(events: Any, rows: Any, cuts: list[int]) -> Any:
    matcher = Matcher(signature_set(MIXED), capacity=len(rows))
    found = [np.zeros(0, RESULT_DTYPE)]
    for part in np.split(events, sorted(cuts)):
        matcher.feed(part, rows)
        more = True
        while more:
            more = matcher.run()
            found.append(matcher.results.copy())
    return np.concatenate(found)


@examples(100)
@given(flows, st.data())
def test_results_do_not_depend_on_batch_cuts_and_come_in_order_of_time(
    flows: list[TrialFlow], data: st.DataObject
) -> None:
    starts = [data.draw(st.integers(0, 3000)) for _ in flows]
    events, rows = interleaved(flows, starts)
    cuts = data.draw(st.lists(st.integers(0, len(events)), max_size=5))
    whole, cut = results_of(events, rows, []), results_of(events, rows, cuts)
    assert whole.tolist() == cut.tolist()
    assert (np.diff(whole["ts_ns"]) >= 0).all()


def test_more_results_than_there_is_room_for() -> None:
    flow = TrialFlow([1, -3] * 10_000)
    events, rows = events_of([flow] * 3)
    found = results_of(events, rows, [])
    assert (found["kind"] == 1).sum() == 3
    assert (found["signature"] == 2).sum() > 3 * 9_000


def test_a_flow_of_ten_thousand_tokens() -> None:
    shell = "tcp * < c10 ( c36 s36 ){3,} c99 : shell\ntcp * s36 c99 s1 c2 s3 c4 s5 c6 s7 c8 : tail\n"
    body = [36, -36] * 5_000
    assert said(shell, TrialFlow([10, *body, 99]), fuzzy=False) == ["shell@10002"]
    tail = [99, -1, 2, -3, 4, -5, 6, -7, 8]
    assert said(shell, TrialFlow([10, *body, *tail]), fuzzy=False) == ["shell@10002", "tail@10010"]


def test_silence_is_told_when_time_passes_not_when_the_next_token_comes() -> None:
    events, rows = events_of([TrialFlow([5], end=True, silence_ms=60_000)])
    matcher = Matcher(signature_set("tcp * c5 + : pause\n"), capacity=1)
    matcher.feed(events[:1], rows)
    assert not matcher.run()
    matcher.advance(START_NS + 399 * MS)
    matcher.run()
    assert len(matcher.results) == 0
    matcher.advance(START_NS + 400 * MS)
    matcher.run()
    assert matcher.results["ts_ns"].tolist() == [START_NS + 400 * MS]


def test_a_row_that_was_released_is_like_new() -> None:
    chosen = signature_set("tcp * < c1 s2 : a\n")
    matcher = Matcher(chosen, capacity=1)
    for _ in range(3):
        events, rows = events_of([TrialFlow([1, -2])])
        matcher.feed(events, rows)
        matcher.run()
        assert matcher.results["kind"].tolist() == [0, 1]
        assert [i.token for i in matcher.identifications(0)] == [2]
        matcher.release()
        assert matcher.identifications(0) == []


def test_threads_are_bounded_and_what_is_dropped_is_counted() -> None:
    lines = "".join(f"tcp * C{n}- + s9 : x{n}\n" for n in range(1, 600))
    events, rows = events_of([TrialFlow([1, 2, 3])])
    matcher = Matcher(signature_set(lines), capacity=1)
    matcher.feed(events, rows)
    matcher.run()
    assert matcher.overflow["threads"] > 0


def test_lookalikes_are_bounded_and_what_is_dropped_is_counted() -> None:
    lines = "".join(f"tcp * c1-{n + 9} : x{n}\n" for n in range(1, 600))
    events, rows = events_of([TrialFlow([1, 2, 3])])
    matcher = Matcher(signature_set(lines), capacity=1)
    matcher.feed(events, rows)
    matcher.run()
    assert matcher.results["signature"][0] == 0  # the narrowest
    assert len(matcher.identifications(0)) == 32
    assert matcher.overflow["identifications"] > 0


def test_a_row_beyond_the_capacity_is_refused() -> None:
    events, rows = events_of([TrialFlow([1])] * 2)
    with pytest.raises(ValueError, match="beyond the matcher's capacity"):
        Matcher(signature_set("tcp * c1 : a\n"), capacity=1).feed(events, rows)


@pytest.mark.parametrize(
    "text",
    [f"tcp * ({' | '.join(f'c{n}' for n in range(1, 61))}){{60}}", "tcp * c9" + " c1{0,1}" * 400],
    ids=["alternatives", "options"],
)
def test_patterns_that_are_too_large_are_refused(text: str) -> None:
    signature = Signature(id="big", name="big", pattern=parse_pattern(text), source="x.fp")
    with pytest.raises(SignatureError, match="too large"):
        compile_set(SignatureSet((signature,)))


def test_too_many_thresholds_are_refused() -> None:
    lines = "".join(f"#: threshold_ms={n}00\ntcp * c1 + c{n} : x{n}\n" for n in range(1, 9))
    with pytest.raises(SignatureError, match="too many different thresholds: 8, at most 7"):
        compile_set(signature_set(lines))


def test_an_empty_set_matches_nothing() -> None:
    assert said("", TrialFlow([1, -2])) == []


def test_too_many_values_of_a_facet_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fl0p_py.signature.rule.MAX_VALUES", 4)
    some = [
        Signature(f"x{n}", "x", parse_pattern(f"tcp * c{n + 1}"), Facets(class_=f"x{n}"), source="x.fp")
        for n in range(5)
    ]
    compile_set(SignatureSet(tuple(some[:4])))
    with pytest.raises(SignatureError, match="too many different values of class: more than 4"):
        compile_set(SignatureSet(tuple(some)))


def test_patterns_that_are_too_large_together_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fl0p_py.signature.compiler.MAX_ALL_POSITIONS", 100)
    lines = "".join(f"tcp * C{n}-{n + 9} ( s{n} | c{n} ){{40}} : x{n}\n" for n in (10, 20))
    with pytest.raises(SignatureError, match="of all patterns make more than 100 items"):
        compile_set(signature_set(lines))
