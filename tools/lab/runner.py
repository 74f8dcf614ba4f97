"""Runs scenarios: many, a few at a time, each in a process of its own, bounded in time.

What a run leaves in the folder `runs`: NAME-NUMBER.pcap, NAME-NUMBER.jsonl (labels) and NAME-NUMBER.json
(how it went); a failed one leaves its log in `failed`.  Runs that are there are not made again,
failed ones are.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tools.lab import labels
from tools.lab.capture import flows, merge
from tools.lab.errors import UncertainError
from tools.lab.link import draw
from tools.lab.net import connected
from tools.lab.process import die_with_parent
from tools.lab.scenario import Context, Scenario

PARTS = {"learn": False, "heldout": True}
"""The two halves that are put together at the end, and what `held_out` is in them."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be made."""

    scenario: Scenario
    number: int

    @property
    def name(self) -> str:
        return f"{self.scenario.name}-{self.number:04d}"


class Runner:
    """Makes runs into a folder.

    seed : with a scenario's name and a number, decides everything that is left to chance
    """

    def __init__(self, out: Path, seed: int, jobs: int, show: Any = print) -> None:
        self.out, self.seed, self.jobs, self._show = out, seed, jobs, show
        self.runs, self.failed = out / "runs", out / "failed"
        for folder in (self.runs, self.failed):
            folder.mkdir(parents=True, exist_ok=True)
        self._running: dict[int, tuple[Job, Path, float]] = {}

    def run(self, scenarios: list[Scenario], scale: float, quick: bool) -> Counter[str]:
        """Make the runs that are missing, then put them together; how many ended how."""
        todo = []
        for each in scenarios:
            count = 1 if quick else max(1, round(each.runs * scale))
            todo += [job for job in (Job(each, number) for number in range(count)) if not self._is_made(job)]
        Random(self.seed).shuffle(todo)  # what takes long should not come together
        total, started_s = len(todo), time.monotonic()
        counts: Counter[str] = Counter()
        try:
            while todo or self._running:
                while todo and len(self._running) < self.jobs:
                    self._start(todo.pop())
                for job, how in self._finished():
                    counts[how] += 1
                    done = sum(counts.values())
                    self._show(f"{done}/{total} {time.monotonic() - started_s:.0f} s  {job.name}: {how}")
                time.sleep(0.02)
        finally:
            for pid, (_, folder, _) in self._running.items():
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                shutil.rmtree(folder, ignore_errors=True)
        collect(self.out)
        return counts

    def _is_made(self, job: Job) -> bool:
        return (self.runs / f"{job.name}.json").exists()

    def _start(self, job: Job) -> None:
        folder = Path(tempfile.mkdtemp(prefix="lab-run-"))
        folder.chmod(0o755)  # servers that drop their privileges look into it
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            self._running[pid] = (job, folder, time.monotonic() + job.scenario.limit_s)
            return
        status = 1
        try:
            die_with_parent()
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # programs inherit it
            self._make(job, folder)
            status = 0
        except BaseException:  # into the log of the run, which the parent keeps
            (folder / "error.log").write_text(traceback.format_exc())
        finally:
            os._exit(status)

    def _finished(self) -> list[tuple[Job, str]]:
        """The runs that have ended since, those by force whose time is over among them."""
        ended = []
        for pid, (job, folder, until_s) in list(self._running.items()):
            if time.monotonic() > until_s:
                os.kill(pid, signal.SIGKILL)
                status = os.waitpid(pid, 0)[1]
                (folder / "error.log").write_text(f"ended by force after {job.scenario.limit_s:g} s\n")
            else:
                gone, status = os.waitpid(pid, os.WNOHANG)
                if not gone:
                    continue
            del self._running[pid]
            ended.append((job, self._keep(job, folder, status)))
            shutil.rmtree(folder, ignore_errors=True)
        return ended

    def _keep(self, job: Job, folder: Path, status: int) -> str:
        """Put what a run left where it belongs; how it went, in a few words."""
        log = self.failed / f"{job.name}.log"
        if status == 0:
            log.unlink(missing_ok=True)
            return str(json.loads((self.runs / f"{job.name}.json").read_text())["outcome"])
        with log.open("w") as file:
            for path in sorted(folder.glob("*/*.log")) + sorted(folder.glob("*.log")):
                file.write(f"==== {path.relative_to(folder)}\n{path.read_text(errors='replace')[-20000:]}\n")
        lines = log.read_text().strip().splitlines()
        return f"failed ({lines[-1][:160] if lines else 'no word'})"

    def _make(self, job: Job, folder: Path) -> None:
        """In the run's own process: set the scene, play, label."""
        rng = Random(f"{self.seed}:{job.name}")
        link = draw(rng)
        if job.scenario.link is not None:
            link = job.scenario.link(link)
        how: dict[str, Any] = {"scenario": job.scenario.name, "run": job.number, "seed": self.seed}
        try:
            with connected(link, rng, folder) as (client, server, capture):
                context = Context(rng, link, client, server, folder, held_out=link.held_out)
                job.scenario.run(context)
            addresses = {server.address4, server.address6}
            pairs = labels.assign(flows(capture.path), context.claims, addresses)
            if not pairs:
                raise UncertainError("no flow was labelled")
        except UncertainError as error:
            labels.write(self.runs / f"{job.name}.json", [{**how, "outcome": "dropped", "why": str(error)}])
            return
        lab = {**how, **context.facts, "link": link.facts(), "held_out": context.held_out}
        shutil.move(capture.path, self.runs / f"{job.name}.pcap")
        told = [labels.record(flow, claim, lab) for flow, claim in pairs]
        labels.write(self.runs / f"{job.name}.jsonl", told)
        labels.write(self.runs / f"{job.name}.json", [{**lab, "outcome": "made"}])


def collect(out: Path) -> None:
    """Put all runs of a folder together: learn.pcap and heldout.pcap with their labels, summary.json."""
    told = {path: json.loads(path.read_text()) for path in sorted((out / "runs").glob("*.json"))}
    for part, held_out in PARTS.items():
        made = [path for path, how in told.items() if how["outcome"] == "made"]
        mine = [path for path in made if told[path]["held_out"] == held_out]
        partial = out / f"{part}.pcap.part"
        merge((path.with_suffix(".pcap") for path in mine), partial)
        partial.replace(out / f"{part}.pcap")
        all_labels = [label for path in mine for label in labels.read(path.with_suffix(".jsonl"))]
        labels.write(out / f"{part}.jsonl", sorted(all_labels, key=lambda label: label["timestamp"]))
    outcomes: dict[str, Counter[str]] = {}
    for how in told.values():
        outcomes.setdefault(how["scenario"], Counter())[how["outcome"]] += 1
    summary = {"scenarios": outcomes, "failed": len(list((out / "failed").iterdir()))}
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
