"""Measures rules under attack: millions of hosts, each of which sets a variable, and what is given up then.

    python -m tools.bench.rules_hosts [--hosts N] [--only NAME ...] [--out docs/BENCHMARKS.md]

Each set of rules runs on the same datagrams (datagrams.py), each of which is a flow between two hosts of its
own.  Prints wall time, processor time for a flow beyond that without rules, the peak of memory, and what
the statistics say was given up.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from fl0p_py.output.stats import GIVEN_UP_WORDS
from tools.bench import report
from tools.bench.measure import Cost, run

LIMIT_S = 600
SIGNATURE = "#: id=discard\nudp 9 < c8 : discard\n"
FLOW, PACKET = 'flowsig:"discard"; ', 'content:"abcdefgh"; '
SETS = {
    "none": [],
    "hostint by_src": [FLOW + "hostint:by_src,seen,+,1; noalert;"],
    "hostint by_src, expire 5": [FLOW + "hostint:by_src,seen,+,1,expire 5; noalert;"],
    "hostint by_dst, by_pair": [FLOW + "hostint:by_dst,seen,+,1; hostint:by_pair,seen,=,1; noalert;"],
    "threshold by_src": [FLOW + "threshold:type threshold,track by_src,count 2,seconds 60;"],
    "flowint": [FLOW + "flowint:seen,+,1; noalert;"],
    "packets, hostint by_src": [PACKET + "hostint:by_src,seen,+,1; noalert;"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, default=2_000_000)
    parser.add_argument("--only", nargs="*", default=list(SETS), choices=list(SETS), metavar="NAME")
    parser.add_argument("--out", type=Path, help="page to put the table into")
    options = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    without_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "bench.fp").write_text(SIGNATURE)
        for name in dict.fromkeys(["none", *options.only]):
            rules = enumerate(SETS[name], 1)
            lines = [f"alert udp any any -> any 9 ({said} sid:{sid};)\n" for sid, said in rules]
            (work / "bench.rules").write_text("".join(lines))
            cost, given_up = _measure(work, options.hosts, bool(lines))
            if cost.failure:
                raise SystemExit(f"{name}: {cost.failure}")
            cpu_s = cost.user_s + cost.sys_s
            without_s = without_s or cpu_s
            told = ", ".join(f"{count:,} {GIVEN_UP_WORDS[what]}" for what, count in given_up.items()) or "-"
            more_us = (cpu_s - without_s) / options.hosts * 1e6
            rows.append((name, f"{cost.wall_s:.1f}", f"{more_us:.1f}", f"{cost.peak_mb:.0f}", told))
            print("  ".join(rows[-1]), flush=True)
    head = ("rules", "wall s", "CPU: us a flow", "peak MB", "given up")
    text = f"## Rules and {options.hosts:,} hosts\n\n{report.table(head, rows)}"
    print(text)
    if options.out is not None:
        report.put(options.out, "rules-hosts", text)


def _measure(work: Path, hosts: int, with_rules: bool) -> tuple[Cost, dict[str, int]]:
    """What a run cost, and what its last entry, the statistics, says was given up."""
    log = work / "bench.json"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "fl0p_py.cli.fl0p", "-q", "-f", "bench.fp", "-s", "-", "-o", str(log)]
    command += ["--json", "--alerts-only", "--rules", "bench.rules"] if with_rules else ["--json", "-U", "-K"]
    datagrams = [sys.executable, "-m", "tools.bench.datagrams", str(hosts)]
    cost = run(
        command, work=work, limit_s=LIMIT_S, environment={"PYTHONPATH": str(Path.cwd())}, feed=datagrams
    )
    last = log.read_text().splitlines()[-1] if log.exists() else "{}"
    return cost, json.loads(last).get("stats", {}).get("rules", {}).get("given_up", {})


if __name__ == "__main__":
    main()
