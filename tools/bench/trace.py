#!/usr/bin/env python3
"""Makes the benchmark's trace: `trace.py OUT [CAPTURE|FOLDER ...]`; synthetic without captures.

The same arguments give the same bytes.  Without size options it has about 4.5 million packets in 230,000
flows and 1.6 GB.  `--hostile` makes random sizes (and walks along `--signatures`) instead of real traffic.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import BinaryIO

import hostile
import replicate
import synthetic
import template

FLOWS = 230_000
PACKETS_A_FLOW = 19.57
BYTES_A_PACKET = 355.6
DURATION_S = 300.0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", help="file, or - for a pipe on standard output")
    parser.add_argument("captures", type=Path, nargs="*")
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--packets", type=int, help="default: 19.57 a flow")
    parser.add_argument("--bytes", type=int, help="default: 355.6 a packet, record header included")
    parser.add_argument("--duration", type=float, default=DURATION_S, help="seconds over which flows start")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--open", action="store_true", help="no flow ends: leave out FIN and RST")
    parser.add_argument("--hostile", action="store_true", help="random sizes, made to hurt the matcher")
    parser.add_argument("--largest", type=int, default=599, help="with --hostile: largest size")
    parser.add_argument("--signatures", type=Path, help="with --hostile: half of the flows walk along these")
    options = parser.parse_intermixed_args()

    began = time.monotonic()
    try:
        with sys.stdout.buffer if options.out == "-" else Path(options.out).open("wb") as stream:
            said = make(stream, options)
    except BrokenPipeError:
        return 1
    print(f"{options.out}: {said} in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


def make(stream: BinaryIO, options: argparse.Namespace) -> str:
    """Write the trace; what it is, in words."""
    packets = options.packets or round(options.flows * PACKETS_A_FLOW)
    if options.hostile:
        packets, size = hostile.write(
            stream,
            options.flows,
            packets,
            options.duration,
            options.seed,
            options.largest,
            options.signatures,
        )
        source = "random sizes"
    else:
        if options.captures:
            found = template.from_captures(options.captures)
        else:
            found = synthetic.templates(options.seed)
        if options.open:
            found = [flow for flow in (flow.left_open() for flow in found) if flow.packets]
        if not found:
            sys.exit("trace: no TCP, UDP or ICMP echo flow in the captures")
        size = options.bytes or round(packets * BYTES_A_PACKET)
        copies = replicate.choose(found, options.flows, packets, size)
        packets, size = replicate.write(stream, found, copies, options.duration, options.seed)
        source = f"{(copies > 0).sum()} flows of " + ("captures" if options.captures else "invented traffic")
    return f"{packets:,} packets, {options.flows:,} flows, {size / 1e9:.2f} GB from {source}"


if __name__ == "__main__":
    sys.exit(main())
