cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.flow.record cimport FlowRow, TokenEvent
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.signature.actor cimport Actors
from fl0p_py.signature.dossier cimport MOST_PENDING, Dossiers
from fl0p_py.signature.filter cimport Filter
from fl0p_py.signature.machine cimport Machine, Token
from fl0p_py.signature.record cimport Result
from fl0p_py.signature.state cimport Branch, FlowState, Item, Rule
from fl0p_py.signature.timer cimport Timers
from fl0p_py.signature.tunnels cimport Tunnels
from fl0p_py.timing.rhythm cimport Rhythms

cdef enum:
    RING = 64               # sizes kept of a flow; no branch is longer
    N_RESULTS = 8192
    ROOM = 4 * MOST_PENDING + 1     # results of one event: silence, bursts that it ends, itself, FINISHED


@cython.final
cdef class Matcher:
    cdef readonly object signatures
    cdef readonly object compiled
    cdef FlowTable table
    cdef Filter filter
    cdef uint32_t longest_anchor        # no anchored branch ends at a later token
    cdef Machine machine
    cdef Dossiers dossiers
    cdef Timers timers
    cdef Rhythms rhythms                # of the actors
    cdef Actors actors
    cdef Tunnels tunnels
    cdef FlowState[::1] states
    cdef uint64_t[:, ::1] more_gaps     # registers of the thresholds above the lowest, [flow, threshold]
    cdef int registers                  # of thresholds that a branch asks for, with those below them
    cdef Item[::1] items
    cdef Branch[::1] branches
    cdef Rule[::1] rules
    cdef uint32_t[:, ::1] ports
    cdef int64_t[::1] thresholds
    cdef int n_thresholds
    cdef TokenEvent[::1] events
    cdef int64_t n_events, at_event
    cdef FlowRow[::1] rows
    cdef Result[::1] buffer
    cdef object all_results             # the same memory
    cdef int64_t n_results
    cdef bint delivered
    cdef int32_t[:, ::1] rings
    cdef uint32_t finished              # row + 1, linked through `threads`: what release() forgets
    cdef uint32_t free_ring, used_rings
    cdef uint32_t stored                # tokens of a flow that the table keeps
    cdef int64_t clock_ns               # packet time so far
    cdef dict dropped_before            # `overflow` of those taken over from

    cdef bint _run(self) except -1 nogil
    cdef void _prefetch(self) noexcept nogil
    cdef int _token(self, TokenEvent* event, FlowState* state) except -1 nogil
    cdef int _begin(self, TokenEvent* event, FlowState* state) except -1 nogil
    cdef int _remember(self, TokenEvent* event, FlowState* state, int passed) except -1 nogil
    cdef int _branches(self, int64_t found, uint32_t flow, FlowState* state, Token* token) except -1 nogil
    cdef int _verify(self, Branch* branch, uint32_t flow, FlowState* state, Token* token) except -2 nogil
    cdef int _size_at(self, uint32_t flow, FlowState* state, uint32_t back) except? 0 nogil
    cdef bint _port(self, Rule* rule, FlowState* state) noexcept nogil
    cdef int _passed(self, int64_t gap_ns) noexcept nogil
    cdef int _settle(self, uint32_t flow, FlowState* state, int64_t ts_ns) except -1 nogil
    cdef int _settle_before(self, TokenEvent* event, FlowState* state) except -1 nogil
    cdef int _arm(self, TokenEvent* event, FlowState* state) except -1 nogil
    cdef int _fire_timer(self) except -1 nogil
    cdef int _end(self, TokenEvent* event, FlowState* state) except -1 nogil
    cdef int _finish(self, TokenEvent* event, FlowState* state) except -1 nogil
    cdef int _end_tunnel(self, uint32_t flow, FlowState* state, int passed, bint seen) except -1 nogil
    cdef int _new_ring(self, FlowState* state) except -1 nogil
