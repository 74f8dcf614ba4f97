# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.fetch cimport fetch
from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.gates cimport Beginning, Gates
from fl0p_py.signature.machine cimport Token
from fl0p_py.signature.paths cimport Paths
from fl0p_py.signature.place cimport Tunnel
from fl0p_py.signature.runs cimport Runs
from fl0p_py.signature.state cimport FlowState, Rule


@cython.final
cdef class Tunnels:
    cdef Rule[::1] rules
    cdef Gates gates
    cdef Paths paths
    cdef Runs runs
    cdef const int32_t[::1] rule_of             # of each family, a rule with its ports inside of tunnels
    cdef uint32_t[::1] of_flow                  # beginning + 1
    cdef uint8_t[:, ::1] beginnings     # [n, sizeof(Beginning)]; memoryviews take no structs of arrays
    cdef uint8_t[:, ::1] pool           # [n, sizeof(Tunnel)]
    cdef uint32_t used_beginnings, unused_beginnings
    cdef uint32_t used, unused
    cdef readonly uint64_t begun, looked_into   # flows with a handshake; those of them that passed a gate

    cdef inline Tunnel* row(self, uint32_t at) noexcept nogil:
        """The tunnel of this index + 1."""
        return <Tunnel*>&self.pool[at - 1, 0]

    cdef inline Beginning* beginning(self, uint32_t flow) noexcept nogil:
        return <Beginning*>&self.beginnings[self.of_flow[flow] - 1, 0]

    cdef inline void prefetch(self, uint32_t flow) noexcept nogil:
        """Ask for the beginning of a flow that has one."""
        fetch(self.beginning(flow))

    cdef int open(self, uint32_t flow, uint16_t port, uint32_t hellos) except -1 nogil
    cdef void _allow(self, Beginning* beginning, uint16_t port) noexcept nogil
    cdef int _look(self, Beginning* beginning, bint late) except -1 nogil
    cdef bint _repeat(self, Beginning* beginning, FlowState* state, Token* token, bint late) except -1 nogil
    cdef int close_run(self, uint32_t flow, FlowState* state, int passed) except -1 nogil
    cdef bint token(self, uint32_t flow, FlowState* state, Token* token) except -1 nogil
    cdef int end(self, uint32_t flow, FlowState* state, int passed, bint seen) except -1 nogil
    cdef void free(self, uint32_t flow) noexcept nogil
