"""Names for addresses: each asked once, none waited for beyond the limit."""

from __future__ import annotations

import threading
import time

import numpy as np

from fl0p_py.output.resolve import Resolver
from tests.output.build import results, row, table_of

A, B = (bytes([10, 0, 0, 1]) + bytes(12), 4), (bytes([10, 0, 0, 2]) + bytes(12), 4)
SIX = (bytes(15) + b"\1", 6)


def test_each_address_is_asked_once() -> None:
    asked: list[str] = []

    def ask(address: str) -> str | None:
        asked.append(address)
        return {"10.0.0.1": "one.example.", "::1": "evil\x1b"}.get(address)

    resolver = Resolver(ask)
    for _ in range(3):
        assert resolver.lookup([A, B, SIX, A]) == {A: "one.example", B: None, SIX: None}
    assert sorted(asked) == ["10.0.0.1", "10.0.0.2", "::1"]


def test_a_silent_server_costs_the_limit_and_a_late_answer_counts_from_then_on() -> None:
    answer = threading.Event()

    def ask(address: str) -> str | None:
        answer.wait(10)
        return "late.example"

    resolver = Resolver(ask, limit_s=0.05)
    start = time.monotonic()
    assert resolver.lookup([A]) == {A: None}
    assert time.monotonic() - start < 5
    answer.set()
    assert Resolver(ask).lookup([A]) == {A: "late.example"}
    resolver._limit_s = 5
    assert resolver.lookup([A]) == {A: "late.example"}


def test_only_so_many_answers_are_kept() -> None:
    asked: list[str] = []
    resolver = Resolver(lambda address: asked.append(address), capacity=2)  # type: ignore[func-returns-value]
    for last in (1, 2, 3, 1):
        resolver.lookup([(bytes([10, 0, 0, last]) + bytes(12), 4)])
    assert asked == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"]


def test_names_for_results_stand_in_the_order_the_formatter_wants() -> None:
    resolver = Resolver({"10.0.0.1": "client.example", "10.0.0.3": "third.example"}.get)
    table = table_of([row(), row(client="10.0.0.3")], [[], []], 4)
    names = resolver.names(table.rows, results({"flow": 1}, {"flow": 0}))
    assert names.text.tobytes() == b"third.exampleclient.example"
    assert np.array_equal(names.at, [[0, 13, 13], [13, 27, 27]])
    assert resolver.names(table.rows, results()).at.shape == (0, 3)
