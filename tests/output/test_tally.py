"""What passes is counted, by class too, across a change of the signatures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from fl0p_py.output import stats
from fl0p_py.output.stats import FRAGMENT_KEYS, SKIPPED_KEYS, Stats, Tally, total
from fl0p_py.signature.pattern import SignatureSet
from tests.output.build import results, signature

SSH, HTTP, NONE = (
    signature("ssh.a", "a", class_="ssh"),
    signature("http.a", "a", class_="http"),
    signature("none.a", "a"),
)


def counted(tally: Tally) -> Stats:
    counters = {"flows": 9, "flows_empty": 1, "evicted": 0, "wrong_checksum": 0}
    engine: Any = SimpleNamespace(
        table=SimpleNamespace(stats=counters, clock_ns=5),
        tracker=SimpleNamespace(statuses=np.zeros(len(SKIPPED_KEYS), int)),
        decoder=SimpleNamespace(fragment_counts=np.zeros(len(FRAGMENT_KEYS), int)),
        matcher=SimpleNamespace(overflow={"candidates": 0, "threads": 3, "identifications": 0}),
        packets=12,
    )
    return tally.stats(engine)


def test_identifications_are_counted_by_class() -> None:
    tally = Tally(SignatureSet((SSH, NONE, HTTP)))
    tally.add(results({"signature": 0}, {"signature": 2}, {"signature": 0}, {"kind": 1, "identified": 1}))
    tally.add(results({"signature": 1}, {"kind": 1}))
    tally.add(results())
    found = counted(tally)
    assert found.dropped == {"threads": 3}
    assert found.classes == {"ssh": 2, "http": 1, "other": 1}
    assert (found.identifications, found.identified, found.unknown) == (4, 1, 1)


def test_new_signatures_go_on_with_the_same_counts() -> None:
    tally = Tally(SignatureSet((SSH, HTTP)))
    tally.add(results({"signature": 0}, {"signature": 1}))
    tally.use(SignatureSet((HTTP,)))
    tally.add(results({"signature": 0}))
    assert counted(tally).classes == {"ssh": 1, "http": 2}


def test_more_classes_than_a_message_may_have_come_together() -> None:
    many = [signature(f"c{n}", "a", class_=f"c{n}") for n in range(stats.CLASSES + 5)]
    tally = Tally(SignatureSet(tuple(many)))
    tally.add(results(*({"signature": n} for n in range(len(many)))))
    classes = counted(tally).classes
    assert classes.pop("other") == 5
    assert classes == {f"c{n}": 1 for n in range(stats.CLASSES)}


def test_without_signatures_no_class_is_counted() -> None:
    tally = Tally()
    tally.add(results({"signature": 7}))
    assert counted(tally).classes == {} and counted(tally).identifications == 1


def test_several_engines_together() -> None:
    one = Stats(packets=5, skipped={"not_ip": 1}, end_ns=7, classes={"ssh": 1}, lost=1)
    other = Stats(packets=6, skipped={"not_ip": 2, "bad_ip": 1}, end_ns=3, classes={"http": 4})
    assert total([one, other]) == Stats(
        packets=11, skipped={"not_ip": 3, "bad_ip": 1}, end_ns=7, classes={"ssh": 1, "http": 4}, lost=1
    )
    assert total([]) == Stats()
