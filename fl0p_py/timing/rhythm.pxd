# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int32_t, int64_t, uint16_t, uint32_t

from fl0p_py.fetch cimport fetch
from fl0p_py.timing.record cimport Intervals, Judgement, Rhythm


@cython.final
cdef class Rhythms:
    cdef uint32_t[::1] of_flow          # rhythm + 1
    cdef Rhythm[::1] pool
    cdef uint32_t used, unused          # how much of the pool ever was; first rhythm + 1 of the free list
    cdef Intervals[::1] more            # the pool of Intervals, with
    cdef uint32_t more_used, more_unused    # the same of it
    cdef readonly object rows           # the memory of of_flow

    cdef inline void prefetch(self, uint32_t flow) noexcept nogil:
        """Ask for the rhythm of a flow that has one."""
        fetch(&self.pool[self.of_flow[flow] - 1])

    cdef int open(self, uint32_t flow) except -1 nogil
    cdef int token(self, uint32_t flow, int32_t size, int64_t gap_ns, int64_t arrival_ns) except -1 nogil
    cdef void close(self, uint32_t flow) noexcept nogil
    cdef int turn(self, uint32_t flow) except -1 nogil
    cdef void miss(self, uint32_t flow) noexcept nogil
    cdef void let_in(self, uint32_t flow) noexcept nogil
    cdef void pass_on(self, uint32_t flow) noexcept nogil
    cdef Judgement judge(self, uint32_t flow, bint over, bint wrapped) noexcept nogil
    cdef int _make_room(self, Rhythm* one) except -1 nogil
    cdef int _keep_pause(self, Rhythm* one, int64_t interval_ns) except -1 nogil
    cdef int _keep_key(self, Rhythm* one, int64_t interval_ns) except -1 nogil
    cdef uint32_t* _pauses(self, Rhythm* one) noexcept nogil
    cdef uint16_t* _keys(self, Rhythm* one) noexcept nogil
