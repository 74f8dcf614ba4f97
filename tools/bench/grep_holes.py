#!/usr/bin/env python3
"""Memory of flowgrep under a flood: `grep_holes.py [FLOWS] [--case NAME]` pipes holes.py's streams into
`flowgrep -r -`, each with bytes behind holes, and prints what it cost for each of CASES."""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from holes import PIECES, Flood

CASES = {
    "one literal, nowhere": ("-a", "needle"),
    "one literal, everywhere": ("-a", r"\x00{16}", "--count"),
    "every stream followed": ("-a", r"^\s*needle", "--count"),
    "all logged": ("-a", r"\x00{16}", "-l", "."),
    "none matches": ("-v", "-a", "needle", "--count"),
}
LIMIT_S = 120.0


def feed(pipe: int, flows: int) -> None:
    """Write the flood as a capture with times in nanoseconds."""
    with suppress(BrokenPipeError), open(pipe, "wb") as stream:
        stream.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for batch in Flood(flows):
            data = batch.data.tobytes()
            size = int(batch.caplen[0])
            for at, ts_ns in enumerate(batch.ts_ns.tolist()):
                header = struct.pack("<IIII", ts_ns // 10**9, ts_ns % 10**9, size, size)
                stream.write(header + data[at * size : (at + 1) * size])


@dataclass(frozen=True, slots=True)
class Run:
    """said : on standard error"""

    wall_s: float
    peak_mb: float
    status: int
    said: str

    def __str__(self) -> str:
        return f"{self.wall_s:6.1f} s {self.peak_mb:7.0f} MB  exit {self.status}  {self.said}"


def measure(flows: int, words: tuple[str, ...], folder: str) -> Run:
    """One run of flowgrep."""
    reading, writing = os.pipe()
    writer = threading.Thread(target=feed, args=(writing, flows))
    writer.start()
    began = time.monotonic()
    with (Path(folder) / "said").open("wb+") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "fl0p_py.cli.flowgrep", "-r", "-", *words],
            stdin=reading, stdout=subprocess.DEVNULL, stderr=said, cwd=folder,
        )  # fmt: skip
        os.close(reading)
        timer = threading.Timer(LIMIT_S, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words_said = said.read().decode(errors="replace").strip()
    writer.join()
    wall = time.monotonic() - began
    return Run(wall, usage.ru_maxrss / 1024, child.returncode, words_said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("flows", nargs="?", type=int, default=200_000)
    parser.add_argument("--case", choices=CASES, action="append")
    options = parser.parse_args()
    print(f"{options.flows:,} flows, {options.flows * PIECES:,} segments behind holes", flush=True)
    for name in options.case or CASES:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name:24} {measure(options.flows, CASES[name], folder)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
