"""Labels: which flow of a capture is what, from what was done.

A scenario *claims* flows while it runs; when the capture is whole, each claim must find its flow in it.
The form of a label, one JSON object a line, is described in docs/lab.md; its key is a flow's 5-tuple
and start, written as `fl0p --json` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.lab.capture import ICMP, ICMP6, PROTOCOLS, Flow
from tools.lab.errors import UncertainError

FACETS = ("class", "outcome", "activity", "actor", "tunnel", "prompt", "attempts")
"""What can be said of a flow, in this order."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What flows with these properties are.

    facets      : by name; what is not in it is not said
    port        : the server's port; 0 for ICMP
    protocols   : as in `capture.PROTOCOLS`
    client_port : of the one flow that is meant; None: all others to `port`
    every       : there may be any number of them, also none; otherwise exactly one
    facts       : more about where it comes from (software, methods), for provenance
    """

    facets: Mapping[str, Any]
    port: int
    protocols: tuple[str, ...] = ("TCP",)
    client_port: int | None = None
    every: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.facets) - set(FACETS)
        if unknown or not self.facets:
            raise ValueError(f"facets: {sorted(unknown) or 'none'}, expected some of {FACETS}")


def assign(flows: Iterable[Flow], claims: Iterable[Claim], server: set[str]) -> list[tuple[Flow, Claim]]:
    """Each flow with the claim that speaks for it; flows without payload or claim are left out.

    Claims with a client port go first.  UncertainError if a claim finds no flow, or more than it should.
    """
    left = [flow for flow in flows if flow.dest_ip in server and flow.speaks]
    found: list[tuple[Flow, Claim]] = []
    for claim in sorted(claims, key=lambda claim: claim.client_port is None):
        mine = [flow for flow in left if _fits(flow, claim)]
        if len(mine) != 1 and not claim.every:
            whose = f"{claim.protocols} {claim.port} from {claim.client_port or 'any port'}"
            raise UncertainError(f"{len(mine)} flows are {whose}")
        found += [(flow, claim) for flow in mine]
        left = [flow for flow in left if flow not in mine]
    return sorted(found, key=lambda pair: pair[0].start_ns)


def _fits(flow: Flow, claim: Claim) -> bool:
    return (
        PROTOCOLS[flow.protocol] in claim.protocols
        and flow.dest_port == claim.port
        and claim.client_port in (None, flow.src_port)
    )


def record(flow: Flow, claim: Claim, lab: Mapping[str, Any]) -> dict[str, Any]:
    """The label of a flow as it is written; `lab` is what is true of the whole run."""
    icmp = flow.protocol in (ICMP, ICMP6)
    facets = {name: claim.facets[name] for name in FACETS if claim.facets.get(name) is not None}
    ports = {"icmp_id": flow.src_port} if icmp else {"src_port": flow.src_port, "dest_port": flow.dest_port}
    return {
        "timestamp": timestamp(flow.start_ns),
        "src_ip": flow.src_ip,
        "dest_ip": flow.dest_ip,
        **ports,
        "proto": PROTOCOLS[flow.protocol],
        "label": ",".join(f"{name}={value}" for name, value in facets.items()),
        "facets": facets,
        "lab": {**lab, **claim.facts},
    }


def timestamp(ts_ns: int) -> str:
    """A time as `fl0p --json` writes it: UTC, microseconds, cut."""
    seconds, rest = divmod(ts_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def write(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line, all or nothing."""
    text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects)
    partial = path.with_name(path.name + ".part")
    partial.write_text(text)
    partial.replace(path)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
