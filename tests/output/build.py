"""Builders of what the output reads: signatures, flow rows with tokens, results."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import numpy as np

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
    """A flow table with these rows; tokens[flow] : (signed size, gap in ns)."""
    array = np.zeros(max(1, len(rows)), table.dtypes())
    sizes = np.zeros((len(array), depth), np.int32)
    gaps = np.zeros((len(array), depth), np.float32)
    for i, fields in enumerate(rows):
        for name, value in fields.items():
            array[i][name] = value
        for j, (size, gap_ns) in enumerate(tokens[i][:depth]):
            sizes[i, j], gaps[i, j] = size, np.trunc(gap_ns / 1e6)
    return table.FlowTable(array, sizes, gaps)
