"""What of the shipped set can be recognised inside of a port that SSH forwards?

    python -m tools.inside_ssh LAB [LAB ...]

Every signature whose pattern allows it is looked for inside of SSH, whether it is marked so or not, in the
flows to learn from of folders that `tools.lab run` wrote.  Printed is how many flows with each tunnel it
names; `-` are those without any, which it should leave alone.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

from fl0p_py.signature.channel import SSH, unfit
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.text import source_paths
from tools.accuracy import labelled_flows

NONE = "-"


def candidates() -> SignatureSet:
    """The shipped signatures that can be looked for inside of SSH, all of them marked so."""
    shipped = load(source_paths()).signatures
    return SignatureSet(tuple(replace(one, inside=(SSH,)) for one in shipped if not unfit(one.pattern)))


def count(folders: list[Path]) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Flows by tunnel; of these, those that each signature names, by its id."""
    signatures = candidates()
    flows: Counter[str] = Counter()
    named: dict[str, Counter[str]] = defaultdict(Counter)
    for labels in sorted(path for folder in folders for path in folder.rglob("learn.jsonl")):
        for label, flow in labelled_flows(labels, signatures):
            if flow is None:
                continue
            tunnel = label["facets"].get("tunnel", NONE)
            flows[tunnel] += 1
            for id in {one.id for one in flow.identifications if one.via == SSH}:
                named[id][tunnel] += 1
    return flows, named


def table(flows: Counter[str], named: dict[str, Counter[str]]) -> str:
    tunnels = sorted(tunnel for tunnel in flows if tunnel == NONE or tunnel.endswith(f"-in-{SSH}"))
    lines = [["signature", *tunnels], ["---", *["--:"] * len(tunnels)]]
    lines += [["all flows", *[f"{flows[tunnel]:,}" for tunnel in tunnels]]]
    lines += [
        [f"`{id}`", *[str(named[id][tunnel] or "") for tunnel in tunnels]]
        for id in sorted(named, key=lambda id: (named[id][NONE], id))
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="What can be recognised inside of SSH?")
    parser.add_argument("lab", type=Path, nargs="+", help="folders of the lab's runs")
    print(table(*count(parser.parse_args().lab)))


if __name__ == "__main__":
    main()
