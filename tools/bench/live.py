#!/usr/bin/env python3
"""Measures loss on a live interface: `live.py [CAPTURE|FOLDER ...]`, as root; writes a section of
docs/BENCHMARKS.md.

tcpreplay plays a trace (made from the captures given, or invented; `--trace` names a ready one) over a veth
pair between two network namespaces, at rising rates up to its top speed, to `tcpdump -w /dev/null` and to
fl0p in turn.  Then fl0p listens to a quiet interface.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from tests.net import lab  # noqa: E402

TRACE_FLOWS = 23_000
"""About 450,000 packets, so that tcpreplay can hold them in memory; played again and again."""

RATES = (25_000, 50_000, 100_000, 200_000, 300_000, 0)
TOP = 0
TOP_SPEED = 350_000  # about; it says how many packets fill the time asked
MTU = 65535
"""Captures have segments glued together by offload, larger than any cable's."""

SETTLE_S = 1.0
PLAY_S = 600
IDLE_S = 20.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that listens.

    words : its command, {device} being the interface, {folder} a place for what it writes
    ready : what it prints once it listens; told : what it says at its end, with named groups
    """

    name: str
    words: tuple[str, ...]
    ready: str
    told: re.Pattern[str]


def engine(name: str, driver: str, workers: int) -> Program:
    """The engine on a LiveSource, without the processes that `fl0p -i` has around it."""
    words = (sys.executable, str(HERE / "live_sensor.py"), "{device}", driver, str(workers))
    return Program(name, words, "ready", re.compile(r'"packets": (?P<seen>\d+)'))


def sensor(name: str, workers: int) -> Program:
    """The command as its users run it."""
    words = ("-m", "fl0p_py.cli.fl0p", "-i", "{device}", "-o", "{folder}/log", "-l", "-t", "-e", "1")
    words = (sys.executable, *words, "--workers", str(workers))
    return Program(name, words, "listening on", re.compile(r"(?P<seen>[\d,]+) packets?\n"))


TCPDUMP = Program(
    "tcpdump",
    ("tcpdump", "-n", "-Z", "root", "-i", "{device}", "-w", "/dev/null"),
    "listening on",
    re.compile(r"(?P<seen>\d+) packets? captured"),
)
PROGRAMS = (
    TCPDUMP,
    engine("engine, pcapy-ng", "pcapy", 1),
    engine("engine, pypcap", "pypcap", 1),
    engine("engine, pcapy-ng, 2 workers", "pcapy", 2),
    sensor("fl0p -i", 1),
    sensor("fl0p -i --workers 2", 2),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One program at one rate.

    sent, seen : packets; sent_s : packets a second; cpu_us : processor time for each of them, of all
                 processes and threads of the program
    """

    sent: int
    sent_s: float
    seen: int
    cpu_us: float

    @property
    def lost(self) -> int:
        return self.sent - self.seen


