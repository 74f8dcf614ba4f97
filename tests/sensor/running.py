"""A running sensor for tests: started in a lab's namespace, looked at from outside, ended with the test."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.net import lab

ROOT = Path(__file__).parent.parent.parent
COMMAND = (sys.executable, "-m", "fl0p_py.cli.fl0p")
THRESHOLD = ("-T", "5000")
"""A busy machine may pause for longer than 400 ms in what is said at once."""


@dataclass
class Sensor:
    """pid : of the monitor; said : its standard error, to a file; log : what -o named, if there is one"""

    pid: int
    process: subprocess.Popen[bytes] | None
    said: Path
    log: Path

    def words(self) -> str:
        return self.said.read_text()

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def children(self) -> dict[str, int]:
        """Process ids by name (engine, engine-1, merger, resolver)."""
        found = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            for pid in (task / "children").read_text().split():
                name = Path(f"/proc/{pid}/comm").read_text().strip()
                found[name.removeprefix("fl0p-")] = int(pid)
        return found

    def engine(self) -> int:
        return self.children()["engine"]

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit status, if it is our child; 0 if it was a daemon, once it is gone."""
        if self.process is not None:
            return lab.end(self.process, number)
        with suppress(ProcessLookupError):
            self.send(number)
        lab.until(lambda: not Path(f"/proc/{self.pid}").exists())
        return 0


@contextmanager
def sensor(end: lab.Namespace, tmp_path: Path, *options: str) -> Iterator[Sensor]:
    """In the foreground, at work; `options` without -i and -o."""
    said, log = tmp_path / "said", tmp_path / "log"
    with said.open("wb") as errors:
        words = ("-i", end.device, "-o", str(log), *THRESHOLD, *options)
        process = end.spawn(*COMMAND, *words, stderr=errors, cwd=ROOT)
    started = Sensor(process.pid, process, said, log)
    try:
        lab.until(lambda: "listening on" in started.words() or process.poll() is not None)
        assert process.poll() is None, started.words()
        yield started
    finally:
        started.end(signal.SIGKILL)


@contextmanager
def daemon(end: lab.Namespace, tmp_path: Path, *options: str) -> Iterator[Sensor]:
    """In the background, at work; `options` without -i, -o, -d and --pidfile."""
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    words = ("-i", end.device, "-o", str(log), "-d", "--pidfile", str(pidfile), *THRESHOLD, *options)
    run = end.run(*COMMAND, *words, check=False, cwd=ROOT)
    said = tmp_path / "said"
    said.write_text(run.stderr)
    assert run.returncode == 0, run.stderr
    started = Sensor(int(pidfile.read_text()), None, said, log)
    try:
        yield started
    finally:
        started.end(signal.SIGKILL)


def serve_http(end: lab.Namespace) -> None:
    end.spawn(sys.executable, "-m", "http.server", "8000", cwd="/tmp")
    lab.until(lambda: end.listens(8000))


def fetch(net: lab.Pair, times: int = 1) -> None:
    """Requests from client to server, which the shipped signatures know."""
    for _ in range(times):
        net.client.run("curl", "-s", "-o", "/dev/null", f"http://{net.server.address}:8000/nothing")


@contextmanager
def talking(net: lab.Pair) -> Iterator[None]:
    """A connection to serve_http whose client has said one byte, which has arrived, and says nothing more."""
    with net.client.entered():
        client = socket.create_connection((net.server.address, 8000), lab.TIME_S)
    with client:
        client.sendall(b"\n")
        lab.until(lambda: not struct.unpack("i", fcntl.ioctl(client, termios.TIOCOUTQ, bytes(4)))[0])
        yield


def counted(running: Sensor, what: str, least: int) -> None:
    """Until the monitor has heard of so many (`packets`, `identified`); statistics go into the log."""

    def enough() -> bool:
        running.send(signal.SIGUSR1)
        time.sleep(0.1)
        said = re.findall(rf"stats:.* {what}=(\d+) ", "\n".join(running.lines()))
        return bool(said) and int(said[-1]) >= least

    lab.until(enough)


def metrics(end: lab.Namespace, port: int) -> str:
    """The page of a sensor's --metrics."""
    return str(end.run("curl", "-s", f"http://127.0.0.1:{port}/metrics").stdout)


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def links_of(pid: int) -> list[str]:
    return sorted(os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir())  # noqa: PTH115


def sockets_of(pid: int) -> list[str]:
    """Of its sockets, what is no UNIX socket: the packet sockets and those of the internet."""
    inodes = [match[1] for link in links_of(pid) if (match := re.fullmatch(r"socket:\[(\d+)\]", link))]
    unix = Path(f"/proc/{pid}/net/unix").read_text()
    return [inode for inode in inodes if f" {inode}" not in unix]


def cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
