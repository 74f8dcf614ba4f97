#!/usr/bin/env python3
"""Fuzzes fl0p: `run.py [CAPTURE|FOLDER ...]`, for FL0P_FUZZ_SECONDS (600) seconds.

Builds the checked kernels (build.sh), then keeps a worker process running; when an input kills it, makes it
hang or raises what must not be raised, the input is saved in build/fuzz/failures with the reason, and a new
worker goes on after it.  Exit status 1 if there was any.  A failure that has been fixed belongs, made small,
into tests/regressions (see its README).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FAILURES = ROOT / "build/fuzz/failures"
SHARED = ROOT.parent / "shared/pcaps"
SILENCE_S = 120.0  # a worker that says nothing for so long is stuck where even faulthandler cannot run
MOST_FAILURES = 20


def environment() -> dict[str, str]:
    """Build, and the variables under which the build runs."""
    built = subprocess.run([HERE / "build.sh", sys.executable], check=True, capture_output=True, text=True)
    pairs = (line.split("=", 1) for line in built.stdout.splitlines())
    return {**os.environ, **dict(pairs)}


def captures(given: list[str]) -> list[str]:
    """The seeds: what was given, else ../shared/pcaps when it is there, else the captures of the tests."""
    folders = [Path(name) for name in given] or [SHARED if SHARED.is_dir() else ROOT / "tests/data"]
    found: list[str] = []
    for path in folders:
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [str(file) for file in files if "cap" in file.suffix]
    return found


def save(work: Path, seed: int, number: int, reason: str) -> Path:
    """Keep the input that did it; the same reason is kept once."""
    FAILURES.mkdir(parents=True, exist_ok=True)
    mark = hashlib.sha256("".join(c for c in reason if not c.isdigit()).encode()).hexdigest()[:10]
    target = FAILURES / mark
    for suffix in (".pcap", ".fp", ".args"):
        if (work / f"input{suffix}").exists():
            shutil.copy(work / f"input{suffix}", target.with_suffix(suffix))
    target.with_suffix(".txt").write_text(f"seed {seed}, input {number}\n{reason}\n", encoding="utf-8")
    return target


def follow(worker: subprocess.Popen[bytes], work: Path) -> str:
    """Wait for the worker's end; why it ended, empty if it was its time."""
    last, since = "", time.monotonic()
    while worker.poll() is None:
        time.sleep(0.2)
        now = done(work)
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > SILENCE_S:
            worker.kill()
            worker.wait()
            return f"hang: nothing for {SILENCE_S:.0f} s"
    if worker.returncode == 0:
        return ""
    said = (work / "stderr").read_text(encoding="utf-8", errors="replace")
    kind = "hang" if "Timeout" in said else "crash"
    return f"{kind}: worker ended with {worker.returncode}\n{said[-20000:]}"


def done(work: Path) -> str:
    progress = work / "progress"
    return progress.read_text() if progress.exists() else ""


def main() -> int:
    seconds = float(os.environ.get("FL0P_FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("FL0P_FUZZ_SEED", str(time.time_ns() % 1_000_000)))
    seeds, variables = captures(sys.argv[1:]), environment()
    checked = "bounds checked" + (", under sanitizers" if "LD_PRELOAD" in variables else "")
    print(f"fuzz: {len(seeds)} captures, seed {seed}, {seconds:.0f} s, {checked}", flush=True)
    inputs, ended, reasons = 0, [0, 0, 0], [""]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        while (left := began + seconds - time.monotonic()) > 0 and len(reasons) <= MOST_FAILURES:
            (work / "progress").unlink(missing_ok=True)
            worker_file = str(HERE / "worker.py")
            command = [sys.executable, worker_file, folder, str(seed), str(inputs), str(left), *seeds]
            with (work / "stderr").open("wb") as stream:
                worker = subprocess.Popen(command, env=variables, stderr=stream, stdin=subprocess.DEVNULL)
                reason = follow(worker, work)
            counts = [int(word) for word in done(work).split()] or [0, 0, 0]
            ended = [a + b for a, b in zip(ended, counts, strict=True)]
            inputs += sum(counts)
            if reason:
                reasons.append(reason)
                saved = save(work, seed, inputs, reason)
                print(f"fuzz: input {inputs}: {reason.splitlines()[0]}: {saved}.*", flush=True)
                inputs += 1
    took = time.monotonic() - began
    hangs = sum(reason.startswith("hang") for reason in reasons)
    crashes = len(reasons) - 1 - hangs
    print(f"fuzz: {ended[0]} read to the end, {ended[1]} damaged, {ended[2]} with refused signatures")
    print(f"fuzz: {inputs} inputs, {inputs / took:.1f} a second, {crashes} crashes, {hangs} hangs")
    return 1 if len(reasons) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
