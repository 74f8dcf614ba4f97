"""Measures what rules cost: fl0p with so many rules on a capture, and without, by turns.

    python -m tools.bench.rules CAPTURE [--rules N] [--rounds N] [--out docs/BENCHMARKS.md]

Each rule has a content of its own, of 8 to 16 letters, digits and signs, the same ones in every run.  Prints
the medians, and the median of the rounds' ratios; only ratios of one run mean anything.
"""

from __future__ import annotations

import argparse
import random
import statistics
import string
import sys
import tempfile
from pathlib import Path

from tools.bench import report
from tools.bench.measure import Cost, run

LETTERS = string.ascii_letters + string.digits + "-_/"
LIMIT_S = 600


def rules(count: int) -> str:
    """So many rules with distinct contents."""
    chosen = random.Random(count)
    contents: dict[str, None] = {}
    while len(contents) < count:
        contents["".join(chosen.choices(LETTERS, k=chosen.randint(8, 16)))] = None
    head = "alert tcp any any -> any any"
    return "".join(f'{head} (msg:"{n}"; content:"{c}"; sid:{n};)\n' for n, c in enumerate(contents, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("capture", type=Path)
    parser.add_argument("--rules", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="page to put the table into")
    options = parser.parse_args()
    kinds = ("none", f"{options.rules:,}")
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "bench.rules").write_text(rules(options.rules))
        plain = [sys.executable, "-m", "fl0p_py.cli.fl0p", "-q", "-l", "-s", str(options.capture.resolve())]
        commands = dict(zip(kinds, (plain, [*plain, "--rules", "bench.rules"]), strict=True))
        for turn in range(options.rounds + 1):
            for kind, command in commands.items():
                cost = run(command, work=work, limit_s=LIMIT_S, environment={"PYTHONPATH": str(Path.cwd())})
                if cost.failure:
                    raise SystemExit(f"{kind}: {cost.failure}")
                if turn:  # the first warms up
                    costs[kind].append(cost)
    text = _table(costs)
    print(text)
    if options.out is not None:
        report.put(options.out, "rules", text)


def _table(costs: dict[str, list[Cost]]) -> str:
    without, with_rules = costs.values()
    ratios = [b.wall_s / a.wall_s for a, b in zip(without, with_rules, strict=True)]
    cpu = [(b.user_s + b.sys_s) / (a.user_s + a.sys_s) for a, b in zip(without, with_rules, strict=True)]
    rows = [
        (
            kind,
            f"{statistics.median(one.wall_s for one in some):.2f}",
            f"{statistics.median(one.user_s + one.sys_s for one in some):.2f}",
            f"{max(one.peak_mb for one in some):.0f}",
        )
        for kind, some in costs.items()
    ]
    said = (
        f"**With rules to without: {statistics.median(ratios):.2f}** of wall time (median of {len(ratios)}"
        f" rounds in turn, {min(ratios):.2f} to {max(ratios):.2f}; wanted: at most 2.5),"
        f" {statistics.median(cpu):.2f} of processor time."
    )
    return f"## Rules\n\n{report.table(('rules', 'wall s', 'CPU s', 'peak MB'), rows)}\n\n{said}"


if __name__ == "__main__":
    main()
