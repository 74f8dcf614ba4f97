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
    parser.add_argument("out", type=Path)
    parser.add_argument("captures", type=Path, nargs="*")
    parser.add_argument("--flows", type=int, default=FLOWS)
    parser.add_argument("--packets", type=int, help="default: 19.57 a flow")
    parser.add_argument("--bytes", type=int, help="default: 355.6 a packet, record header included")
    parser.add_argument("--duration", type=float, default=DURATION_S, help="seconds over which flows start")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hostile", action="store_true", help="random sizes, made to hurt the matcher")
    parser.add_argument("--signatures", type=Path, help="with --hostile: half of the flows walk along these")
    options = parser.parse_args()

    began = time.monotonic()
    packets = options.packets or round(options.flows * PACKETS_A_FLOW)
    size = options.bytes or round(packets * BYTES_A_PACKET)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.hostile:
        packets, size = hostile.write(
            options.out, options.flows, packets, options.duration, options.signatures, options.seed
        )
        source = "random sizes"
    else:
        if options.captures:
            found = template.from_captures(options.captures)
        else:
            found = synthetic.templates(options.seed)
        if not found:
            print("trace: no TCP, UDP or ICMP echo flow in the captures", file=sys.stderr)
            return 1
        copies = replicate.choose(found, options.flows, packets, size)
        packets, size = replicate.write(options.out, found, copies, options.duration, options.seed)
        source = f"{(copies > 0).sum()} flows of " + ("captures" if options.captures else "invented traffic")
    print(
        f"{options.out}: {packets:,} packets, {options.flows:,} flows, {size / 1e9:.2f} GB"
        f" from {source} in {time.monotonic() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