class Listener:
    """A program that listens in a namespace, while the `with` lasts."""

    def __init__(self, program: Program, where: lab.Namespace, folder: Path) -> None:
        self._program = program
        self._output = folder / "listener.out"
        places = {"{device}": where.device, "{folder}": str(folder)}
        words = list(program.words)
        for place, value in places.items():
            words = [word.replace(place, value) for word in words]
        with self._output.open("wb") as stream:
            self._process = where.spawn(
                *words, stdout=stream, stderr=stream, start_new_session=True, cwd=ROOT
            )
        lab.until(lambda: program.ready in self.output or self._process.poll() is not None)
        if self._process.poll() is not None:
            raise SystemExit(f"{program.name} did not start: {self.output.strip()}")

    @property
    def output(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def cpu_s(self) -> float:
        """Processor time of its session so far, all processes and threads."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            if int(fields[3]) == self._process.pid:
                total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def end(self) -> int:
        """End it; the packets that it has seen."""
        lab.end(self._process, signal.SIGTERM if "python" in self._program.words[0] else signal.SIGINT, 30)
        told = self._program.told.search(self.output)
        if told is None:
            raise SystemExit(f"{self._program.name} did not end well: {self.output.strip()[-500:]}")
        return int(told["seen"].replace(",", ""))


def play(net: lab.Pair, trace: Path, rate: int, count: int, folder: Path) -> tuple[int, float]:
    """Send `count` packets of the trace; how many were sent, and how many a second."""
    speed = ("--topspeed",) if rate == TOP else ("--pps", str(rate))
    told = folder / "tcpreplay.out"
    with told.open("wb") as stream:
        process = net.client.spawn(
            "tcpreplay", "-i", net.client.device, "-K", "--loop", "1000", "--limit", str(count),
            *speed, str(trace), stdout=stream, stderr=stream,
        )  # fmt: skip
        process.wait(PLAY_S)
    text = told.read_text(errors="replace")
    sent = re.search(r"Successful packets: +(\d+)", text)
    seconds = re.search(r"sent in ([\d.]+) seconds", text)
    if sent is None or seconds is None:
        raise SystemExit(f"tcpreplay: {text[-500:]}")
    return int(sent[1]), int(sent[1]) / float(seconds[1])


def measure(program: Program, trace: Path, rate: int, seconds: float, folder: Path) -> Run:
    """Let one program listen to one rate."""
    count = int((rate or TOP_SPEED) * seconds)
    with lab.pair() as net:
        for end in (net.client, net.server):
            end.ip("link", "set", end.device, "mtu", str(MTU))
        listener = Listener(program, net.server, folder)
        time.sleep(SETTLE_S)
        before = listener.cpu_s()
        sent, sent_s = play(net, trace, rate, count, folder)
        time.sleep(SETTLE_S)
        cpu_us = (listener.cpu_s() - before) / sent * 1e6
        return Run(sent, sent_s, listener.end(), cpu_us)


def idle(program: Program, folder: Path) -> float:
    """Share of a core that listening to nothing takes."""
    with lab.pair() as net:
        listener = Listener(program, net.server, folder)
        time.sleep(2 * SETTLE_S)
        before = listener.cpu_s()
        time.sleep(IDLE_S)
        share = (listener.cpu_s() - before) / IDLE_S
        listener.end()
    return share


def loss_table(options: argparse.Namespace, trace: Path, folder: Path) -> str:
    """One row for each rate and program."""
    rows: list[tuple[str, ...]] = []
    for rate in options.rates:
        for program in PROGRAMS:
            runs = [measure(program, trace, rate, options.seconds, folder) for _ in range(options.rounds)]
            worst = max(runs, key=lambda run: run.lost)
            share = 100 * worst.lost / worst.sent
            lost = f"{worst.lost:,} ({share:.2f} %)" if worst.lost else "0"
            row = (f"{rate:,}" if rate else "top speed", program.name, f"{worst.sent_s:,.0f}",
                   f"{worst.sent:,}", lost, f"{worst.cpu_us:.2f}")  # fmt: skip
            print(" | ".join(row), flush=True)
            rows.append(row)
    return report.table(
        ("packets/s asked", "program", "packets/s sent", "sent", "lost", "CPU µs a packet"), rows
    )


def idle_table(folder: Path) -> str:
    rows = [(program.name, f"{100 * idle(program, folder):.2f} %", "1 %") for program in PROGRAMS[1:]]
    return report.table((f"on a quiet interface, -e 1, {IDLE_S:g} s", "of a core", "at most"), rows)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("captures", type=Path, nargs="*")
    add("--trace", type=Path, help="play this capture instead of making one")
    add("--rates", type=lambda text: [int(rate) for rate in text.split(",")], default=list(RATES),
        help="packets a second, with commas between; 0: as fast as can be")  # fmt: skip
    add("--idle", action="store_true", help="only what listening to a quiet interface takes, and print only")
    add("--seconds", type=float, default=8.0, help="how long each run plays")
    add("--rounds", type=int, default=3, help="runs of each; the worst counts")
    add("--dir", type=Path, default=Path(tempfile.gettempdir()) / "fl0p-bench")
    add("--out", type=Path, default=ROOT / "docs/BENCHMARKS.md")
    add("--dry", action="store_true", help="print only")
    options = parser.parse_intermixed_args()
    missing = lab.why_not() or "".join(
        f"needs {t}; " for t in ("tcpreplay", "tcpdump") if not shutil.which(t)
    )
    if missing:
        raise SystemExit(f"live.py: {missing}")
    options.dir.mkdir(parents=True, exist_ok=True)
    if options.idle:
        with tempfile.TemporaryDirectory(dir=options.dir) as work:
            print(idle_table(Path(work)))
        return 0
    trace = options.trace or options.dir / "trace-live.pcap"
    if not trace.exists():
        words = [sys.executable, str(HERE / "trace.py"), str(trace), "--flows", str(TRACE_FLOWS)]
        subprocess.run([*words, *map(str, options.captures)], check=True)
    with tempfile.TemporaryDirectory(dir=options.dir) as work:
        table = loss_table(options, trace, Path(work))
        quiet = idle_table(Path(work))
    text = (
        "## Live: loss and idling\n\n"
        f"tcpreplay over a veth pair on {os.cpu_count()} cores, one of which it fills at top speed; shipped"
        f" signatures, capture timeout 1 ms; the worst of {options.rounds} runs of {options.seconds:g} s.\n\n"
        f"{table}\n\n{quiet}"
    )
    print(text)
    if not options.dry:
        report.put(options.out, "live", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
