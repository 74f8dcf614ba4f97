# Streams of all flows; see stream_set.pyx.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from fl0p_py.flow.record cimport SegmentRecord
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.stream.held cimport HeldStore
from fl0p_py.stream.recent cimport Recent
from fl0p_py.stream.record cimport Chunk

cdef enum LaneFlag:
    LANE_FIN = 1            # a FIN is known to follow the byte before `fin`
    LANE_CLOSED = 2         # and it is in order

cdef enum:
    CHUNK_ROOM = 128        # chunks that one record or the end of a flow can bring: spans, conflicts, gaps

cdef enum Count:            # names for people: stream_set.COUNTS
    CHUNKS = 0
    GAPS
    GAP_BYTES
    HELD
    CONFLICTS
    NOT_HELD
    NOT_COMPARED
    COUNTS_COUNT

cdef struct Lane:           # one direction of a flow
    int64_t next            # offset of the next byte
    int64_t fin
    uint32_t mark           # the flow's serial + 1; 0: unused
    int32_t entry           # in the HeldStore, + 1
    int32_t slot            # in Recent, + 1
    uint32_t flags          # LANE_*


@cython.final
cdef class StreamSet:
    cdef readonly FlowTable table
    cdef HeldStore held
    cdef Recent recent
    cdef Lane[:, ::1] lane                  # [row, direction]
    cdef uint32_t[::1] wanted               # serial + 1
    cdef bint compare, all_wanted
    cdef object chunk_array, own_array, count_array
    cdef Chunk[::1] chunk
    cdef uint8_t[::1] own
    cdef Py_ssize_t n, own_used
    cdef long long[::1] counts
    cdef const uint8_t[::1] data, copies    # of the step
    cdef const SegmentRecord[::1] records
    cdef uint32_t current                   # the record

    cdef Py_ssize_t run(self, Py_ssize_t at) noexcept nogil
    cdef bint room(self) noexcept nogil
    cdef bint inside(self, const SegmentRecord* r) noexcept nogil
    cdef void close_if_fin(self, Lane* lane, const SegmentRecord* r) noexcept nogil
    cdef Chunk* add(self, const SegmentRecord* r, int flags, int64_t offset, int64_t length) noexcept nogil
    cdef void datagram(self, const SegmentRecord* r) noexcept nogil
    cdef void segment(self, Lane* lane, const SegmentRecord* r) noexcept nogil
    cdef void straight(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil
    cdef void again(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil
    cdef void hold(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil
    cdef void mix(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil
    cdef bint keep(
        self, Lane* lane, const SegmentRecord* r, const uint8_t[::1] data, int64_t start, int64_t end
    ) noexcept nogil
    cdef void dispute(
        self, Lane* lane, const SegmentRecord* r, const uint8_t[::1] data, int64_t start, int64_t end
    ) noexcept nogil
    cdef void gap(self, Lane* lane, const SegmentRecord* r, int64_t end, int flags) noexcept nogil
    cdef void release(self, Lane* lane, const SegmentRecord* r) noexcept nogil
    cdef void remember(
        self, Lane* lane, const SegmentRecord* r, const uint8_t[::1] data, Py_ssize_t at, Py_ssize_t length
    ) noexcept nogil
    cdef void forget(self, Lane* lane) noexcept nogil
    cdef void end_flow(self, uint32_t flow, int64_t ts_ns) noexcept nogil
