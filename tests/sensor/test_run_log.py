"""The log of a running sensor: every flow is in it once, whatever happens to the file and the writers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.net import lab
from tests.sensor.disk import small_disk
from tests.sensor.running import daemon, metrics, sensor
from tests.support.name_server import name_server

ROTATION = Path(__file__).parents[2] / "tools" / "systemd" / "fl0p.logrotate"

FIRST_PORT = 10_000
FLOWS = 10_000
FILTER = "udp port 9"

ENTRY = re.compile(
    r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\] 10\.9\.8\.1:(\d+) -> 10\.9\.8\.2:9 udp 9 < c30 >? ?: unknown"
)

pytestmark = lab.requires_lab


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Pair]:
    with lab.pair() as made:
        yield made


def send_flows(net: lab.Pair, count: int = FLOWS, first: int = FIRST_PORT) -> None:
    """One datagram from each of so many ports, which is a flow of one token; some 4,000 a second."""
    with net.client.entered():
        for number in range(count):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.bind((net.client.address, first + number))
                one.sendto(bytes(30), (net.server.address, 9))
            if number % 5 == 4:
                time.sleep(0.001)


def ports_in(lines: list[str]) -> Counter[int]:
    """The clients' ports of all entries, each of which is proved to be whole."""
    ports: Counter[int] = Counter()
    for line in lines:
        entry = ENTRY.fullmatch(line)
        assert entry, line
        ports[int(entry[1])] += 1
    return ports


def lines_below(folder: Path) -> list[str]:
    lines = []
    for file in folder.iterdir():
        packed = file.suffix == ".gz"
        text = subprocess.check_output(["gzip", "-dc", file]).decode() if packed else file.read_text()
        assert text.endswith("\n") or not text, file
        lines += text.splitlines()
    return lines


def everything(count: int = FLOWS, first: int = FIRST_PORT) -> Counter[int]:
    return Counter(range(first, first + count))


@contextmanager
def load(net: lab.Pair) -> Iterator[Callable[[], bool]]:
    """Flows are sent as long as this lasts; yields what tells whether more are to come."""
    thread = threading.Thread(target=send_flows, args=(net,))
    thread.start()
    try:
        yield thread.is_alive
    finally:
        thread.join()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_hup_in_a_loop_under_load_loses_no_entry(net: lab.Pair, tmp_path: Path, workers: str) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with sensor(net.server, tmp_path, "-lU", "--idle", "0.2", "--workers", workers, FILTER) as running:
        turns = 0
        with load(net) as more:
            while more():
                if running.log.exists():
                    running.log.rename(logs / f"log.{turns}")
                    turns += 1
                running.send(signal.SIGHUP)
                time.sleep(0.02)
        assert running.end() == 0
    running.log.rename(logs / "log.last")
    assert turns > 2
    assert ports_in(lines_below(logs)) == everything()


def test_a_storm_of_hup_does_not_drown_the_end(net: lab.Pair, tmp_path: Path) -> None:
    with sensor(net.server, tmp_path, "-lU", FILTER) as running:
        send_flows(net, 10)
        for _ in range(20_000):
            running.send(signal.SIGHUP)
        assert running.end() == 0
    assert ports_in(running.lines()) == everything(10)


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="needs logrotate (Debian: logrotate)")
def test_logrotate_under_load_loses_no_entry(net: lab.Pair, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o750)
    pidfile, config = tmp_path / "pid", tmp_path / "logrotate.conf"
    told = "systemctl kill --kill-who=main --signal=HUP 'fl0p@*.service'"
    text = ROTATION.read_text()
    assert "/var/log/fl0p/*.log" in text and told in text
    text = text.replace("/var/log/fl0p/*.log", f"{logs}/*.log").replace(told, f"kill -HUP $(cat {pidfile})")
    config.write_text(text)
    command = ("logrotate", "--force", "--state", str(tmp_path / "state"), str(config))
    with daemon(
        net.server, tmp_path, "-lU", "--idle", "0.2", "-o", str(logs / "eth0.log"), FILTER
    ) as running:
        with load(net) as more:
            while more():
                subprocess.run(command, check=True, timeout=lab.TIME_S)
                time.sleep(1.05)  # the names of rotated files count seconds
        running.end()
    assert len(list(logs.iterdir())) > 2
    assert ports_in(lines_below(logs)) == everything()


