# What a flow table hands over at a time.

cimport cython
from libc.stdint cimport uint32_t

from fl0p_py.flow.record cimport TokenEvent
from fl0p_py.flow.segment_batch cimport SegmentBatch


@cython.final
cdef class EventBatch:
    cdef TokenEvent[::1] event
    cdef uint32_t n
    cdef object array                       # the same memory
    cdef readonly SegmentBatch segments
