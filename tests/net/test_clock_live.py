"""The time of day is set back while an engine listens: nothing waits for it, and no entry is from before."""

from __future__ import annotations

import re
import socket
import threading
import time

import pytest

from fl0p_py.capture import steady_clock
from fl0p_py.capture.live import LiveSource, open_workers
from tests.net import lab
from tests.net.test_engine_live import Run
from tests.net.watch import watching

pytestmark = lab.requires_lab

HOUR_NS = 3_600_000_000_000


class Ahead:
    """The module time on a machine whose time of day is an hour ahead, until it is set right.

    The kernel stamps packets by the right time.
    """

    monotonic_ns = staticmethod(time.monotonic_ns)
    ahead_ns = HOUR_NS

    def time_ns(self) -> int:
        return time.time_ns() + self.ahead_ns


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    made = Ahead()
    monkeypatch.setattr(steady_clock, "time", made)
    return made


def send(net: lab.Pair, size: int) -> None:
    """A flow of its own."""
    with net.client.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(bytes(size), (net.server.address, 4242))


def test_quiet_flows_end_after_the_clock_was_set_back_and_times_go_on(ahead: Ahead) -> None:
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, filter_expression="udp")
        run = Run(source, timestamps=True)
        thread = threading.Thread(target=run.go)
        with source:
            thread.start()
            send(net, 11)
            lab.until(lambda: run.output.text.count(b"\n") == 1)
            ahead.ahead_ns = 0
            send(net, 12)
            lab.until(lambda: run.output.text.count(b"\n") == 2)
            send(net, 13)
            lab.until(lambda: run.output.text.count(b"\n") == 3)
            run.tracker.stop()
            source.stop()
            thread.join(lab.TIME_S)
    lines = run.output.text.decode().splitlines()
    assert [re.findall(r"< c(\d+) > : unknown", line) for line in lines] == [["11"], ["12"], ["13"]]
    times = [line.split()[0] for line in lines]
    assert times == sorted(times)


def test_workers_do_not_wait_for_the_time_at_which_they_began(ahead: Ahead) -> None:
    """On a line that is never quiet."""
    with lab.pair() as net:
        with net.server.entered():
            (source,) = open_workers(net.server.device, 1, filter_expression="udp")
        ahead.ahead_ns = 0
        with watching(source) as watcher:
            with net.client.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for _ in range(100):
                    sender.sendto(b"", (net.server.address, 4242))
                    time.sleep(0.01)
            watcher.wait(50)