@lab.requires("curl")
def test_a_full_disk_loses_whole_entries_counts_them_and_recovers(net: lab.Pair, tmp_path: Path) -> None:
    with small_disk(256) as disk:
        options = ("-lU", "--idle", "0.2", "--metrics", "9100", "-o", str(disk / "log"), FILTER)
        with sensor(net.server, tmp_path, *options) as running:
            send_flows(net)
            lab.until(lambda: "entries are lost" in running.words())
            told = f'fl0p_flows_ended_total{{verdict="unknown"}} {FLOWS}.0'
            lab.until(lambda: told in metrics(net.server, 9100))  # nothing more to write
            (disk / "log").rename(disk / "log.1")
            before = lines_below(disk)
            (disk / "log.1").unlink()
            running.send(signal.SIGHUP)
            lab.until((disk / "log").exists)
            for flow in range(5):  # one by one, for longer than the log holds its breath
                send_flows(net, 1, 50_000 + flow)
                time.sleep(0.5)
            lab.until(lambda: "can be written again" in running.words())
            assert running.end() == 0
        after = lines_below(disk)
    words = running.words()
    assert f"fl0p: {disk}/log: No space left on device; entries are lost" in words
    lost = re.search(r"can be written again; ([\d,]+) entries were lost", words)
    assert lost, words
    ports = ports_in(before + after)
    assert max(ports.values()) == 1 and len(ports) + int(lost[1]) == FLOWS + 5
    assert set(range(50_000, 50_005)) <= set(ports)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_writers_killed_under_load_leave_no_corrupt_entry(
    net: lab.Pair, tmp_path: Path, workers: str
) -> None:
    """What an engine had not printed is lost with it, but nothing is printed by half."""
    writer = "engine" if workers == "1" else "merger"
    with daemon(net.server, tmp_path, "-lU", "--idle", "0.05", "--workers", workers, FILTER) as running:
        killed = set()
        with load(net) as more:
            while more():
                pid = running.children().get(writer)
                if pid and pid not in killed and running.log.stat().st_size:
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
                time.sleep(0.05)
        lab.until(lambda: running.children().get(writer) not in killed | {None})
        send_flows(net, 1, 50_000)
        lab.until(lambda: "10.9.8.1:50000 " in running.log.read_text())
        running.end()
    assert killed
    ports = ports_in(running.lines())
    assert max(ports.values()) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_names_are_those_known_by_then_and_its_own_questions_are_not_reported(
    net: lab.Pair, tmp_path: Path, workers: str
) -> None:
    """On the machine that asks; those that another program on it asks are reported."""
    names = {net.client.address: "client.example", net.server.address: "server.example"}
    with net.server.entered():
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.bind((net.server.address, 53))
    with (
        resolv_conf(net.client, f"nameserver {net.server.address}\n"),
        name_server(names, listening) as server,
    ):
        with sensor(net.client, tmp_path, "-lUr", "--idle", "0.3", "--workers", workers) as running:
            for flow in range(6):
                send_flows(net, 1, FIRST_PORT + flow)
                lab.until(lambda flow=flow: f":{FIRST_PORT + flow} ->" in running.log.read_text())
            own = set(server.asked_by)
            lookup = "import socket; socket.getnameinfo(('10.9.8.2', 0), 0)"
            net.client.run(sys.executable, "-c", lookup)
            time.sleep(1)
            assert running.end() == 0
        others = set(server.asked_by) - own
    lines = running.lines()
    assert " 10.9.8.1:10000 -> 10.9.8.2:9 udp 9 " in lines[0]
    assert any(" client.example:10005 -> server.example:9 udp 9 " in line for line in lines)
    questions = {int(match[1]) for line in lines if (match := re.search(r":(\d+) -> \S+:53 udp 53 ", line))}
    assert own and questions == others


@contextmanager
def resolv_conf(end: lab.Namespace, text: str) -> Iterator[None]:
    """What is /etc/resolv.conf to commands run in this namespace (ip-netns(8))."""
    folder = Path("/etc/netns") / end.name
    folder.mkdir(parents=True)
    try:
        (folder / "resolv.conf").write_text(text)
        yield
    finally:
        shutil.rmtree(folder)
