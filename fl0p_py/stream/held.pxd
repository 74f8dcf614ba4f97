# Bytes that wait for the bytes before them; see held.pyx.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    HELD_BITS = 11
    HELD_BLOCK = 1 << 11    # bytes; offsets decide which block a byte is in
    HELD_REACH = 65536      # how far beyond the next byte held bytes may end: the flow table's HOLE_BYTES
    HELD_RING = 34          # blocks that such a reach can touch, and one
    HELD_SPANS = 24         # spans of one direction: 8 pieces, each cut in two by a later one, and some

cdef enum Policy:           # whose bytes stay
    FIRST = 0
    LAST
    LINUX

cdef struct Span:           # held bytes [start, end), all of one segment
    int64_t start
    int64_t end
    int64_t owner_start     # where that segment begins and ends
    int64_t owner_end
    uint32_t cut            # its bytes were not captured
    uint32_t fresh          # insert(): of the segment that is being inserted


@cython.final
cdef class HeldStore:
    cdef Span[:, ::1] span                  # [entry, HELD_SPANS], disjoint, by start
    cdef uint8_t[::1] spans
    cdef int32_t[:, ::1] ring               # [entry, HELD_RING]: block, -1 none
    cdef int64_t[::1] low                   # block number below which an entry has none
    cdef int32_t[::1] link                  # of free entries
    cdef uint8_t[:, ::1] memory             # [block, HELD_BLOCK]
    cdef int32_t[::1] block_link            # of free blocks
    cdef int32_t free_entry, unused_entry, free_block, unused_block
    cdef Py_ssize_t blocks_left
    cdef int policy

    cdef int32_t open(self, int64_t next) noexcept nogil
    cdef void close(self, int32_t entry) noexcept nogil
    cdef bint wins(self, const Span* old, const Span* new) noexcept nogil
    cdef bint insert(
        self, int32_t entry, int64_t start, int64_t end, bint cut, const uint8_t[::1] data, Py_ssize_t at
    ) noexcept nogil
    cdef bint differs(
        self, int32_t entry, int64_t start, int64_t end, const uint8_t[::1] data, Py_ssize_t at
    ) noexcept nogil
    cdef void read(
        self, int32_t entry, int64_t start, int64_t end, uint8_t[::1] out, Py_ssize_t at
    ) noexcept nogil
    cdef void write(
        self, int32_t entry, int64_t start, int64_t end, const uint8_t[::1] data, Py_ssize_t at
    ) noexcept nogil
    cdef void advance(self, int32_t entry, int64_t next) noexcept nogil
    cdef int32_t block_of(self, int32_t entry, int64_t offset, bint make) noexcept nogil
