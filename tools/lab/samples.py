"""Samples: one small capture of each scenario, with its labels, to be committed.

Of all runs of a scenario that are to be learned from, the smallest capture is taken: the same runs give the
same samples.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools.lab import labels
from tools.lab.scenario import Scenario

LABELS = "labels.jsonl"
LARGEST = 60_000
"""Bytes of a capture; a scenario whose runs are all larger has no sample."""


def choose(runs: Path, scenario: Scenario) -> Path | None:
    """The smallest capture of a scenario in a folder of runs."""
    made = []
    for path in sorted(runs.glob(f"{scenario.name}-[0-9]*.json")):
        how = json.loads(path.read_text())
        if how["outcome"] == "made" and not how["held_out"]:
            made.append(path.with_suffix(".pcap"))
    smallest = min(made, key=lambda path: path.stat().st_size, default=None)
    return smallest if smallest and smallest.stat().st_size <= LARGEST else None


def write(runs: Path, into: Path, scenarios: list[Scenario]) -> list[Path]:
    """Put a sample of each scenario into a folder, named after it; those of others stay as they are."""
    names = {f"{each.name}.pcap" for each in scenarios}
    told = labels.read(into / LABELS) if (into / LABELS).exists() else []
    told = [each for each in told if each["capture"] not in names]
    written = []
    for each in scenarios:
        source = choose(runs, each)
        if source is None:
            continue
        written.append(into / f"{each.name}.pcap")
        shutil.copyfile(source, written[-1])
        told += [
            {**label, "capture": written[-1].name} for label in labels.read(source.with_suffix(".jsonl"))
        ]
    labels.write(into / LABELS, sorted(told, key=lambda label: (label["capture"], label["timestamp"])))
    return written
