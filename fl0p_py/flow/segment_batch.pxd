# The segments of the packets that a flow table took, for who wants their bytes.

cimport cython
from libc.stdint cimport uint8_t, uint32_t

from fl0p_py.decode.numbers cimport MAX_DATAGRAM
from fl0p_py.decode.record cimport Decoded
from fl0p_py.flow.record cimport SegmentRecord

cdef enum:
    # Records that one packet can bring: its own and a hole for each piece that waited in its flow and in an
    # evicted one; rounded up.
    RECORD_ROOM = 64


@cython.final
cdef class SegmentBatch:
    cdef SegmentRecord[::1] record
    cdef uint8_t[::1] copy
    cdef Decoded[::1] other
    cdef uint32_t n, copied, n_others
    cdef object record_array, copy_array, other_array      # the same memory

    cdef inline bint full(self) noexcept nogil:
        """Whether the next packet might not find room."""
        return (self.n + RECORD_ROOM > self.record.shape[0] or self.n_others == self.other.shape[0]
                or self.copied + MAX_DATAGRAM > self.copy.shape[0])
