"""Flows of the real captures against those that tshark found in them, and the kinds of differences.

docs/differences.md says of each kind who is right and why; a kind that it does not name fails the test.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from fl0p_py.flow import table
from fl0p_py.flow.table import FlowTable
from tests.flow.flows_of import Flow, flows_of_packets, packets_of
from tests.support.captures import folder, needs_captures

DEPTH = 64
THRESHOLD_MS = 400
DEBATABLE = {"nosyn", "synack", "ooo", "differ", "reuse", "syndata", "rstdata", "back", "self"}
DEBATABLE |= {"frag", "badlen", "ah", "ext"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "differences.md"


@dataclass
class Difference:
    file: str
    expected: dict[str, Any]
    ours: list[Flow]
    kind: str


def text_of(flow: Flow) -> str:
    """The sequence as expected.jsonl.gz writes it."""
    said: list[str] = []
    for size, gap_ns in list(zip(flow.tokens, flow.gaps_ns, strict=True))[:DEPTH]:
        if gap_ns >= THRESHOLD_MS * 1_000_000:
            said.append(f"+{gap_ns // 1_000_000}")
        said.append(f"c{size}" if size > 0 else f"s{-size}")
    return " ".join(said)


def tokens_in(text: str) -> list[str]:
    return [word for word in text.split() if word[0] != "+"]


def kind_of(expected: dict[str, Any], ours: list[Flow], client: str) -> str:
    """What sort of difference it is, by the first rule that fits."""
    marks = set(expected.get("marks", []))
    crafted = "lying length fields" if "badlen" in marks else "crafted fragments" if "frag" in marks else ""
    if not ours:
        return crafted or "after a reset"
    if "synack" in marks and any(flow.client != client for flow in ours):
        return "client of a SYN+ACK"
    if len(ours) > 1:
        if any(flow.reason == table.IDLE for flow in ours):
            return "centuries apart"
        return "VLANs apart" if "qinq" in marks else "new connection"
    flow = ours[0]
    want, have = tokens_in(expected["tokens"]), tokens_in(text_of(flow))
    by_bytes = tokens_in(expected.get("alt", expected["tokens"]))
    if have == by_bytes != want:
        return "new bytes decide"
    if sorted(have) in (sorted(want), sorted(by_bytes)):
        return "time runs backwards" if "back" in marks else "order of sequence"
    if flow.reason == table.RESET and have == want[: len(have)]:
        return "after a reset"
    if expected["proto"] == "tcp" and len(have) == len(by_bytes):
        return "new bytes only"
    return crafted or ("data on a SYN" if "syndata" in marks else "beyond the window")


def compare(root: Path) -> Iterator[tuple[dict[str, Any], Difference | None]]:
    """Each expected flow with tokens, and how ours differs."""
    for line in gzip.decompress((root / "expected.jsonl.gz").read_bytes()).splitlines():
        capture = json.loads(line)
        if capture["flows"] is None:
            continue
        packets = packets_of(root / capture["file"], checksums="ignore")
        flows = flows_of_packets(packets, FlowTable(checksums="ignore", idle_s=1e9))
        found: defaultdict[Any, list[Flow]] = defaultdict(list)
        between: defaultdict[Any, list[Flow]] = defaultdict(list)
        for flow in flows:
            found[flow.ends, text_of(flow)].append(flow)
            between[both_ends(*flow.ends)].append(flow)
        for expected in capture["flows"]:
            if not expected["tokens"] or expected["proto"] == "sctp":
                continue
            client, server = str(ip_address(expected["client"])), str(ip_address(expected["server"]))
            ends = (expected["proto"], client, expected["cport"], server, expected["sport"])
            if found[ends, expected["tokens"]]:
                found[ends, expected["tokens"]].pop()
                yield expected, None
            else:
                ours = between[both_ends(*ends)]
                yield expected, Difference(capture["file"], expected, ours, kind_of(expected, ours, client))


def both_ends(proto: str, client: str, cport: int, server: str, sport: int) -> Any:
    return proto, frozenset([(client, cport), (server, sport)])


@needs_captures
def test_flows_are_those_that_tshark_found(capsys: pytest.CaptureFixture[str]) -> None:
    root = folder()
    assert root is not None
    seen: Counter[bool] = Counter()
    differences: dict[bool, list[Difference]] = {False: [], True: []}
    for expected, difference in compare(root):
        debatable = bool(DEBATABLE & set(expected.get("marks", [])))
        seen[debatable] += 1
        if difference:
            differences[debatable].append(difference)
    kinds = Counter((d.kind, debatable) for debatable in differences for d in differences[debatable])
    with capsys.disabled():
        print(f"\nflows with tokens: {seen[False]} undisputed, {len(differences[False])} differ;", end=" ")
        print(f"{seen[True]} debatable, {len(differences[True])} differ")
        for kind in sorted({kind for kind, _ in kinds}):
            print(f"    {kind:24} {kinds[kind, False]:4} {kinds[kind, True]:4}")
    documented = DOCUMENT.read_text()
    for kind, _debatable in kinds:
        assert f"**{kind}**" in documented, f"{DOCUMENT.name} does not name the kind '{kind}'"
    assert len(differences[False]) <= 0.01 * seen[False]
