"""Measures what rules cost: fl0p with so many rules on a capture, and without, by turns.

    python -m tools.bench.rules CAPTURE [RULES] [ROUNDS]

Each rule has a content of its own, of 8 to 16 letters, digits and signs, the same ones in every run.  Prints
the medians and their ratio, of wall time and of processor time; only ratios of one run mean anything.
"""

from __future__ import annotations

import random
import statistics
import string
import sys
import tempfile
from pathlib import Path

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


def main(capture: str, count: int = 1000, rounds: int = 3) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "bench.rules").write_text(rules(count))
        plain = [sys.executable, "-m", "fl0p_py.cli.fl0p", "-q", "-l", "-s", capture]
        kinds = {"without": plain, f"{count} rules": [*plain, "--rules", "bench.rules"]}
        environment = {"PYTHONPATH": str(Path.cwd())}
        costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, command in kinds.items():
                cost = run(command, work=work, limit_s=LIMIT_S, environment=environment)
                if cost.failure:
                    raise SystemExit(f"{kind}: {cost.failure}")
                costs[kind].append(cost)
    walls = [statistics.median(cost.wall_s for cost in some) for some in costs.values()]
    processor = [statistics.median(cost.user_s + cost.sys_s for cost in some) for some in costs.values()]
    for kind, wall_s, cpu_s in zip(costs, walls, processor, strict=True):
        print(f"{kind:>12}  {wall_s:6.2f} s wall  {cpu_s:6.2f} s processor")
    print(f"{'ratio':>12}  {walls[1] / walls[0]:6.2f}         {processor[1] / processor[0]:6.2f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:4]))
