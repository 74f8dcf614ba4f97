"""Flows as Python objects: what `import fl0p_py` offers to programs.

    import fl0p_py
    for flow in fl0p_py.read_flows("capture.pcap"):
        print(flow.client, flow.server_port, flow.tokens, [i.id for i in flow.identifications])

One object a flow is made when it ends; the packets before that cost no Python.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.capture.savefile import open_savefile
from fl0p_py.engine import Engine
from fl0p_py.flow.reason import REASONS
from fl0p_py.settings import DEFAULTS, EngineOptions
from fl0p_py.signature.cache import ready
from fl0p_py.signature.pattern import Facets, SignatureSet
from fl0p_py.signature.text import default_paths
from fl0p_py.tracker import Tracker

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FINISHED = 1  # signature/record.pxd, ResultKind
START_SEEN, END_SEEN = 2, 4  # flow/record.pxd, RowFlag
PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}


@dataclass(frozen=True, slots=True)
class Identification:
    """A signature that completed on a flow.

    id, name : the signature's
    token    : number of tokens the flow had by then (0 never occurs)
    ts_ns    : packet time of the completion, ns since the epoch
    score    : 0-100; fuzzy : tolerance or edits were needed (then score < 100)
    via      : the tunnel inside of which it was found: "ssh", "tls12", "tls12-cbc", "tls13"; else empty
    """

    id: str
    name: str
    token: int
    ts_ns: int
    score: int
    fuzzy: bool
    via: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """One ended flow.

    proto           : "tcp", "udp" or "icmp" (ICMPv6 too)
    client, server  : addresses; client_port, server_port : 0-65535; for ICMP both are the echo identifier
    vlan            : VLAN ids, outermost first; empty without `vlan=True` or tags
    start_ns, end_ns: packet time of its first and last packet, ns since the epoch
    start_seen      : the capture has the flow's start (`<`); end_seen: its end (`>`)
    reason          : "closed", "reset", "idle", "eof", "evicted", "shutdown" or "reused"
    tokens          : int32[n], bytes of new payload of each token, positive from the client, negative
                      from the server; n <= depth
    gaps_ms         : float32[n], ms since the latest arrival before each token; 0 for the first
    token_count     : tokens in all, not bounded by the depth
    packets, bytes  : (from client, from server); bytes count whole frames on the wire
    facets, attempts: the verdict; why: what the client's rhythm says of the actor, in words, if anything
    identifications : in the order in which they happened
    """

    proto: str
    client: Address
    client_port: int
    server: Address
    server_port: int
    vlan: tuple[int, ...]
    start_ns: int
    end_ns: int
    start_seen: bool
    end_seen: bool
    reason: str
    tokens: NDArray[np.int32]
    gaps_ms: NDArray[np.float32]
    token_count: int
    packets: tuple[int, int]
    bytes: tuple[int, int]
    facets: Facets
    attempts: int
    why: str
    identifications: tuple[Identification, ...]


def read_flows(
    source: str | os.PathLike[str],
    *,
    signatures: SignatureSet | Sequence[str | os.PathLike[str]] | None = None,
    filter: str = "",
    options: EngineOptions = DEFAULTS,
) -> Iterator[Flow]:
    """Yield the flows of a capture file that carried payload, each when it ends.

    source     : pcap or pcapng, also compressed by gzip or zstd; "-" for standard input
    signatures : a loaded set, or files and folders to load; None: the set that ships with fl0p
    filter     : a pcap filter expression
    options    : see `EngineOptions`

    Raises CaptureError when the file cannot be opened, and after the last good flow when it is
    damaged; FilterError for a filter that libpcap refuses; SignatureFileError for broken signatures.
    """
    if not isinstance(signatures, SignatureSet):
        paths = default_paths() if signatures is None else signatures
        signatures = ready(paths, threshold_ms=options.threshold_ms, fuzzy=options.fuzzy)
    with open_savefile(os.fspath(source)) as capture:
        engine = Engine(Tracker(capture, options, filter), signatures)
        for results in engine:
            for result in results[results["kind"] == FINISHED]:
                yield _flow(engine, int(result["flow"]))


def _flow(engine: Engine, row: int) -> Flow:
    known = engine.signatures.signatures
    table, matcher = engine.table, engine.matcher
    record = table.rows[row]
    verdict = matcher.verdict(row)
    return Flow(
        proto=PROTOCOLS[int(record["proto"])],
        client=_address(record["client"], record["version"]),
        client_port=int(record["cport"]),
        server=_address(record["server"], record["version"]),
        server_port=int(record["sport"]),
        vlan=_vlan(int(record["vlan"])),
        start_ns=int(record["start_ns"]),
        end_ns=int(record["last_ns"]),
        start_seen=bool(record["flags"] & START_SEEN),
        end_seen=bool(record["flags"] & END_SEEN),
        reason=REASONS[int(record["reason"])],
        tokens=table.tokens_of(row),
        gaps_ms=table.gaps_of(row),
        token_count=int(record["tokens"]),
        packets=(int(record["pkts"][0]), int(record["pkts"][1])),
        bytes=(int(record["bytes"][0]), int(record["bytes"][1])),
        facets=verdict.facets,
        attempts=verdict.attempts,
        why=verdict.why,
        identifications=tuple(
            Identification(
                known[i.signature].id,
                known[i.signature].name,
                i.token,
                i.ts_ns,
                i.score,
                i.fuzzy,
                known[i.signature].via,
            )
            for i in matcher.identifications(row)
        ),
    )


def _address(octets: Any, version: int) -> Address:
    raw = bytes(octets)
    return ipaddress.IPv4Address(raw[:4]) if version == 4 else ipaddress.IPv6Address(raw)


def _vlan(packed: int) -> tuple[int, ...]:
    """Decoded.vlan: outer VID, second VID << 12, number of tags << 24."""
    return (packed & 0xFFF, packed >> 12 & 0xFFF)[: packed >> 24]
