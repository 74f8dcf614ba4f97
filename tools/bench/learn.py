#!/usr/bin/env python3
"""Time and memory of fl0p-learn: `learn.py [CAPTURE|FOLDER ...]`.

explore on 100,000 harvested lines (harvest.py: shipped signatures, the captures, noise), learn on 10 classes
of 1,000 flows each.  Prints a table; limits are those of the issue that asked for them.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import harvest
import measure
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Signature

ROOT = Path(__file__).resolve().parents[2]
LINES = 100_000
CLASSES = 10
FLOWS = 1_000
SOURCES = 4
"""Logs of a class."""

LIMIT_S = 60.0
LIMIT_MB = 2_000.0


def classes(folder: Path, draw: random.Random) -> list[str]:
    """Logs of flows that one signature each speaks of, as arguments."""
    services: dict[str, Signature] = {}
    for signature in load().signatures:
        services.setdefault(signature.facets.class_ or signature.id, signature)
    given: list[str] = []
    for name in sorted(services)[:CLASSES]:
        given += ["--label", name]
        for part in range(SOURCES):
            log = folder / f"{name}-{part}.log"
            said = (harvest.spoken(services[name], draw) for _ in range(FLOWS // SOURCES))
            log.write_text("".join(harvest.line(service, draw) for service in said))
            given.append(str(log))
    return given


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("captures", nargs="*")
    parser.add_argument("--lines", type=int, default=LINES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        harvest.write(folder / "gathered.log", given.lines, given.captures, 1)
        runs = {
            f"explore, {given.lines:,} lines": ["explore", str(folder / "gathered.log")],
            f"learn, {CLASSES} classes x {FLOWS:,} flows": ["learn", *classes(folder, random.Random(1))],
        }
        print("| run | wall | CPU | peak memory | asked for |\n|---|---|---|---|---|")
        for what, arguments in runs.items():
            command = [sys.executable, "-m", "fl0p_py.cli.learn", *arguments, "-q"]
            cost = measure.run(
                command, work=folder, limit_s=10 * LIMIT_S, environment={"PYTHONPATH": str(ROOT)}
            )
            if cost.failure:
                sys.exit(f"learn.py: {what}: {cost.failure}")
            spent = f"{cost.wall_s:.1f} s | {cost.user_s + cost.sys_s:.1f} s | {cost.peak_mb:.0f} MB"
            print(f"| {what} | {spent} | {LIMIT_S:.0f} s, {LIMIT_MB:,.0f} MB |", flush=True)


if __name__ == "__main__":
    main()
