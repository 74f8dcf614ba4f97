"""What passes between a daemon and the parent that waits for it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from fl0p_py.sensor.daemon import END, Report


@pytest.fixture
def terminated() -> Iterator[list[int]]:
    """The SIGTERMs that came."""
    caught: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: caught.append(number))
    yield caught
    signal.signal(signal.SIGTERM, before)


def test_the_parent_hears_lines_and_then_the_status(terminated: list[int]) -> None:
    reading, writing = os.pipe()
    report = Report(writing)
    report.say("listening")
    report.ready()
    with os.fdopen(reading, "rb") as parent:
        assert parent.read() == b"fl0p: listening\n" + END + b"\0"
    assert not terminated


def test_a_daemon_whose_parent_was_ended_before_it_was_ready_ends_too(terminated: list[int]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    Report(writing).ready()
    assert terminated == [signal.SIGTERM]


def test_a_daemon_that_fails_does_not_mind_that_nobody_listens(terminated: list[int]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    report = Report(writing)
    report.say("cannot go on")
    report.end(1)
    assert not terminated
