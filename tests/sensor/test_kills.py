"""Kills: what is beyond the limit of a second is counted once, and ended when there is room for it."""

from __future__ import annotations

import pytest

from fl0p_py.sensor import kills
from fl0p_py.sensor.channel import ChannelError
from fl0p_py.sensor.kills import AGAIN, Kills
from fl0p_py.sensor.target import Target

BODY = Target("0a000001", "0a000002", 4001, 22, 1, 2, 3, 4).body()


class Bench:
    """A Kills with a clock of its own.  sent : client's ports of what was ended"""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
        self.now_s = 5.0
        monkeypatch.setattr(kills.time, "monotonic", lambda: self.now_s)
        self.said: list[str] = []
        self.sent: list[int] = []
        self.kills = Kills(self, limit, self.said.append)

    def end(self, target: Target) -> int:
        self.sent.append(target.cport)
        return 6

    def ask(self, *ports: int) -> None:
        for port in ports:
            self.kills.end({**BODY, "cport": port})


def test_what_is_beyond_the_limit_is_counted_once_and_ended_later(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, limit=2)
    bench.ask(1, 2, 3, 4, 3, 4, 1)
    bench.kills.report()
    assert bench.sent == [1, 2, 1] and len(bench.said) == 2
    bench.now_s = 6.0
    bench.ask(3)
    assert bench.said[2:] == [
        "2 streams were not killed: --kill-limit is 2",
        "killed 10.0.0.1:3 -> 10.0.0.2:22 (6 resets sent)",
    ]
    assert bench.sent == [1, 2, 1, 3]


def test_it_is_told_without_another_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, limit=1)
    bench.ask(1, 2)
    bench.now_s = 6.0
    bench.kills.report()
    bench.kills.report(force=True)
    assert bench.said[1:] == ["1 streams were not killed: --kill-limit is 1"]


def test_one_is_not_ended_again_and_again_in_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, limit=2)
    bench.ask(*[1] * 100)
    assert len(bench.sent) == 1 + 2 * AGAIN and len(bench.said) == 1


def test_what_is_no_connection_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(monkeypatch, limit=2)
    with pytest.raises(ChannelError, match="KILL of what is no connection"):
        bench.kills.end({**BODY, "sport": 65536})
