"""The clock goes on, whatever happens to the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from fl0p_py.capture import steady_clock
from fl0p_py.capture.steady_clock import SteadyClock

HOUR = 3_600_000_000_000
STEP = 100_000_000
BEGIN = 1_700_000_000_000_000_000


@dataclass
class Times:
    """What the module time says."""

    day: int = BEGIN
    up: int = 5

    def time_ns(self) -> int:
        return self.day

    def monotonic_ns(self) -> int:
        return self.up

    def pass_(self, ns: int) -> None:
        self.day += ns
        self.up += ns


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    made = Times()
    monkeypatch.setattr(steady_clock, "time", made)
    return made


def test_it_is_the_time_of_day(times: Times) -> None:
    clock = SteadyClock()
    for _ in range(10):
        times.pass_(STEP)
        assert clock.now_ns() == times.day


def test_set_forward_it_follows_at_once(times: Times) -> None:
    clock = SteadyClock()
    times.day += HOUR
    assert clock.now_ns() == times.day


def test_set_back_it_goes_on_at_half_speed_until_it_is_right_again(times: Times) -> None:
    clock = SteadyClock()
    times.pass_(STEP)
    before = clock.now_ns()
    times.day -= HOUR
    told = [before]
    while told[-1] != times.day:
        times.pass_(STEP)
        told.append(clock.now_ns())
    assert {later - earlier for earlier, later in pairwise(told)} == {STEP // 2}
    assert (len(told) - 1) * STEP == 2 * HOUR
    times.pass_(STEP)
    assert clock.now_ns() == times.day
