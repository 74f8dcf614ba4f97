"""What a service manager hears, by path and by abstract socket."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from fl0p_py.sensor.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """$NOTIFY_SOCKET, and the manager's socket."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@fl0p-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.setblocking(False)
        yield name, listening


def test_the_life_of_a_sensor(manager: tuple[str, socket.socket]) -> None:
    name, listening = manager
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000"})
    assert notifier.watchdog_interval_s == 15
    notifier.ready()
    notifier.status("listening on eth0")
    notifier.watchdog()
    notifier.reloading()
    notifier.ready(77)
    notifier.stopping()
    said = [listening.recv(1000).decode() for _ in range(6)]
    assert said[:3] == ["READY=1", "STATUS=listening on eth0", "WATCHDOG=1"]
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", said[3])
    assert said[4:] == ["READY=1\nMAINPID=77", "STOPPING=1"]
    notifier.close()
    notifier.ready()


def test_a_status_is_one_line_whatever_is_in_it(manager: tuple[str, socket.socket]) -> None:
    name, listening = manager
    Notifier({"NOTIFY_SOCKET": name}).status("eth0\nREADY=1\x1b[2J" + "x" * 1000)
    text = listening.recv(10_000)
    assert text.startswith(rb"STATUS=eth0\x0aREADY=1\x1b[2J") and b"\n" not in text and len(text) < 300


def test_no_other_process_speaks_for_the_sensor(manager: tuple[str, socket.socket]) -> None:
    environment = {"NOTIFY_SOCKET": manager[0], "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}
    assert Notifier(environment).watchdog_interval_s is None  # it is process 1 that is watched
    assert environment == {"HOME": "/"}


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": ""},
        {"NOTIFY_SOCKET": "relative"},
        {"NOTIFY_SOCKET": "/nonexistent/notify", "WATCHDOG_USEC": "1000000"},
        {"NOTIFY_SOCKET": "/" + "x" * 200},
        {"NOTIFY_SOCKET": "@fl0p-nobody-listens-here"},
    ],
)
def test_without_a_manager_nothing_is_said(environment: dict[str, str]) -> None:
    notifier = Notifier(environment)
    assert notifier.watchdog_interval_s is None
    notifier.ready()
    notifier.watchdog()


@pytest.mark.parametrize("allowed", ["0", "", "-5", "soon"])
def test_a_watchdog_that_makes_no_sense_is_none(manager: tuple[str, socket.socket], allowed: str) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager[0], "WATCHDOG_USEC": allowed})
    assert notifier.watchdog_interval_s is None


def test_a_manager_that_does_not_read_is_not_waited_for(manager: tuple[str, socket.socket]) -> None:
    name, listening = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    for _ in range(2000):
        notifier.status("still here")
    heard = 0
    while True:
        try:
            listening.recv(100)
        except BlockingIOError:
            break
        heard += 1
    assert 0 < heard < 2000
    listening.close()
    notifier.stopping()
