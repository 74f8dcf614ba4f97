"""Measures the shipped signatures on the lab's flows and on public captures, and writes docs/ACCURACY.md.

    python -m tools.accuracy LAB                       print the page
    python -m tools.accuracy LAB --document            write it to docs/ACCURACY.md
    python -m tools.accuracy LAB --captures CAPTURES   also of a folder as tools/judge.py has it

LAB is a folder that `tools.lab run` wrote, or one that holds several of them.  Flows go through the engine as
with `fl0p -v`, one by one, and what it says of them in the end is compared with the labels by the functions
that `fl0p-learn evaluate` has.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from fl0p_py.errors import CaptureError
from fl0p_py.learn.evaluation import FacetScore, score_of
from fl0p_py.learn.score import Share
from fl0p_py.library import Flow, read_flows
from fl0p_py.settings import EngineOptions
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import FACETS, SignatureSet
from fl0p_py.signature.text import source_paths
from tools.accuracy_page import page
from tools.judge import flows_of, judge, read_opinions, unexplained

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "ACCURACY.md"
PARTS = ("heldout", "learn")
ATTEMPTS = "attempts"
SEED = 0

Key = tuple[str, str, int, str, int]


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled flow.  true, said : values by facet, attempts as text and none for 0; lab : circumstances"""

    true: dict[str, str]
    said: dict[str, str | None]
    lab: dict[str, Any]
    run: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """One part of the lab.  missing : labels whose flow is not in the captures"""

    cases: list[Case]
    missing: int

    def score(self, facet: str, class_: str | None = None, *, known: bool = True) -> FacetScore:
        """Of the flows of a class (None: all), those whose label speaks of the facet, or all of them."""
        cases = [
            case
            for case in self.cases
            if class_ in (None, case.true.get("class")) and (not known or facet in case.true)
        ]
        return score(facet, cases)

    def false(self) -> tuple[Share, Counter[tuple[str, str]]]:
        """Ordinary flows, none of them a tunnel, that were taken for another service: (true, said)."""
        ordinary = [case for case in self.cases if "tunnel" not in case.true]
        wrong = Counter(
            (case.true["class"], said)
            for case in ordinary
            if (said := case.said["class"]) is not None and said != case.true["class"]
        )
        return Share(wrong.total(), len(ordinary)), wrong

    def obscured(self) -> tuple[int, int]:
        """Shells by hand with ObscureKeystrokeTiming (OpenSSH 9.5 on) that were called bots; all such."""
        said = [
            case.said["actor"]
            for case in self.cases
            if case.true.get("actor") == "human" and case.lab.get("obscured")
        ]
        return said.count("bot"), len(said)

    def groups(self, *names: str) -> dict[tuple[str, ...], tuple[Share, Share]]:
        """Shares of SSH flows whose outcome, and whose attempts, are right; by what their labels name."""
        found: dict[tuple[str, ...], list[Case]] = defaultdict(list)
        for case in self.cases:
            if case.true.get("class") == "ssh" and "outcome" in case.true:
                found[tuple(str(circumstance(case.lab, name)) for name in names)].append(case)
        return {
            group: (score("outcome", cases).right, score(ATTEMPTS, cases).right)
            for group, cases in sorted(found.items())
        }


@dataclass(frozen=True, slots=True)
class Public:
    """Flows of the public captures: all, those that a signature named, those named otherwise than by
    ndpiReader and without an explanation, those that are said to be a tunnel."""

    captures: int
    flows: int
    named: int
    unexplained: int
    tunnels: int


def circumstance(lab: dict[str, Any], name: str) -> object:
    """`server` and `client` with what they are; else a yes or no about the link."""
    if name in ("server", "client"):
        end = lab.get(name) or {}
        return f"{end.get('software', '?')} {end.get('version', '')}".strip()
    link = lab.get("link") or {}
    tests = {
        "loss": link.get("loss", 0) >= 0.005,
        "reordering": link.get("reorder", 0) > 0,
        "offloading": bool(link.get("offload")),
        "round trip over 60 ms": link.get("rtt_ms", 0) > 60,
        "compression": bool(lab.get("compression")),
    }
    return tests[name]


