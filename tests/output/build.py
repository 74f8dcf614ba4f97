"""Builders of what the output reads: signatures, flow rows with tokens, results."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import numpy as np

from fl0p_py.decode.decoder import DECODED_DTYPE
from fl0p_py.flow import table
from fl0p_py.output import line
from fl0p_py.signature.pattern import Facets, Pattern, Signature
from fl0p_py.signature.pattern import Sequence as Items

T0 = 1_795_359_541_123_456_000  # 2026-11-22T14:59:01.123456Z
START_SEEN, END_SEEN = 2, 4
MS = 1_000_000


def signature(id: str, name: str, *, end: bool = False, **facets: str) -> Signature:
    return Signature(id, name, Pattern("tcp", (), False, True, Items(()), end), Facets(**facets))


def row(
    client: str = "10.0.0.1",
    server: str = "10.0.0.2",
    cport: int = 40001,
    sport: int = 22,
    proto: int = 6,
    tokens: int = 0,
    flags: int = START_SEEN | END_SEEN,
    **fields: Any,
) -> dict[str, Any]:
    """A flow row by its fields; addresses as text."""
    version = ipaddress.ip_address(client).version
    packed = [ipaddress.ip_address(a).packed.ljust(16, b"\0") for a in (client, server)]
    return {
        "client": np.frombuffer(packed[0], np.uint8),
        "server": np.frombuffer(packed[1], np.uint8),
        "cport": cport,
        "sport": sport,
        "proto": proto,
        "version": version,
        "tokens": tokens,
        "flags": flags,
        **fields,
    }


def results(*records: dict[str, Any]) -> Any:
    """A Result array."""
    array = np.zeros(len(records), line.result_dtype())
    for i, record in enumerate(records):
        for name, value in ({"ts_ns": T0, "score": 100} | record).items():
            array[i][name] = value
    return array


def table_of(rows: Sequence[dict[str, Any]], tokens: Sequence[Sequence[tuple[int, int]]], depth: int) -> Any:
    """A flow table with these rows; tokens[flow] : (signed size, gap in ns).

    The tokens get there as UDP datagrams, each flow opened by an empty one of its client; then the
    rows' fields are set to what the test wants.
    """
    made = table.FlowTable(capacity=len(rows) + 1, depth=depth, idle_s=1e9, events=1024)
    packets = []
    ts_ns = T0
    for i, sequence in enumerate(tokens):
        packets.append(_datagram(i, ts_ns, 1))
        for size, gap_ns in sequence:
            ts_ns += gap_ns
            packets.append(_datagram(i, ts_ns, size, payload=abs(size)))
    done, array = 0, np.array(packets, DECODED_DTYPE) if packets else np.zeros(0, DECODED_DTYPE)
    while done < len(array):
        done = made.process(array, done)
        made.release()
    for i, fields in enumerate(rows):
        for name, value in fields.items():
            made.rows[i][name] = value
    return made


def _datagram(flow: int, ts_ns: int, direction: int, payload: int = 0) -> np.void:
    packet = np.zeros(1, DECODED_DTYPE)[0]
    ports = {"sport": 1000 + flow, "dport": 53}
    if direction < 0:
        ports = {"sport": 53, "dport": 1000 + flow}
    for name, value in ports.items():
        packet[name] = value
    packet["ts_ns"], packet["payload_len"], packet["hash"] = ts_ns, payload, flow
    packet["proto"], packet["version"] = 17, 4
    packet["src" if direction < 0 else "dst"][0] = 9
    return packet
