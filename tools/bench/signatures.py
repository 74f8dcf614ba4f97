#!/usr/bin/env python3
"""Makes a signature file for the benchmark: `signatures.py OUT COUNT [CAPTURE|FOLDER ...]`.

Half of the signatures are pieces of the sequences of the captures' flows (of invented flows without
captures): beginnings and middles of 3 to 10 items, one in five as it is, the others with every size moved a
little, so that they nearly match; some sizes are widened to ranges.  The other half is random.  So a larger
set is not merely longer: most tokens of the trace look like a part of several signatures.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import synthetic
import template

THRESHOLD_MS = 400
NAMES = {template.TCP: "tcp", template.UDP: "udp"}


def piece(flow: template.Template, draw: random.Random) -> str:
    """A signature without its description, made from a part of the flow's sequence."""
    sequence = flow.sequence(24)
    length = min(len(sequence), draw.randint(3, 10))
    at = 0 if draw.random() < 0.7 else draw.randint(0, len(sequence) - length)
    as_it_is = draw.random() < 0.2
    items: list[str] = []
    for number, (gap_ms, token) in enumerate(sequence[at : at + length]):
        if gap_ms >= THRESHOLD_MS and number:
            items.append("+")
        items.append(token if as_it_is else moved(token, draw))
    return line(NAMES[flow.proto], str(flow.sport), at == 0, items)


def moved(token: str, draw: random.Random) -> str:
    """The token with another size near its own, sometimes as a range."""
    size = int(token[1:])
    size = max(1, size + draw.randint(-1, 1) * draw.randint(0, 3 + size // 8))
    return f"{token[0]}{size}-{size + draw.randint(1, 40)}" if draw.random() < 0.2 else f"{token[0]}{size}"


def invented(draw: random.Random) -> str:
    """A signature of random sizes, small ones more often, as in real sets."""
    items: list[str] = []
    for _ in range(draw.randint(3, 10)):
        if items and draw.random() < 0.15:
            items.append("+")
        items.append(draw.choice("cs") + str(min(1460, 1 + int(draw.lognormvariate(4.5, 1.2)))))
    port = draw.choice(("22", "25", "80", "443", "*"))
    return line("tcp", port, draw.random() < 0.7, items)


def line(proto: str, port: str, start: bool, items: list[str]) -> str:
    return f"{proto} {port} {'< ' if start else ''}{' '.join(items)}"


def make(flows: list[template.Template], count: int, seed: int) -> list[str]:
    """`count` different lines of a signature file."""
    draw = random.Random(seed)
    usable = [flow for flow in flows if flow.proto in NAMES and flow.sport and len(flow.sequence(24)) >= 3]
    made: dict[str, None] = {}
    while len(made) < count:
        made[piece(draw.choice(usable), draw) if len(made) % 2 == 0 else invented(draw)] = None
    return [f"{text} : bench {number}" for number, text in enumerate(made)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("captures", type=Path, nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_intermixed_args()
    if options.captures:
        flows = template.from_captures(options.captures)
    else:
        flows = synthetic.templates(options.seed)
    text = "\n".join(make(flows, options.count, options.seed)) + "\n"
    options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