def score(facet: str, cases: Sequence[Case]) -> FacetScore:
    truth = [case.true.get(facet) for case in cases]
    said = [case.said[facet] for case in cases]
    runs = {run: number for number, run in enumerate(dict.fromkeys(case.run for case in cases))}
    source = np.array([runs[case.run] for case in cases], np.int64)
    return score_of(facet, [_some(value) for value in truth], said, source, SEED)


def _some(attempts: str | None) -> str | None:
    """No attempts are said as none at all."""
    return None if attempts == "0" else attempts


def measure(folder: Path, part: str, signatures: SignatureSet) -> Measured:
    """All labelled flows of one part of the lab's runs in the folder; raises CaptureError."""
    cases: list[Case] = []
    missing = 0
    for labels in sorted(folder.rglob(f"{part}.jsonl")):
        for label, found in labelled_flows(labels, signatures):
            if found is None:
                missing += 1
            else:
                cases.append(_case(labels, label, found))
    return Measured(cases, missing)


def labelled_flows(labels: Path, signatures: SignatureSet) -> Iterator[tuple[dict[str, Any], Flow | None]]:
    """Each label of a file with its flow in the capture beside it, if that is there; raises CaptureError."""
    flows: dict[Key, list[Flow]] = defaultdict(list)
    for flow in read_flows(
        labels.with_suffix(".pcap"), signatures=signatures, options=EngineOptions(vlan=True)
    ):
        flows[_key(flow)].append(flow)
    for label in map(orjson.loads, labels.read_bytes().splitlines()):
        yield label, _flow_of(label, flows)


def _key(flow: Flow) -> Key:
    ports = (0, 0) if flow.proto == "icmp" else (flow.client_port, flow.server_port)
    return (flow.proto, *min(_ends(str(flow.client), str(flow.server), ports)))


def _ends(one: str, other: str, ports: tuple[int, int]) -> Iterator[tuple[str, int, str, int]]:
    yield one, ports[0], other, ports[1]
    yield other, ports[1], one, ports[0]


def _flow_of(label: dict[str, Any], flows: dict[Key, list[Flow]]) -> Flow | None:
    """The flow that began when the label says."""
    proto = label["proto"].lower().removeprefix("ipv6-").replace("icmpv6", "icmp")
    ports = (label.get("src_port", 0), label.get("dest_port", 0)) if proto != "icmp" else (0, 0)
    key = (proto, *min(_ends(label["src_ip"], label["dest_ip"], ports)))
    start = datetime.fromisoformat(label["timestamp"])
    begun = [flow for flow in flows.get(key, ()) if abs(flow.start_ns / 1e9 - start.timestamp()) < 0.001]
    return begun[0] if begun else None


def _case(labels: Path, label: dict[str, Any], flow: Flow) -> Case:
    said = dict(zip(FACETS, flow.facets, strict=True))
    return Case(
        {name: str(value) for name, value in label["facets"].items()},
        said | {ATTEMPTS: str(flow.attempts) if flow.attempts else None},
        label["lab"],
        (labels.parent, label["lab"]["scenario"], label["lab"]["run"]),
    )


def public(folder: Path, signatures: SignatureSet) -> Public:
    captures: set[str] = set()
    flows = named = tunnels = 0
    for name, flow in flows_of(folder, signatures):
        captures.add(name)
        flows += 1
        named += bool(flow.identifications)
        tunnels += flow.facets.tunnel is not None
    wrong = unexplained(judge(folder, signatures, read_opinions()))
    return Public(len(captures), flows, named, len(wrong), tunnels)


def main() -> int:
    parser = argparse.ArgumentParser(description="How often are the shipped signatures right?")
    parser.add_argument("lab", type=Path, help="folder of the lab's runs, or of several such folders")
    parser.add_argument("--captures", type=Path, help="public captures, a folder with MANIFEST.tsv")
    parser.add_argument("--document", action="store_true", help="write docs/ACCURACY.md")
    arguments = parser.parse_args()
    signatures = load(source_paths())
    try:
        measured = {part: measure(arguments.lab, part, signatures) for part in PARTS}
    except CaptureError as error:
        print(f"accuracy: {error}", file=sys.stderr)
        return 1
    if not all(part.cases for part in measured.values()):
        print(f"accuracy: {arguments.lab}: no labelled flows of the lab in it", file=sys.stderr)
        return 1
    text = page(measured, public(arguments.captures, signatures) if arguments.captures else None)
    if arguments.document:
        DOCUMENT.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
