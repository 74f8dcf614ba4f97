"""Measures rules under attack: millions of hosts, each of which sets a variable, and what is given up then.

    python -m tools.bench.rules_hosts [HOSTS] [NAME ...]       2,000,000 hosts; all sets of rules

Each set of rules runs on the same datagrams (datagrams.py), each of which is a flow between two hosts of its
own.  Prints wall time, processor time for a flow beyond that without rules, the peak of memory, and what
the statistics say was given up.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tools.bench.measure import Cost, run

LIMIT_S = 600
HOSTS = 2_000_000
SIGNATURE = "#: id=discard\nudp 9 < c8 : discard\n"
FLOW, PACKET = 'flowsig:"discard"; ', 'content:"abcdefgh"; '
SETS = {
    "none": [],
    "hostint by_src": [FLOW + "hostint:by_src,seen,+,1; noalert;"],
    "hostint by_src, expire 5": [FLOW + "hostint:by_src,seen,+,1,expire 5; noalert;"],
    "hostint by_dst, by_pair": [FLOW + "hostint:by_dst,seen,+,1; hostint:by_pair,seen,=,1; noalert;"],
    "globalint": [FLOW + "globalint:seen,+,1; noalert;"],
    "threshold by_src": [FLOW + "threshold:type threshold,track by_src,count 2,seconds 60;"],
    "threshold by_src, 5 s": [FLOW + "threshold:type threshold,track by_src,count 2,seconds 5;"],
    "flowint": [FLOW + "flowint:seen,+,1; noalert;"],
    "packets, flowint": [PACKET + "flowint:seen,+,1; noalert;"],
    "packets, hostint by_src": [PACKET + "hostint:by_src,seen,+,1; noalert;"],
    "two rules, read and written": [
        FLOW + "hostint:by_src,seen,notset; hostint:by_src,seen,=,1; globalint:all,+,1; noalert;",
        FLOW + "hostint:by_src,seen,isset; hostint:by_src,seen,+,1; noalert;",
    ],
}


def main(hosts: int, names: list[str]) -> None:
    print(f"{hosts:,} hosts\n{'rules':28} {'wall s':>7} {'us a flow':>10} {'peak MB':>8}  given up")
    base: float | None = None
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "bench.fp").write_text(SIGNATURE)
        for name in dict.fromkeys(["none", *(names or SETS)]):
            lines = [
                f"alert udp any any -> any 9 ({options} sid:{sid};)\n"
                for sid, options in enumerate(SETS[name], 1)
            ]
            (work / "bench.rules").write_text("".join(lines))
            cost, given_up = _measure(work, hosts, bool(lines))
            if cost.failure:
                raise SystemExit(f"{name}: {cost.failure}")
            cpu_s = cost.user_s + cost.sys_s
            base = cpu_s if base is None else base
            told = ", ".join(f"{what} {count:,}" for what, count in given_up.items()) or "-"
            more_us = (cpu_s - base) / hosts * 1e6
            print(f"{name:28} {cost.wall_s:7.1f} {more_us:10.1f} {cost.peak_mb:8.0f}  {told}", flush=True)


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
    main(int(sys.argv[1]) if len(sys.argv) > 1 else HOSTS, sys.argv[2:])
