"""Columns: the arrays that a scan fills, allocated once and used again for every fourth batch or so."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Columns:
    """The columns of a PacketBatch (see there) at full capacity."""

    def __init__(self, capacity: int) -> None:
        self.offset = np.empty(capacity, np.int64)
        self.caplen = np.empty(capacity, np.uint32)
        self.wirelen = np.empty(capacity, np.uint32)
        self.ts_ns = np.empty(capacity, np.int64)
        self.linktype = np.empty(capacity, np.uint16)
        self._all_of: int | None = None

    def all_of(self, linktype: int) -> None:
        """Set the link type of all packets; of a file that has just one, this is done once."""
        if self._all_of != linktype:
            self.linktype.fill(linktype)
            self._all_of = linktype


class Scan(NamedTuple):
    """What a scan of a buffer came to.

    packets  : how many are in the columns
    position : where the next record starts
    full     : the columns are full; otherwise the next record is not complete, or there is a fault
    need     : bytes from `position` on that the next record needs, as far as known
    fault    : why the record at `position` is damage, None if it is not
    """

    packets: int
    position: int
    full: bool
    need: int
    fault: str | None
