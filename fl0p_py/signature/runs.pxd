# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t

from fl0p_py.signature.machine cimport Token
from fl0p_py.signature.paths cimport Paths
from fl0p_py.signature.place cimport Carrier, Place, Tunnel
from fl0p_py.signature.state cimport FlowState, Position


@cython.final
cdef class Runs:
    cdef Paths paths
    cdef Position[::1] positions
    cdef Carrier[::1] carriers
    # of the step being made:
    cdef Tunnel* tunnel
    cdef Place* place

    cdef void open(self, Tunnel* tunnel, uint32_t hellos, bint late) noexcept nogil
    cdef bint token(self, Tunnel* tunnel, FlowState* state, Token* token) except -1 nogil
    cdef int close(self, Tunnel* tunnel, FlowState* state, int passed) except -1 nogil
    cdef int end(self, Tunnel* tunnel, FlowState* state, int passed, bint seen) except -1 nogil
    cdef int _catch_up(self) except -1 nogil
    cdef bint _only_late(self, Tunnel* tunnel) noexcept nogil
    cdef int _evaluate(self) except -1 nogil
    cdef void _look_for_end(self) noexcept nogil
    cdef int _first_run(self, Carrier* carrier) except -1 nogil
    cdef int _servers_own(self, Carrier* carrier) except -1 nogil
    cdef void _cut(self, Carrier* carrier) noexcept nogil
    cdef int _data(self, int64_t size, uint8_t flags) except -1 nogil
    cdef bint _may_end(self) noexcept nogil
    cdef int _finals(self, uint8_t wanted, int passed) except -1 nogil
