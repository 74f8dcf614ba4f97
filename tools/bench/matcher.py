#!/usr/bin/env python3
"""What the matcher's kernel costs: `matcher.py [CAPTURE|FOLDER ...]` prints ns a token.

Token events of many flows at a time, made from the captures' sequences (invented ones without captures), go
straight to the kernel, without packets.  Three kinds of traffic: the sequences as they are; with every size
moved a little; random sizes.  Four sets of signatures: 10 to 10,000 lines of `signatures.py`, each the
beginning of the next.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import signatures
import synthetic
import template
from fl0p_py.signature.fp_file import read_lines
from fl0p_py.signature.matcher import EVENT_DTYPE, ROW_DTYPE, Matcher
from fl0p_py.signature.pattern import SignatureSet

COUNTS = (10, 100, 1000, 10000)
DEPTH = 64
TOKEN, FINISH = 0, 2
MS = 1_000_000
START_NS = 10**18
AT_A_TIME_NS = 60 * 10**9
"""Flows begin within this time, so that nearly all are there at once."""

Array = NDArray[Any]


def traffic(flows: list[template.Template], tokens: int, kind: str, seed: int) -> tuple[Array, Array]:
    """(TokenEvents in order of time, FlowRows)."""
    draw = random.Random(seed)
    usable = [flow for flow in flows if flow.proto in signatures.NAMES]
    rows: list[tuple[int, int]] = []
    events: list[tuple[int, int, int, int, int, int]] = []
    while len(events) < tokens:
        flow = draw.choice(usable)
        row, now = len(rows), START_NS + draw.randrange(AT_A_TIME_NS)
        rows.append((flow.proto, flow.sport))
        sequence = flow.sequence(DEPTH)
        for number, (gap_ms, token) in enumerate(sequence, 1):
            size = int(token[1:])
            if kind == "random":
                size = draw.randint(1, 600)
            elif kind == "varied":
                size = max(1, size + draw.randint(-3, 3))
            sign = draw.choice((1, -1)) if kind == "random" else 1 if token[0] == "c" else -1
            now += gap_ms * MS
            events.append((now, gap_ms * MS if number > 1 else -1, row, number, size * sign, TOKEN))
        events.append((now, -1, row, len(sequence), 0, FINISH))
    columns = np.array(events, np.int64)
    columns = columns[np.lexsort((columns[:, 5], columns[:, 3], columns[:, 0]))]
    made = np.zeros(len(columns), EVENT_DTYPE)
    made["ts_ns"] = made["arrival_ns"] = columns[:, 0]
    for name, column in (("gap_ns", 1), ("flow", 2), ("number", 3), ("size", 4), ("kind", 5)):
        made[name] = columns[:, column]
    table = np.zeros(len(rows), ROW_DTYPE)
    table["proto"], table["sport"] = np.array(rows).T
    table["flags"] = 2
    return made, table


def measure(
    chosen: SignatureSet, events: Array, rows: Array, fuzzy: bool
) -> tuple[float, int, dict[str, int]]:
    """Best of three: ns a token; identifications; what was dropped at a bound."""
    tokens = int(np.count_nonzero(events["kind"] == TOKEN))
    best, identified = float("inf"), 0
    for _ in range(3):
        matcher = Matcher(chosen, fuzzy=fuzzy, capacity=len(rows))
        matcher.feed(events, rows)
        identified = 0
        begin = time.process_time_ns()
        more = True
        while more:
            more = matcher.run()
            identified += len(matcher.results)
        best = min(best, time.process_time_ns() - begin)
    return best / tokens, identified - len(rows), matcher.overflow


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("captures", type=Path, nargs="*")
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--exact", action="store_true", help="no fuzzy matching")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    flows = (
        template.from_captures(options.captures) if options.captures else synthetic.templates(options.seed)
    )
    lines = signatures.make(flows, COUNTS[-1], options.seed)
    sets = {}
    for count in COUNTS:
        read = read_lines("\n".join(lines[:count]).encode(), "bench")
        sets[count] = SignatureSet(tuple(read.signatures))
        begin = time.perf_counter()
        Matcher(sets[count], fuzzy=not options.exact, capacity=1)
        print(f"{count:6} signatures compiled in {(time.perf_counter() - begin) * 1e3:.0f} ms")
    for kind in ("real", "varied", "random"):
        events, rows = traffic(flows, options.tokens, kind, options.seed)
        for count, chosen in sets.items():
            cost, identified, dropped = measure(chosen, events, rows, not options.exact)
            print(f"{kind:8} {count:6} signatures {cost:7.1f} ns a token, {identified} identified, {dropped}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
