"""What the keeper does for its child, and what it does to one that asks for anything else."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fl0p_py.grep.log_folder import LogFolder, Sender
from fl0p_py.sensor import keeper, kills
from fl0p_py.sensor.channel import Channel, Kind
from fl0p_py.sensor.child import Confinement, Role, fork
from fl0p_py.sensor.keeper import FAILED, Keeper, Rights
from fl0p_py.sensor.request import Line, RemoteFiles
from fl0p_py.sensor.target import Target

NAMED = Sender(7, bytes([10, 0, 0, 1]), 1, bytes([10, 0, 0, 2]), 2, 6)
BODY = Target("0a000001", "0a000002", 4001, 22, 1, 2, 3, 4).body()


class Sent:
    """Stands in for a Resetter."""

    def __init__(self) -> None:
        self.targets: list[Target] = []

    def end(self, target: Target) -> int:
        self.targets.append(target)
        return 6


def kept(
    work: Callable[[Channel], int], resetter: Any = None, folder: LogFolder | None = None, limit: int = 10
) -> tuple[int, list[str]]:
    """A child that does this: its exit status, and what was said."""
    said: list[str] = []
    child = fork(Role("test"), Confinement(None, None), lambda channel: lambda: work(channel))
    rights = Rights(resetter, limit, folder)
    return Keeper(rights, said.append, lambda: said.append("ready")).run(child), said


def test_connections_are_ended_once_told_and_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills.time, "monotonic", lambda: 5.0)  # all within a second

    def work(channel: Channel) -> int:
        for port in (1, 2, 2, 3):
            channel.send(Kind.KILL, {**BODY, "cport": port})
        return 0

    sent = Sent()
    status, said = kept(work, sent, limit=2)
    assert status == 0
    assert said == [
        "ready",
        "killed 10.0.0.1:1 -> 10.0.0.2:22 (6 resets sent)",
        "killed 10.0.0.1:2 -> 10.0.0.2:22 (6 resets sent)",
        "1 streams were not killed: --kill-limit is 2",
    ]
    assert [target.cport for target in sent.targets] == [1, 2, 2]


def test_files_are_made_and_opened_again(tmp_path: Path) -> None:
    def work(channel: Channel) -> int:
        files = RemoteFiles(Line(channel))
        made = files.create(NAMED)
        assert made is not None
        os.write(made[1], b"one ")
        again = files.again(made[0])
        assert again is not None and files.again("/etc/passwd") is None
        os.write(again, b"two")
        return 0 if files.create(NAMED) is None else 1

    folder = LogFolder(str(tmp_path), most_files=1)
    assert kept(work, folder=folder) == (0, ["ready"])
    folder.close()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(NAMED.file_name, b"one two")]


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (Kind.KILL, BODY, "KILL, which is not for it to ask"),
        (Kind.CREATE, {**dict.fromkeys(("second", "sport", "dport", "proto"), 1), "source": "0a000001",
                       "dest": "0a000001"}, "CREATE, and there is no log"),
        (Kind.AGAIN, {"name": "../x"}, "AGAIN, and there is no log"),
        (Kind.COUNTERS, {"counters": {}, "final": True}, "COUNTERS is not for it to send"),
    ],
)  # fmt: skip
def test_a_child_that_asks_for_what_it_may_not_is_killed(
    kind: Kind, body: dict[str, Any], words: str
) -> None:
    def work(channel: Channel) -> int:
        channel.send(kind, body)
        time.sleep(20)
        return 0

    status, said = kept(work)
    assert status == FAILED
    assert said == [
        "ready",
        f"the process that reads packets: {words}; killed",
        "the process that reads packets was ended by signal 9",
    ]


@pytest.mark.parametrize(
    ("late", "status"), [(False, 5), (True, FAILED)], ids=["twice, as timeout(1) sends it", "again, later"]
)
def test_a_second_signal_ends_it_at_once_but_one_sent_twice_does_not(
    monkeypatch: pytest.MonkeyPatch, late: bool, status: int
) -> None:
    if late:
        monkeypatch.setattr(keeper, "TWICE_S", 0.0)

    def work(channel: Channel) -> int:
        select.select([channel], [], [], 5.0)
        message = channel.receive()
        assert message is not None and message.kind is Kind.STOP
        channel.send(Kind.SAY, {"text": "stopping"})
        time.sleep(0.3)
        return 5

    def interrupt(line: str = "stopping") -> None:
        if line == "stopping":
            os.kill(os.getpid(), signal.SIGINT)

    child = fork(Role("test"), Confinement(None, None), lambda channel: lambda: work(channel))
    assert Keeper(Rights(None, 0, None), interrupt, interrupt).run(child) == status
