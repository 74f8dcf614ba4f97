"""History: what a flow had said before somebody wanted it."""

from __future__ import annotations

from typing import NamedTuple


class Spooled(NamedTuple):
    """A chunk that was kept: its fields as in stream/record.pxd, `flags` as in chunk_batch.py."""

    ts_ns: int
    direction: int
    offset: int
    length: int
    flags: int
    data: bytes


class History(NamedTuple):
    """complete : nothing is missing from the flow's beginning on; chunks : in the order in which they came"""

    complete: bool
    chunks: list[Spooled]
