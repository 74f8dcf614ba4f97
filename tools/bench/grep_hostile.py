#!/usr/bin/env python3
"""Patterns and payload that make a search slow: `grep_hostile.py [--megabytes N]`.

Each of PATTERNS, expressions that backtrack without end or that follow every stream, and each of DISTANCES
is searched by `flowgrep -r` in each of PAYLOADS, made to cost as much as they can: in full segments, in
segments of a byte, in datagrams, and in many short streams.  Prints the processor time of each run, and a
table with what fl0p_py/grep/allowance.py promises; exit status 1 if any takes longer than that, and a second
for the rest of the program.
"""

from __future__ import annotations

import argparse
import random
import resource
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fl0p_py.grep.allowance import EACH_S, MOST_S, WORTH_S

sys.path.insert(0, str(Path(__file__).resolve().parent))

import report

ROOT = Path(__file__).resolve().parents[2]

PATTERNS = (
    r"(a+)+$", r"(a|aa)+$", r"(a*)*b(?=x)", r"(?:(a)|b)*\1c", r"((a{1,9}){1,9}){1,9}b", r"(a|a)*(?<=b)c",
    r"(.*a){20}(?!a)b", r"(?s)(.*)(.*)\1\2x", r"(a?){60}a{60}(?=b)", r"(\w+\s?)+(?=!)",
    r"^(([a-z])+.)+[A-Z]$", r"(x+x+)+y", r"([a-zA-Z]+)+(?=\d)", r"(?s)a.*a.*a.*a.*a.*(?=b)b",
    r"(a+)+\1\1b", r"^\s*(a+)*b", r"(?s)ab.*?c$",
    r"(?s)(?=.*a)(?=.*b)(?=.*c).{1,60000}d", r"(?:a{0,200}){0,200}b", r"(?i)(?:k|k|a)*(?>a*)z",
)  # fmt: skip

DISTANCES = (
    ("-e", "a" * 256, "-D", "85"),
    ("-e", "ab" * 128, "-E", "damerau", "-D", "40"),
    ("-e", "abc" * 85, "-E", "jaccard", "-D", "1"),
)

ETHER = bytes(12) + b"\x08\x00"
WHOLE, LARGEST = 1400, 65507

REST_S = 1.0
"""For the start of the program, and for all that is no looking for patterns."""


def ip(protocol: int, data: bytes, client: int) -> bytes:
    head = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(data), 0, 0, 64, protocol, 0, client, 0xC0000201)
    return ETHER + head + data


def segments(payload: bytes, size: int, flow: int = 0) -> Iterator[bytes]:
    """A stream of it, to its end."""
    client, sequence = 0x0A000000 + flow, 1
    for flags, data in (
        [(0x02, b"")] + [(0x10, payload[i : i + size]) for i in range(0, len(payload), size)] + [(0x11, b"")]
    ):
        number = 0 if flags == 0x02 else sequence
        yield ip(6, struct.pack(">HHIIBBHHH", 40000, 80, number, 1, 0x50, flags, 65535, 0, 0) + data, client)
        sequence += len(data)


def datagrams(payload: bytes, size: int) -> Iterator[bytes]:
    for i in range(0, len(payload), size):
        data = payload[i : i + size]
        yield ip(17, struct.pack(">HHHH", 40000, 53, 8 + len(data), 0) + data, 0x0A000000)


def short_streams(payload: bytes, size: int) -> Iterator[bytes]:
    for i in range(0, len(payload), size):
        yield from segments(payload[i : i + size], size, i // size)


PAYLOADS: dict[str, tuple[bytes, Callable[[bytes, int], Iterator[bytes]], int, int]] = {
    "a, full segments": (b"a", segments, WHOLE, 1),
    "a, bytes": (b"a", segments, 1, 40),
    "a, large datagrams": (b"a", datagrams, LARGEST, 1),
    "a, small datagrams": (b"a", datagrams, 60, 10),
    "ab, short streams": (b"ab", short_streams, 600, 4),
    "words, full segments": (b"aa aaaa xx aaaaaaa ab ", segments, WHOLE, 1),
    "mixed, large datagrams": (b"aaaabaaaaaaaacaaaaaaaaaaaaaaaa\n", datagrams, LARGEST, 1),
}
"""Name: what is repeated, as what it is sent, in pieces of how many bytes, and how many times less of it."""


def write(path: Path, name: str, size: int) -> tuple[int, int]:
    """A capture; its packets, and its bytes of payload."""
    unit, shape, piece, less = PAYLOADS[name]
    payload = (unit * (size // less // len(unit) + 1))[: size // less]
    count = 0
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1))
        for count, frame in enumerate(shape(payload, piece), 1):
            ts_ns = count * 10_000
            file.write(struct.pack("<IIII", ts_ns // 10**9, ts_ns % 10**9, len(frame), len(frame)) + frame)
    return count, len(payload)


def cost(path: Path, words: tuple[str, ...], limit_s: float) -> float:
    """Processor time of one run; it is killed after so much time.

    Not by a limit on its processor time, with which the clock of `regex` would go in steps of 4 ms.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "fl0p_py.cli.flowgrep", "-r", str(path), "--count", *words]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=limit_s)
    except subprocess.TimeoutExpired:
        print(f"{words}: not done after {limit_s} s", file=sys.stderr)
        return limit_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode not in (0, 1):
        print(f"{words}: exit status {done.returncode}: {done.stderr.decode()[-300:]}", file=sys.stderr)
        return max(took_s, limit_s)
    return took_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=2.0, help="payload of a run, at most")
    parser.add_argument("--out", type=Path, help="the page that gets the table: docs/BENCHMARKS.md")
    options = parser.parse_args()
    searches = [("-a", pattern) for pattern in PATTERNS] + list(DISTANCES)
    searches.append(tuple(word for pattern in PATTERNS for word in ("-a", pattern)))
    rows: list[tuple[str, ...]] = []
    broken = False
    with tempfile.TemporaryDirectory() as folder:
        for name in random.Random(1).sample(sorted(PAYLOADS), len(PAYLOADS)):
            capture = Path(folder) / "hostile.pcap"
            packets, size = write(capture, name, int(options.megabytes * 1e6))
            promised_s = MOST_S + capture.stat().st_size * (WORTH_S + EACH_S)
            costs = []
            for words in searches:
                costs.append(cost(capture, words, 20 * promised_s))
                print(f"{name:24} {costs[-1]:7.2f} s  {' '.join(words)[:60]}", flush=True)
            slowest = searches[costs.index(max(costs[:-1]))]
            broken = broken or max(costs) > promised_s + REST_S
            each, together = costs[:-1], costs[-1]
            times = [f"{time_s:.2f}" for time_s in (sorted(costs)[len(costs) // 2], max(each))]
            last = [f"{time_s:.2f}" for time_s in (together, promised_s)]
            shown = " ".join(slowest)[:36].replace("|", "\\|")
            rows.append((name, f"{packets:,}", f"{size:,}", *times, f"`{shown}`", *last))
    head = ("payload", "packets", "bytes", "median s", "slowest s", "which", "all 20 at once: s")
    head += ("promised: s",)
    table = report.table(head, rows)
    print(table)
    if options.out is not None:
        said = (
            "## Hostile patterns and payload\n\n`tools/bench/grep_hostile.py`: CPU time of flowgrep"
            f" with each of {len(PATTERNS)} expressions that backtrack and {len(DISTANCES)} distances,"
            f" and with all expressions together, over {len(PAYLOADS)} captures made for them.\n\n{table}"
        )
        report.put(options.out, "grep-hostile", said)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
