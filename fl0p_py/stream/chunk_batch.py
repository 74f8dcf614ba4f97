"""ChunkBatch: what a step says of streams."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Chunk.flags; their meaning stands in stream/record.pxd.
DATA, GAP, LATE, CONFLICT, UNACKED, END = 1, 2, 4, 8, 16, 32
CUT, LOST, DATAGRAM, OTHER, FIN, COPY, OWN = 64, 128, 256, 512, 1024, 2048, 4096

NO_RECORD = 0xFFFFFFFF
"""Chunk.record of what no packet of the step has brought: the end of a flow."""

WITH_BYTES = DATA | LATE | CONFLICT


class ChunkBatch:
    """Chunks of a step, of each direction in the stream's order (LATE and CONFLICT apart).

    chunks : CHUNK_DTYPE[n]
    data   : uint8[], the PacketBatch's bytes
    copies : uint8[], the SegmentBatch's
    own    : uint8[], bytes that had been held

    Valid as long as the step is, and until the next take().
    """

    def __init__(
        self, chunks: NDArray[Any], data: NDArray[np.uint8], copies: NDArray[np.uint8], own: NDArray[np.uint8]
    ) -> None:
        self.chunks, self.data, self.copies, self.own = chunks, data, copies, own

    def __len__(self) -> int:
        return len(self.chunks)

    def bytes_of(self, chunk: Any) -> memoryview:
        """The bytes of a chunk; none of one that only tells of a range."""
        flags = int(chunk["flags"])
        if not flags & WITH_BYTES:
            return memoryview(b"")
        where = self.own if flags & OWN else self.copies if flags & COPY else self.data
        start = int(chunk["at"])
        return where.data[start : start + int(chunk["length"])]
