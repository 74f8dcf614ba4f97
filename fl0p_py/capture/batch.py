"""PacketBatch: the unit of work of the whole program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUFFERS = 5
"""Batches of a source that are valid at a time: the one just yielded and BUFFERS - 1 before it."""


@dataclass(slots=True)
class PacketBatch:
    """Captured frames in one buffer, described by columns of equal length n.

    data    : uint8[size], the bytes; owned by the source, which uses the buffer again: valid until the
              next batch but BUFFERS - 1 is asked for
    offset  : int64[n], bytes from the start of `data` to each frame; offset + caplen <= size always holds
    caplen  : uint32[n], bytes captured of each frame
    wirelen : uint32[n], bytes the frame had on the wire (>= caplen; a file that says less is corrected)
    ts_ns   : int64[n], nanoseconds since the epoch, as the capture has them: they may run backwards, but are
              kept in 0 .. 2**62 - 1 (the year 2116), so that adding a timeout to them never overflows
    linktype: uint16[n], LINKTYPE_ number of each frame (one pcapng file may mix them)
    now_ns  : the clock when the batch was made, for a live source's empty batches; 0 for files
    position: bytes of the file consumed up to the end of this batch, for the progress bar
    """

    data: NDArray[np.uint8]
    offset: NDArray[np.int64]
    caplen: NDArray[np.uint32]
    wirelen: NDArray[np.uint32]
    ts_ns: NDArray[np.int64]
    linktype: NDArray[np.uint16]
    now_ns: int = 0
    position: int = 0

    def __len__(self) -> int:
        return len(self.offset)
