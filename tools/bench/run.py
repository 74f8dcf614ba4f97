#!/usr/bin/env python3
"""Measures fl0p beside its peers and writes docs/BENCHMARKS.md: `run.py [CAPTURE|FOLDER ...]`.

The trace is made from the captures given (invented traffic without) and kept in `--dir` for the next run.
Sections: peers, signatures, filter, memory, flood, grep, holes, start.  `--quick` uses a tenth of everything,
one round, and writes to the terminal instead of the page.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import grep_holes
import measure
import report
from peers import PEERS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FLOWS = 230_000
OPEN_FLOWS = (100_000, 500_000)
HOLES = 200_000
FLOOD = (1_000_000, 5_000_000, 10_000_000)
FOREVER_S = "1000000000"
TOKENS = 64


@dataclass(frozen=True, slots=True)
class Pair:
    """Two commands run in turn: the median cost of each, and each round's ratio of their wall times."""

    first: measure.Cost
    second: measure.Cost
    ratios: tuple[float, ...]

    @property
    def ratio(self) -> str:
        failed = self.first.failure or self.second.failure
        return "-" if failed else f"{statistics.median(self.ratios):.2f}"

    @property
    def spread(self) -> str:
        return f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"


class Bench:
    """The options, the folder with the trace, and how to run fl0p."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.folder: Path = options.dir
        self.folder.mkdir(parents=True, exist_ok=True)
        self.captures = [str(path.resolve()) for path in options.captures]
        self.scale = 10 if options.quick else 1
        suffix = "-quick" if options.quick else ""
        self.trace = self.folder / f"trace{suffix}.pcap"
        self.hostile = self.folder / f"hostile{suffix}.pcap"
        self.few, self.many = self.folder / "signatures-10.fp", self.folder / "signatures-10000.fp"

    # ---- inputs -------------------------------------------------------------------------------------------

    def tool(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(HERE / name), *arguments]

    def prepare(self) -> None:
        """Make what is not there yet, and keep the traces in the page cache."""
        flows = ("--flows", str(FLOWS // self.scale))
        wanted = (
            (self.few, self.tool("signatures.py", str(self.few), "10", *self.captures)),
            (self.many, self.tool("signatures.py", str(self.many), "10000", *self.captures)),
            (self.trace, self.tool("trace.py", str(self.trace), *self.captures, *flows)),
            (
                self.hostile,
                self.tool("trace.py", str(self.hostile), "--hostile", "--signatures", str(self.many), *flows),
            ),
        )
        for path, command in wanted:
            if self.options.fresh or not path.exists():
                subprocess.run(command, check=True)
        self.hold(self.trace, self.hostile)

    def hold(self, *paths: Path) -> None:
        """Keep files in the page cache until this program ends."""
        words = self.tool("hold.py", *map(str, paths))
        self.holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout is not None
        said = self.holder.stdout.readline().strip()
        if said != "held":
            print(f"the traces are {said}", file=sys.stderr)

    # ---- running ------------------------------------------------------------------------------------------

    def fl0p(self, *arguments: str) -> list[str]:
        return [*shlex.split(self.options.fl0p), *arguments]

    def reading(self, trace: Path, *arguments: str) -> list[str]:
        return self.fl0p("-s", str(trace), "-lq", *arguments)

    def run(
        self, command: Sequence[str], feed: Sequence[str] | None = None, fine: Sequence[int] = (0,)
    ) -> measure.Cost:
        """Run it in an empty folder of its own; {work} in its words becomes that folder."""
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            words = [word.replace("{work}", work) for word in command]
            return measure.run(
                words,
                work=Path(work),
                limit_s=self.options.limit,
                environment={"PYTHONPATH": str(ROOT)},
                feed=feed,
                fine=fine,
            )

    def in_turn(self, first: Sequence[str], second: Sequence[str]) -> Pair:
        """A B A B ..., after one run of each that does not count."""
        self.run(first)
        self.run(second)
        runs = [(self.run(first), self.run(second)) for _ in range(self.options.rounds)]
        ratios = tuple(a.wall_s / b.wall_s for a, b in runs)
        return Pair(middle([a for a, _ in runs]), middle([b for _, b in runs]), ratios)

    def grepping(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "fl0p_py.cli.flowgrep", "-r", str(self.trace), *arguments]

    # ---- sections -----------------------------------------------------------------------------------------

    def side_by_side(self) -> str:
        pair = self.in_turn(self.reading(self.trace), PEERS[0].words(self.trace, self.options.peer_python))
        rows = [cost_row("fl0p -l", "names of flows", pair.first, pair.second)]
        rows.append(cost_row(PEERS[0].name, PEERS[0].does, pair.second, pair.second))
        missing: list[str] = []
        for peer in PEERS[1:]:
            if not peer.installed(self.options.peer_python):
                missing.append(f"{peer.name} ({peer.package})")
                continue
            cost = self.run(peer.words(self.trace, self.options.peer_python), fine=peer.fine)
            rows.append(cost_row(peer.name, peer.does, cost, pair.second))
        head = ("program", "does", "wall s", "user s", "system s", "to tcpdump", "peak MB")
        said = (
            f"**fl0p to tcpdump: {pair.ratio}** (median of {self.options.rounds} rounds in turn,"
            f" {pair.spread}; wanted: at most 1.0). The other peers ran once."
        )
        if missing:
            said += " Not installed: " + ", ".join(missing) + "."
        return f"{report.table(head, rows)}\n\n{said}"

    def set_sizes(self) -> str:
        rows: list[tuple[str, ...]] = []
        for name, trace, wanted in (("the trace", self.trace, "1.3"), ("hostile", self.hostile, "3")):
            many, few = (self.reading(trace, "-f", str(path)) for path in (self.many, self.few))
            pair = self.in_turn(many, few)
            rows.append((name, seconds(pair.second), seconds(pair.first), pair.ratio, pair.spread, wanted))
        return report.table(("packets of", "10: s", "10,000: s", "ratio", "rounds", "at most"), rows)

    def filter_cost(self) -> str:
        rows: list[tuple[str, ...]] = []
        for expression, wanted in (("tcp", "1.3"), ("host 10.1.2.3", "")):
            pair = self.in_turn(self.reading(self.trace, *expression.split()), self.reading(self.trace))
            times = (seconds(pair.second), seconds(pair.first))
            rows.append((f"`{expression}`", *times, pair.ratio, pair.spread, wanted))
        return report.table(("filter", "without: s", "with: s", "ratio", "rounds", "at most"), rows)

    def flow_memory(self) -> str:
        counts = [flows // self.scale for flows in OPEN_FLOWS]
        rows: list[tuple[str, ...]] = []
        for tokens in (0, TOKENS):
            costs: list[measure.Cost] = []
            for flows in counts:
                extra = [*self.captures, "--open", "--duration", "60"]
                if tokens:
                    extra = ["--hostile", "--largest", "8", "--packets", str(flows * (tokens + 3))]
                feed = self.tool("trace.py", "-", "--flows", str(flows), *extra)
                costs.append(self.run(self.fl0p("-s", "-", "-lq", "--idle", FOREVER_S), feed=feed))
            each = (costs[1].peak_mb - costs[0].peak_mb) * 2**20 / (counts[1] - counts[0])
            name = f"{tokens} tokens in each" if tokens else "as in the trace"
            peaks = (cost.failure or f"{cost.peak_mb:.0f}" for cost in costs)
            rows.append((name, *peaks, f"{each:.0f}", "700"))
        head = ("open flows", *(f"{flows:,}: MB" for flows in counts), "bytes a flow", "at most")
        return report.table(head, rows)

    def syn_flood(self) -> str:
        rows: list[tuple[str, ...]] = []
        for count in FLOOD:
            packets = count // self.scale
            cost = self.run(self.fl0p("-s", "-", "-lq"), feed=self.tool("synflood.py", "-", str(packets)))
            cpu_s = cost.user_s + cost.sys_s
            rows.append((f"{packets:,}", cost.failure or f"{cost.peak_mb:.0f}", f"{cpu_s:.2f}"))
        return report.table(("SYNs, each from another address", "peak MB", "user + system s"), rows)

    def payload_search(self) -> str:
        many = self.folder / "patterns-1000"
        subprocess.run(self.tool("patterns.py", str(many), "1000"), check=True)
        one = self.grepping("-a", r"SSH-2\.0")
        ngrep = ["ngrep", "-q", "-I", str(self.trace), "SSH-2.0"]
        rows: list[tuple[str, ...]] = []
        for name, words, beside, wanted in (
            ("`flowgrep -a 'SSH-2\\.0'` to `ngrep -q 'SSH-2.0'`", one, ngrep, "1.0"),
            (
                "`flowgrep -f` 1,000 literals to one",
                self.grepping("-f", str(many)),
                self.grepping("-c", r"SSH-2\.0"),
                "1.5",
            ),
        ):
            pair = self.in_turn(words, beside)
            cpu = [f"{cost.user_s + cost.sys_s:.2f}" for cost in (pair.first, pair.second)]
            times = (seconds(pair.first), cpu[0], seconds(pair.second), cpu[1])
            rows.append((name, *times, pair.ratio, pair.spread, wanted))
        head = (
            "what",
            "first: wall s",
            "CPU s",
            "second: wall s",
            "CPU s",
            "ratio of walls",
            "rounds",
            "at most",
        )
        return report.table(head, rows)

    def search_memory(self) -> str:
        flows = HOLES // self.scale
        rows: list[tuple[str, ...]] = []
        for name, words in grep_holes.CASES.items():
            with tempfile.TemporaryDirectory(dir=self.folder) as work:
                run = grep_holes.measure(flows, words, work)
            failure = "" if run.status in (0, 1) else f"exit {run.status}"
            shown = " ".join(words).replace("|", "\\|")
            rows.append((name, f"`{shown}`", failure or f"{run.peak_mb:.0f}", f"{run.wall_s:.1f}", run.said))
        said = (
            f"{flows:,} flows, each with {grep_holes.PIECES} segments of 1,400 bytes that wait behind holes,"
            " all at the same time."
        )
        head = ("search", "options", "peak MB", "wall s", "said")
        return f"{said}\n\n{report.table(head, rows)}"

    def start_up(self) -> str:
        demo = ROOT / "tests/data/demo.pcap"
        rows: list[tuple[str, ...]] = []
        for name, words, wanted in (
            ("`fl0p -h`", self.fl0p("-h"), "0.15"),
            ("`fl0p -s demo.pcap -l`", self.reading(demo), "0.3"),
        ):
            costs = [self.run(words) for _ in range(1 + 2 * self.options.rounds)][1:]
            median, least = middle(costs), min(cost.wall_s for cost in costs)
            rows.append((name, median.failure or f"{median.wall_s:.3f}", f"{least:.3f}", wanted))
        return report.table(("start", "median s", "least s", "at most"), rows)


def middle(costs: Sequence[measure.Cost]) -> measure.Cost:
    """The run with the median wall time; a failed one if there is any."""
    for cost in costs:
        if cost.failure:
            return cost
    return sorted(costs, key=lambda cost: cost.wall_s)[len(costs) // 2]


def seconds(cost: measure.Cost) -> str:
    return cost.failure or f"{cost.wall_s:.2f}"


def cost_row(name: str, does: str, cost: measure.Cost, base: measure.Cost) -> tuple[str, ...]:
    if cost.failure:
        return (name, does, cost.failure, "", "", "", "")
    ratio = cost.wall_s / base.wall_s
    return (name, does, f"{cost.wall_s:.2f}", f"{cost.user_s:.2f}", f"{cost.sys_s:.2f}", f"{ratio:.2f}",
            f"{cost.peak_mb:.0f}")  # fmt: skip


SECTIONS: dict[str, tuple[str, Callable[[Bench], str]]] = {
    "peers": ("Side by side", Bench.side_by_side),
    "signatures": ("10 and 10,000 signatures", Bench.set_sizes),
    "filter": ("A pcap filter", Bench.filter_cost),
    "memory": ("Memory of a tracked flow", Bench.flow_memory),
    "flood": ("SYN flood", Bench.syn_flood),
    "grep": ("Payload searched", Bench.payload_search),
    "holes": ("Memory of payload searched", Bench.search_memory),
    "start": ("Start-up", Bench.start_up),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("captures", type=Path, nargs="*")
    add("--quick", action="store_true")
    add("--rounds", type=int, default=5)
    add("--only", default=",".join(SECTIONS), help="sections, with commas between")
    add("--dir", type=Path, default=Path(tempfile.gettempdir()) / "fl0p-bench")
    add("--fresh", action="store_true", help="make the traces anew")
    add("--fl0p", default=f"{sys.executable} -m fl0p_py.cli.fl0p", help="the command")
    add("--peer-python", default=sys.executable, help="the interpreter that has nfstream and dpkt")
    add("--limit", type=float, default=600.0, help="seconds after which a run is stopped")
    add("--out", type=Path, default=ROOT / "docs/BENCHMARKS.md")
    options = parser.parse_intermixed_args()
    if options.quick:
        options.rounds = 1
    bench = Bench(options)
    bench.prepare()
    if not options.quick:
        origin = "captures of real applications" if options.captures else "invented traffic"
        size = bench.trace.stat().st_size / 1e9
        report.put(
            options.out,
            "trace",
            f"Trace: {size:.2f} GB, {FLOWS:,} flows made from {origin}, in the page cache;"
            f" {os.cpu_count()} cores, Python {platform.python_version()}.",
        )
    for name in options.only.split(","):
        title, section = SECTIONS[name]
        text = f"## {title}\n\n{section(bench)}"
        print(text + "\n", flush=True)
        if not options.quick:
            report.put(options.out, name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
