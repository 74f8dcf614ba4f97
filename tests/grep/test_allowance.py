"""What payload may cost: spent by looks that take long, for all."""

from __future__ import annotations

import time

import pytest

from fl0p_py.grep import allowance as allowances
from fl0p_py.grep.allowance import EACH_S, MOST_S, PATIENCE_S, QUICK_S, Allowance, TooSlowError
from fl0p_py.grep.stream_window import PATIENCE_S as STREAM_S
from fl0p_py.grep.stream_window import WORTH_S, StreamWindow
from tests.grep.conversation import Conversation, grep


class Clock:
    """Processor time as the test has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr(time, "thread_time", lambda: self.now_s)


def test_quick_looks_are_free_and_long_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, allowance = Clock(monkeypatch), Allowance()
    for took_s, left_s in ((QUICK_S / 2, MOST_S), (0.03, MOST_S - 0.03)):
        with allowance.look():
            clock.now_s += took_s
        assert allowance.left_s == pytest.approx(left_s)


def test_a_look_has_less_time_when_nothing_is_left_until_payload_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, allowance = Clock(monkeypatch), Allowance()
    allowance.left_s = PATIENCE_S / 2
    for patience_s in (PATIENCE_S, QUICK_S):
        with pytest.raises(TooSlowError), allowance.look() as look:
            assert look.left_s() == pytest.approx(patience_s)
            clock.now_s += patience_s
            look.left_s()
    allowance.add(int(1 / EACH_S))
    with allowance.look() as look:
        assert look.left_s() == pytest.approx(PATIENCE_S)
    allowance.add(1 << 50)
    assert allowance.left_s == MOST_S


def test_a_stream_spends_what_its_bytes_are_worth_and_then_the_allowance_of_all() -> None:
    allowance, window = Allowance(), StreamWindow(1)
    assert window.pays(1000 * WORTH_S, 1000, allowance)
    assert allowance.left_s == MOST_S
    assert window.pays(STREAM_S, 0, allowance)
    assert allowance.left_s == pytest.approx(MOST_S - STREAM_S)
    assert not window.pays(0.01, 0, allowance)
    allowance.left_s = 0.0
    assert StreamWindow(2).pays(WORTH_S, 1, allowance)
    assert not StreamWindow(3).pays(2 * WORTH_S, 1, allowance)


def test_hostile_datagrams_do_not_keep_others_from_being_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "MOST_S", 0.01)
    made = Conversation()
    for _ in range(20):
        made.datagram(b"a" * 60 + b"!")
    made.datagram(b"aab")
    begun_s = time.monotonic()
    assert grep(made, "-a", "(a|a)+(?=b)", "--count") == b"1\n"
    assert time.monotonic() - begun_s < 20 * PATIENCE_S
