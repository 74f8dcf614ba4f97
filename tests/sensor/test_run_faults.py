"""A sensor and what breaks under it: its interface, its signature files, its monitor."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.net import lab
from tests.sensor.running import Sensor, counted, daemon, sensor, status_of
from tests.sensor.test_run_log import FILTER, load, ports_in, send_flows

pytestmark = lab.requires_lab

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


@contextmanager
def flow(net: lab.Pair) -> Iterator[Callable[[int], int]]:
    """A flow that goes on as long as this lasts; yields what sends so many bytes from its client."""
    with net.client.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        yield lambda size: client.sendto(bytes(size), (net.server.address, 9))


def flows_in(running: Sensor) -> list[str]:
    return [line.split(" udp 9 ")[1] for line in running.lines() if " udp 9 " in line]


def test_an_interface_that_goes_down_is_waited_for(tmp_path: Path) -> None:
    with lab.pair() as net, sensor(net.server, tmp_path, "-lU", "--idle", "0.3", FILTER) as running:
        engine = running.engine()
        send_flows(net, 3)
        lab.until(lambda: len(running.lines()) == 3)
        for turn in range(1, 3):
            net.server.ip("link", "set", net.server.device, "down")
            lab.until(lambda turn=turn: running.words().count("the interface went down") == turn)
            net.server.ip("link", "set", net.server.device, "up")
            lab.until(lambda turn=turn: running.words().count("the interface is up again") == turn)
            net.client.ip(
                "neigh", "replace", net.server.address, "lladdr", net.server.mac, "dev", net.client.device
            )
            send_flows(net, 3, 20_000 * turn)
            lab.until(lambda turn=turn: len(running.lines()) == 3 * (turn + 1))
        assert running.engine() == engine
        assert running.end() == 0


@WORKERS
def test_flows_are_reported_when_an_interface_is_deleted_and_reading_resumes(
    tmp_path: Path, workers: str
) -> None:
    with lab.pair() as net, daemon(net.server, tmp_path, "-lU", "--workers", workers, FILTER) as running:
        engines = [name for name in running.children() if name.startswith("engine")]
        with flow(net) as send:
            send(21)
            send(22)
            counted(running, "packets", 2)
            net.client.ip("link", "del", net.client.device)
            lab.until(lambda: flows_in(running) == ["< c21 c22 : unknown"])
        lab.until(lambda: not any(name.startswith("engine") for name in running.children()))
        net.connect()
        lab.until(lambda: all(name in running.children() for name in engines))
        lab.until(lambda: all(status_of(running.children()[name])["Seccomp"] == "2" for name in engines))
        with flow(net) as send:
            send(23)
            counted(running, "packets", 3)
        running.end()
        assert flows_in(running) == ["< c21 c22 : unknown", "< c23 : unknown"]


@WORKERS
def test_a_flow_in_progress_is_named_by_the_signatures_that_were_read_meanwhile(
    tmp_path: Path, workers: str
) -> None:
    mine = tmp_path / "mine.fp"
    mine.write_text("udp 9 < c99 : old\n")
    slow = ("-T", "60000")  # what happens in between may take long: it is no gap
    options = ("-l", *slow, "-f", str(mine), "--workers", workers, FILTER)
    with lab.pair() as net, sensor(net.server, tmp_path, *options) as running:
        with flow(net) as send:
            send(21)
            counted(running, "packets", 1)
            mine.write_text("udp 9 < c21 c22 : new\nudp 9 < y1 : broken\n")
            running.send(signal.SIGHUP)
            lab.until(lambda: "those that were read before stay in use" in running.words())
            mine.write_text("udp 9 < c21 c22 : new\n")
            running.send(signal.SIGHUP)
            lab.until(lambda: running.words().count("in use now: 1 signature") == int(workers))
            send(22)
            counted(running, "packets", 2)
        assert running.end() == 0
    (line,) = flows_in(running)
    assert line == ": new [new, exact]"


@WORKERS
def test_a_sensor_killed_under_load_leaves_whole_entries_and_no_process(tmp_path: Path, workers: str) -> None:
    """Its children end when it does; the next sensor appends to the same log."""
    options = ("-lU", "--idle", "0.05", "--workers", workers, FILTER)
    with lab.pair() as net:
        with daemon(net.server, tmp_path, *options) as running:
            children = running.children()
            with load(net) as more:
                lab.until(lambda: running.log.stat().st_size > 100_000)
                assert more()
                running.end(signal.SIGKILL)
                lab.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children.values()))
        killed = ports_in(running.lines())
        assert len(killed) > 1000 and max(killed.values()) == 1
        with daemon(net.server, tmp_path, *options) as running:
            send_flows(net, 1, 50_000)
            running.end()
        assert ports_in(running.lines()) == killed + ports_in(running.lines()[-1:])
