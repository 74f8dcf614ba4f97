#!/usr/bin/env python3
"""Keeps a sensor busy for long: `soak.py`, as root; writes a section of docs/BENCHMARKS.md.

tcpreplay plays an invented trace over a veth pair between two network namespaces, with other addresses each
time around, so that flows come and go.  The log is rotated at the end of every interval, when this is looked
at, too: resident memory of each process and processor time for a packet, from /proc, and packets lost.

Exit status 1, and the reason, if packets were lost, if memory of a process has moved by more than RSS_SHARE
since it was warm (`warm`), or if an interval's processor time for a packet is further than
`--cpu-share` from that of all of them.
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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE / "bench")]

import report  # noqa: E402
from tests.net import lab  # noqa: E402
from tests.sensor.running import Sensor, cpu_s, sensor, status_of  # noqa: E402

FLOWS = 4600
"""Of the trace: 89,112 packets, 0.9 s at the usual rate, with 4,600 new flows each time around."""

MTU = 9000
RSS_SHARE = 0.05

WARM_S = 25.0
WARM_RELOADS = 3
"""Memory is compared from then on.  Only after the idle time, and 15 s more for flows that ended, is the
table as full as it will be; and only the third time do signatures find the room that those before left."""

SETTLE_S = 1.0
COUNTS = re.compile(rb"\] stats: (packets=.*)\n")


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of the sensor at a moment.

    at_s   : monotonic
    counts : the statistics, by name
    rss_kb : resident memory by process; cpu_s : processor time of all
    """

    at_s: float
    counts: dict[str, int]
    rss_kb: dict[str, int]
    cpu_s: float

    @property
    def dropped(self) -> int:
        return sum(self.counts.get(f"capture.kernel_{what}", 0) for what in ("drops", "ifdrops"))


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened between two looks."""

    begin: Look
    end: Look

    def grown(self, name: str) -> int:
        return self.end.counts[name] - self.begin.counts[name]

    @property
    def rate(self) -> float:
        return self.grown("packets") / (self.end.at_s - self.begin.at_s)

    @property
    def cpu_us(self) -> float:
        """Processor time for a packet."""
        return (self.end.cpu_s - self.begin.cpu_s) / max(1, self.grown("packets")) * 1e6


def look(running: Sensor) -> Look:
    """Ask for statistics and take the log away."""
    pids = {"monitor": running.pid, **running.children()}
    size = running.log.stat().st_size
    running.send(signal.SIGUSR1)
    found: list[bytes] = []

    def told() -> bool:
        with running.log.open("rb") as log:
            log.seek(size)
            found[:] = COUNTS.findall(log.read())
        return bool(found)

    lab.until(told)
    words = (word.split("=") for word in found[-1].decode().split())
    seen = Look(
        time.monotonic(),
        {name: int(count) for name, count in words},
        {name: int(status_of(pid)["VmRSS"].split()[0]) for name, pid in pids.items()},
        sum(map(cpu_s, pids.values())),
    )
    running.log.unlink()
    running.send(signal.SIGHUP)
    lab.until(running.log.exists)
    return seen


def row(number: int, interval: Interval) -> tuple[str, ...]:
    return (
        str(number),
        f"{interval.rate:,.0f}",
        f"{interval.grown('flows'):,}",
        *(f"{kb / 1024:.1f}" for kb in interval.end.rss_kb.values()),
        f"{interval.cpu_us:.2f}",
        f"{interval.end.dropped - interval.begin.dropped:,}",
    )


def warm(intervals: list[Interval]) -> int:
    """The number of the interval at whose end memory is what it will be."""
    for number, interval in enumerate(intervals):
        if number + 1 >= WARM_RELOADS and interval.end.at_s - intervals[0].begin.at_s >= WARM_S:
            return number
    raise SystemExit(
        f"soak.py: too short: memory is compared after {WARM_S:g} s and {WARM_RELOADS} intervals"
    )


def faults(intervals: list[Interval], sent: int, last: Look, cpu_share: float) -> list[str]:
    """What is not as it must be."""
    found = []
    counts = last.counts
    if counts["packets"] != sent or last.dropped or counts["evicted"] or counts["lost"]:
        found.append(f"{sent:,} packets sent, {counts['packets']:,} seen; statistics: {counts}")
    first = warm(intervals)
    for name, before_kb in intervals[first].end.rss_kb.items():
        shares = [interval.end.rss_kb.get(name, 0) / before_kb - 1 for interval in intervals[first:]]
        worst = max(shares, key=abs)
        if abs(worst) > RSS_SHARE:
            found.append(f"memory of the {name} moved by {100 * worst:+.1f} %")
    mean_us = Interval(intervals[0].begin, intervals[-1].end).cpu_us
    for number, interval in enumerate(intervals, 1):
        share = interval.cpu_us / mean_us - 1
        if abs(share) > cpu_share:
            found.append(f"interval {number}: {100 * share:+.1f} % processor time for a packet")
    return found


def soak(options: argparse.Namespace, trace: Path, folder: Path) -> tuple[str, list[str]]:
    """The table and the faults."""
    settings = {"-e": options.timeout, "--idle": options.idle, "--workers": options.workers}
    words = [str(word) for setting in settings.items() for word in setting]
    with lab.pair() as net:
        for end in (net.client, net.server):
            end.ip("link", "set", end.device, "mtu", str(MTU))
        with sensor(net.server, folder, "-l", "-U", *words) as running:
            looks = [look(running)]
            intervals: list[Interval] = []
            memory = [f"{name}, MB" for name in looks[0].rss_kb]
            head = ("", "packets/s", "flows", *memory, "CPU µs a packet", "lost")
            print(" | ".join(head), flush=True)
            playing = Playing(net, trace, options.rate, round(options.seconds), folder)
            for number in range(1, round(options.seconds / options.interval) + 1):
                playing.wait(looks[0].at_s + number * options.interval)
                looks.append(look(running))
                intervals.append(Interval(*looks[-2:]))
                print(" | ".join(row(number, intervals[-1])), flush=True)
            sent = playing.end()
            time.sleep(SETTLE_S)
            found = faults(intervals, sent, look(running), options.cpu_share)
            if running.end() != 0:
                found.append("the sensor did not end well")
            found += running.words().splitlines() if found else []
    return report.table(head, [row(*pair) for pair in enumerate(intervals, 1)]), found


class Playing:
    """tcpreplay at work on the client's side."""

    def __init__(self, net: lab.Pair, trace: Path, rate: int, time_s: int, folder: Path) -> None:
        self._told = folder / "tcpreplay"
        with self._told.open("wb") as stream:
            self._process = net.client.spawn(
                "tcpreplay", "-i", net.client.device, "-K", "--unique-ip", "--loop", "0",
                "--duration", str(time_s), "--pps", str(rate), str(trace), stdout=stream, stderr=stream,
            )  # fmt: skip

    def wait(self, until_s: float) -> None:
        """Until this moment, or until all is sent."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, until_s - time.monotonic()))

    def end(self) -> int:
        """Once all is sent: how much that was."""
        self._process.wait(lab.TIME_S)
        text = self._told.read_text(errors="replace")
        sent = re.search(r"Successful packets: +(\d+)", text)
        if sent is None:
            raise SystemExit(f"soak.py: tcpreplay: {text[-500:]}")
        return int(sent[1])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--seconds", type=float, default=600.0, help="how long")
    add("--interval", type=float, default=60.0, help="seconds between two looks")
    add("--rate", type=int, default=100_000, help="packets a second")
    add("--workers", type=int, default=1)
    add("--timeout", type=int, default=1, help="capture timeout (-e)")
    add("--idle", type=float, default=15.0, help="seconds after which quiet flows end (--idle)")
    add("--cpu-share", type=float, default=0.15)
    add("--trace", type=Path, help="play this capture instead of making one")
    add("--out", type=Path, default=ROOT / "docs/BENCHMARKS.md")
    add("--dry", action="store_true", help="print only")
    options = parser.parse_args()
    missing = lab.why_not() or ("" if shutil.which("tcpreplay") else "needs tcpreplay")
    if missing:
        raise SystemExit(f"soak.py: {missing}")
    with tempfile.TemporaryDirectory() as work:
        trace = options.trace or Path(work) / "trace.pcap"
        if not trace.exists():
            words = [str(HERE / "bench/trace.py"), str(trace), "--flows", str(FLOWS), "--duration", "60"]
            subprocess.run([sys.executable, *words], check=True)
        table, found = soak(options, trace, Path(work))
    text = (
        "## Soak\n\n"
        f"`fl0p -i veth2 -o LOG -l -U -e {options.timeout} --idle {options.idle:g}`, {options.seconds:g} s at"
        f" {options.rate:,} packets a second from tcpreplay over a veth pair on {os.cpu_count()} cores, with"
        " new flows all the time; the log is rotated and the signatures are read again every"
        f" {options.interval:g} s. Memory is resident and includes the kernel's ring of 64 MiB.\n\n{table}"
    )
    if not options.dry:
        report.put(options.out, "soak", text)
    for fault in found:
        print(f"soak.py: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
