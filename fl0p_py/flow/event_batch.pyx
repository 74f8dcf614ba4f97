# cython: language_level=3
"""EventBatch: what a flow table hands over at a time.

The memory belongs to the batch, which belongs to the table: valid until it is given back by
FlowTable.release().
"""

import numpy as np

from fl0p_py.flow.record cimport TokenEvent
from fl0p_py.flow.segment_batch cimport SegmentBatch


def _dtype():
    cdef TokenEvent event
    return np.asarray(<TokenEvent[:1]> &event).dtype


EVENT_DTYPE = _dtype()


def aligned(n, dtype, columns=1):
    """An array that begins on a cache line, with anything in it; pages never touched cost no memory."""
    size = n * columns * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype)


cdef class EventBatch:
    """Events that a table has handed over.

    events   : EVENT_DTYPE[n], see flow/record.pxd for the fields
    segments : the SegmentBatch of the same packets, if the table records segments; else None
    """

    def __init__(self, room, SegmentBatch segments=None):
        """room : EVENT_DTYPE[], where they are written"""
        self.array = room
        self.event = self.array
        self.segments = segments

    def __len__(self):
        return self.n

    @property
    def events(self):
        return self.array[: self.n]
