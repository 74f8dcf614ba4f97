"""What payload may cost: what its bytes are worth, and an allowance of all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from fl0p_py.grep import allowance as allowances
from fl0p_py.grep.allowance import (
    EACH_S,
    HEADERS,
    MOST_S,
    PATIENCE_S,
    STREAM_S,
    WORTH_S,
    Allowance,
    Purse,
    TooSlowError,
    Turn,
)
from fl0p_py.grep.matcher import TRIED, Matchers, Window
from fl0p_py.grep.pattern import Side, from_argument
from tests.grep.conversation import Conversation, events, grep


class Clock:
    """Processor time as the test has it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 100.0
        monkeypatch.setattr(time, "thread_time", lambda: self.now_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def spent() -> Allowance:
    allowance = Allowance()
    allowance.left_s = 0.0
    return allowance


def test_a_turn_takes_what_its_bytes_are_worth_and_then_the_allowance(clock: Clock) -> None:
    worth_s = (HEADERS + 1000) * WORTH_S
    for took_s, left_s in ((worth_s / 2, MOST_S), (worth_s, MOST_S), (worth_s + 0.03, MOST_S - 0.03)):
        allowance = Allowance()
        with Turn(allowance, 1000) as turn:
            turn.expects(1)
            turn.look()
            clock.now_s += took_s
        assert allowance.left_s == pytest.approx(left_s)


def test_what_goes_on_between_looks_is_charged_too(clock: Clock) -> None:
    allowance = Allowance()
    with Turn(allowance, 0) as turn:
        clock.now_s += 1.0
        turn.expects(1)
        clock.now_s += 1.0
    assert allowance.left_s == pytest.approx(MOST_S - 2.0 + HEADERS * WORTH_S)


def test_a_look_is_stopped_when_its_time_is_over(clock: Clock) -> None:
    with Turn(Allowance(), 0) as turn:
        turn.expects(1)
        turn.look()
        assert turn.left_s() == pytest.approx(PATIENCE_S)
        clock.now_s += PATIENCE_S
        with pytest.raises(TooSlowError):
            turn.left_s()


def test_if_nothing_is_left_the_looks_share_what_the_bytes_are_worth(clock: Clock) -> None:
    worth_s = (HEADERS + 1000) * WORTH_S
    with Turn(spent(), 1000) as turn:
        turn.expects(4)
        turn.look()
        assert turn.left_s() == pytest.approx(worth_s / 4)
        turn.look()  # the first has taken nothing
        assert turn.left_s() == pytest.approx(worth_s / 3)
        clock.now_s += worth_s / 3
        turn.look()
        assert turn.left_s() == pytest.approx(worth_s / 3)
        clock.now_s += worth_s
        with pytest.raises(TooSlowError):
            turn.look()


def test_the_allowance_grows_with_what_is_captured_up_to_where_it_began(clock: Clock) -> None:
    allowance = Allowance()
    allowance.left_s = 0.0
    allowance.add(int(1 / EACH_S))
    assert allowance.left_s == pytest.approx(1.0)
    allowance.add(1 << 50)
    assert allowance.left_s == MOST_S


def test_a_stream_keeps_what_it_did_not_take_and_has_a_share_of_the_allowance(clock: Clock) -> None:
    allowance, purse = Allowance(), Purse()
    with Turn(allowance, 100_000, purse):
        pass
    assert purse.left_s == pytest.approx((HEADERS + 100_000) * WORTH_S)
    with Turn(allowance, 0, purse) as turn:
        clock.now_s += purse.left_s + STREAM_S + 1e-6
        turn.expects(1)
        with pytest.raises(TooSlowError):
            turn.look()
    assert allowance.left_s == pytest.approx(MOST_S - STREAM_S - 1e-6)


def test_an_automaton_that_cannot_be_stopped_is_not_begun_if_it_took_too_long_before(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """But it is tried again once as much time was left unused as it takes."""
    made = Matchers([from_argument(r"[a-z]+\d", Side.ANY, "-a", False)], None)
    searched: list[int] = []

    class Slow:
        """10 us a byte."""

        def search(self, data: bytes, at: int, stop: int) -> None:
            searched.append(stop - at)
            clock.now_s += 1e-5 * (stop - at)

    def look(size: int, spare_s: float) -> Callable[[], object]:
        turn = Turn(spent(), int(spare_s / WORTH_S) - HEADERS)
        turn.__enter__()
        turn.expects(1)
        return lambda: made.find(0, Window(b"a" * size), turn)

    monkeypatch.setattr(made._of(0)._engine(0), "_re2", Slow())  # type: ignore[attr-defined]
    refused = 0
    for _ in range(100):
        try:
            look(65536, 0.05)()
        except TooSlowError:
            refused += 1
    assert searched[0] == TRIED
    assert sum(searched) * 1e-5 < 100 * 0.05 + 65536 * 1e-5
    assert 0 < len(searched) - 1 == 100 - refused
    assert look(100, 0.05)() is None  # short windows are another matter


def test_a_search_that_is_stopped_late_is_not_begun_where_that_would_be_too_late(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    made = Matchers([from_argument("(a|a)+(?=b)", Side.ANY, "-a", False)], None)
    began = 0

    class Late:
        """Notices after 10 ms."""

        def search(self, data: bytes, at: int, timeout: float) -> None:
            nonlocal began
            began += 1
            clock.now_s += timeout + 0.01
            raise TimeoutError

    monkeypatch.setattr(made._of(0)._engine(0), "_regex", Late())  # type: ignore[attr-defined]
    began_s = clock.now_s
    for _ in range(200):
        with pytest.raises(TooSlowError), Turn(spent(), 500 - HEADERS) as turn:
            turn.expects(1)
            made.find(0, Window(b"a"), turn)
    assert began > 2
    assert clock.now_s - began_s < 2 * 200 * 500 * WORTH_S + 0.02


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "((a{1,9}){1,9}){1,9}b", "(?:a{0,200}){0,200}b", "(?s)(.*)(.*)\\1\\2x"]
)
@pytest.mark.parametrize("size", [1400, 1])
def test_a_stream_costs_no_more_than_is_promised(
    monkeypatch: pytest.MonkeyPatch, pattern: str, size: int
) -> None:
    """Also if a pattern does not make it be followed, and if another names all the pieces there are."""
    monkeypatch.setattr(allowances, "MOST_S", 0.2)
    made, count = Conversation(), 200
    made.handshake()
    made.says(*[b"a" * size] * count)
    words = [word for one in (pattern, "a{2}", "a{3}", "a{4}", "aaaaab") for word in ("-a", one)]
    began_s = time.process_time()
    grep(made, *words, "--count")
    taken_s = time.process_time() - began_s
    assert taken_s < 1.0 + 0.2 + count * (HEADERS + size) * (WORTH_S + EACH_S)


def test_hostile_datagrams_do_not_keep_others_from_being_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "MOST_S", 0.01)
    made = Conversation()
    for _ in range(20):
        made.datagram(b"a" * 60 + b"!")
    for _ in range(50):
        made.datagram(b"aab")
    begun_s = time.process_time()
    found = int(grep(made, "-a", "(a|a)+(?=b)", "--count"))
    assert time.process_time() - begun_s < 20 * PATIENCE_S
    assert 40 <= found <= 50  # each is worth 0.1 ms, which a machine that does something else may take away


def test_only_the_pattern_that_takes_the_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "MOST_S", 0.0)
    made = Conversation()
    made.handshake()
    made.says(*[b"a" * 1400] * 20, b"abc: d")
    (event,) = events(made, "-a", r"(a|a)+(?=\?)", "-a", "[b-d]+: [a-f]", "-a", "c: d")
    assert event["flowgrep"]["patterns"] == ["[b-d]+: [a-f]", "c: d"]


def test_how_often_patterns_were_given_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "MOST_S", 0.01)
    made = Conversation()
    for _ in range(20):
        made.datagram(b"a" * 60 + b"!")
    said: list[str] = []
    grep(made, "-a", "(a|a)+(?=b)", "--count", said=said)
    (line,) = said
    assert re.fullmatch(r"patterns took too long, and were given up \d+ times", line)
