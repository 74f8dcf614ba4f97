#!/usr/bin/env python3
"""Makes labelled traffic: real programs talk in network namespaces.  As root; docs/lab.md says more.

python -m tools.lab list [GLOB ...]
python -m tools.lab run --out DIR [--only GLOB ...] [--quick] [--scale X] [--seed N] [--jobs N]
python -m tools.lab collect --out DIR
python -m tools.lab samples --out DIR --into FOLDER [--only GLOB ...]
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tools.lab import samples, scenarios
from tools.lab.net import why_not
from tools.lab.runner import Runner, collect
from tools.lab.scenario import matching


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tools/lab/run.py", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="the scenarios: name, runs in a full run, what it is")
    listing.add_argument("only", nargs="*", metavar="GLOB")
    run = commands.add_parser("run", help="make the runs that are not yet in the folder")
    run.add_argument("--only", action="append", default=[], metavar="GLOB", help="scenarios with such names")
    run.add_argument("--quick", action="store_true", help="one run of each")
    run.add_argument("--scale", type=float, default=1.0, help="so many times the runs of a full one (1.0)")
    run.add_argument("--seed", type=int, default=1, help="decides all that is left to chance (1)")
    run.add_argument("--jobs", type=int, default=8, help="runs at a time (8); most of their time is waiting")
    collecting = commands.add_parser("collect", help="put the runs of a folder together, as `run` does")
    sample = commands.add_parser("samples", help="the smallest capture of each scenario, with its labels")
    sample.add_argument(
        "--only", action="append", default=[], metavar="GLOB", help="scenarios with such names"
    )
    sample.add_argument("--into", type=Path, required=True, metavar="FOLDER", help="where they are put")
    for each in (run, collecting, sample):
        each.add_argument("--out", type=Path, required=True, metavar="DIR")
    given = parser.parse_args(words)

    scenarios.load()
    if given.command == "list":
        for each in matching(given.only):
            print(f"{each.name:32} {each.runs:5}  {each.about}")
        return 0
    if given.command == "collect":
        collect(given.out)
        return 0
    if given.command == "samples":
        for path in samples.write(given.out / "runs", given.into, matching(given.only)):
            print(f"{path}  {path.stat().st_size} bytes")
        return 0
    if reason := why_not():
        print(f"no lab here: {reason}", file=sys.stderr)
        return 2
    chosen = matching(given.only)
    if not chosen:
        print(f"no scenario is called {' or '.join(given.only)}", file=sys.stderr)
        return 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        counts = Runner(given.out, given.seed, given.jobs).run(chosen, given.scale, given.quick)
    except KeyboardInterrupt:
        print("stopped; what is made is kept, the same command goes on from here", file=sys.stderr)
        return 1
    print(", ".join(f"{count} {how}" for how, count in sorted(_by_kind(counts).items())) or "nothing to do")
    return 1 if any(how.startswith("failed") for how in counts) else 0


def _by_kind(counts: dict[str, int]) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for how, count in counts.items():
        kind = how.split(" ")[0]
        kinds[kind] = kinds.get(kind, 0) + count
    return kinds


if __name__ == "__main__":
    sys.exit(main())
