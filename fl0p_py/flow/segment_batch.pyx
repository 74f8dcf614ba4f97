# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# SAFETY of boundscheck=False: hits are compared with the records' own bounds, and both loops end with their
# array.
"""SegmentBatch: the segments of the packets that a flow table took, for who wants their bytes.

One `SegmentRecord` (flow/record.pxd) for each packet that carries payload or a FIN of a flow, in the order
in which the table took them, also for what was retransmitted or came out of order; for IP payloads of other
protocols (no flow: RECORD_OTHER); and for each hole that the table gave up (RECORD_HOLE), so that who puts
streams together has the table's own judgement of what to wait for.  A table that records "packets" also has a
record for every other packet of IP.

The bytes are in the PacketBatch that the table was tracking, there as long as that is valid; those of
datagrams that came in fragments are in `copies`.
"""

from libc.stdint cimport int64_t, uint32_t

import numpy as np

from fl0p_py.decode.decoder import DECODED_DTYPE

from fl0p_py.flow.record cimport (
    NOT_ACKED as NOT_ACKED_,
    RECORD_ANSWERED,
    RECORD_COPY,
    RECORD_ESTABLISHED,
    RECORD_FAR,
    RECORD_HOLE,
    RECORD_IN_ORDER,
    RECORD_LATE,
    RECORD_NEW,
    RECORD_OLD,
    RECORD_OTHER,
    RECORD_OVERLAP,
    SegmentRecord,
)

# SegmentRecord.flags; their meaning stands in flow/record.pxd.
NEW, OLD, IN_ORDER, OVERLAP, LATE, HOLE, FAR, COPY, OTHER, ESTABLISHED, ANSWERED = (
    RECORD_NEW, RECORD_OLD, RECORD_IN_ORDER, RECORD_OVERLAP, RECORD_LATE, RECORD_HOLE, RECORD_FAR,
    RECORD_COPY, RECORD_OTHER, RECORD_ESTABLISHED, RECORD_ANSWERED,
)
NOT_ACKED = NOT_ACKED_

RECORDS = 16384             # in a batch; a batch of packets of the usual size has a third of that
COPIES = 1 << 18            # bytes of reassembled datagrams; room for three at least
OTHERS = 4096


def _dtype():
    cdef SegmentRecord record
    return np.asarray(<SegmentRecord[:1]> &record).dtype


RECORD_DTYPE = _dtype()


cdef class SegmentBatch:
    """Records of a few thousand packets.

    records : RECORD_DTYPE[n]
    copies  : uint8[], payloads of datagrams put together from fragments
    others  : DECODED_DTYPE[], the packets of no flow: addresses, ports, protocol
    """

    def __init__(self):
        self.record_array = np.empty(RECORDS, RECORD_DTYPE)
        self.copy_array = np.empty(COPIES, np.uint8)
        self.other_array = np.empty(OTHERS, DECODED_DTYPE)
        self.record, self.copy, self.other = self.record_array, self.copy_array, self.other_array

    def __len__(self):
        return self.n

    @property
    def records(self):
        return self.record_array[: self.n]

    @property
    def copies(self):
        return self.copy_array[: self.copied]

    @property
    def others(self):
        return self.other_array[: self.n_others]

    @property
    def span(self):
        """(start, stop) in the PacketBatch's data: all payloads that are there lie between; (0, 0): none."""
        cdef uint32_t i
        cdef int64_t start = -1, stop = 0
        for i in range(self.n):
            if not self.record[i].flags & (RECORD_COPY | RECORD_HOLE) and self.record[i].captured:
                if start < 0:
                    start = self.record[i].at
                stop = <int64_t>self.record[i].at + self.record[i].captured
        return max(start, 0), stop

    def locate(self, const int64_t[::1] positions not None):
        """int32[]: for ascending positions in the PacketBatch's data, the record whose payload has the byte
        there; -1: none has, it is of a header."""
        found = np.full(positions.shape[0], -1, np.int32)
        cdef int[::1] out = found
        cdef Py_ssize_t k = 0, i = 0
        cdef const SegmentRecord* r
        with nogil:
            while k < positions.shape[0] and i < self.n:
                r = &self.record[i]
                if (r.flags & (RECORD_COPY | RECORD_HOLE)
                        or positions[k] >= <int64_t>r.at + r.captured):
                    i += 1
                elif positions[k] < r.at:
                    k += 1
                else:
                    out[k] = <int>i
                    k += 1
        return found
