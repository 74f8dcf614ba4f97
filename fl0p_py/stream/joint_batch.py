"""JointBatch: the joints of a step, in one buffer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.stream.chunk_batch import ChunkBatch


class JointBatch:
    """Joints, one behind the other.

    joints : JOINT_DTYPE[n]: offset, of the first byte in its stream; start, its place in `data`; chunk, the
             place in `chunks.chunks` of what it leads to (whose flow, serial and direction are the joint's);
             tail, how many of its bytes came before that chunk
    data   : uint8[], the bytes; joints touch, so a match that is blind to their borders may be none
    chunks : the ChunkBatch

    Valid until the next take().
    """

    def __init__(self, joints: NDArray[Any], data: NDArray[np.uint8], chunks: ChunkBatch) -> None:
        self.joints, self.data, self.chunks = joints, data, chunks

    def __len__(self) -> int:
        return len(self.joints)

    def locate(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
        """The joint that holds each match [start, end) of `data`; -1: it crosses the border of two."""
        begin = self.joints["start"].astype(np.int64)
        if not len(begin):
            return np.full(len(starts), -1, np.int64)
        found = np.searchsorted(begin, starts, "right") - 1
        stop = np.append(begin[1:], len(self.data))[found]
        return np.where(ends <= stop, found, -1)
