cimport cython
from libc.stdint cimport int64_t, uint16_t, uint32_t

from fl0p_py.signature.state cimport FlowState

cdef enum:
    LISTS = 64              # (threshold before + 1) * 8 + threshold

cdef struct Timer:
    int64_t due_ns
    uint32_t flow
    uint32_t before, after  # neighbours in its list, + 1; `after` links the free ones
    uint16_t list
    uint16_t threshold


@cython.final
cdef class Timers:
    cdef Timer[::1] pool
    cdef uint32_t free, used
    cdef uint32_t head[LISTS]
    cdef uint32_t tail[LISTS]
    cdef int64_t next_due   # of all lists; a huge number if there is none

    cdef int arm(
        self, FlowState* state, uint32_t flow, int threshold, int before, int64_t due_ns
    ) except -1 nogil
    cdef int disarm(self, FlowState* state) except -1 nogil
    cdef Timer* first(self) except NULL nogil
    cdef int _unlink(self, uint32_t at) except -1 nogil
    cdef int _look(self) except -1 nogil
