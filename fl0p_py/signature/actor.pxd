cimport cython
from libc.stdint cimport int64_t, uint32_t

from fl0p_py.flow.record cimport FlowRow, TokenEvent
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.record cimport Result
from fl0p_py.signature.state cimport FlowState
from fl0p_py.timing.record cimport Judgement
from fl0p_py.timing.rhythm cimport Rhythms


@cython.final
cdef class Actors:
    cdef Dossiers dossiers
    cdef Rhythms rhythms
    cdef FlowTable table
    cdef uint32_t stored                # tokens of a flow that the table keeps; 0: there is no table
    cdef uint32_t turned, begin         # row + 1 of the flow turned last; where it may have begun to type

    cdef int follow(self, TokenEvent* event, FlowState* state) except -1 nogil
    cdef int learn(self, uint32_t flow, FlowState* state) except -1 nogil
    cdef int replayed(self, uint32_t flow, FlowState* state) except -1 nogil
    cdef int _recall(self, uint32_t flow, FlowState* state) except -1 nogil
    cdef int64_t _gap_ns(self, uint32_t flow, uint32_t i) noexcept nogil
    cdef void forget(self, uint32_t flow, FlowState* state) noexcept nogil
    cdef void tell(
        self, uint32_t flow, FlowState* state, FlowRow* row, Result* results, int64_t n
    ) noexcept nogil
    cdef tuple who(self, uint32_t flow, FlowState* state, FlowRow* row, object unless)
    cdef Judgement _judgement(self, uint32_t flow, FlowState* state, FlowRow* row) noexcept nogil
    cdef bint _never_paused(self, FlowState* state, FlowRow* row) noexcept nogil
    cdef bint _left(self, FlowState* state, FlowRow* row) noexcept nogil
