# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.gates cimport Gates
from fl0p_py.signature.place cimport Carrier, Memo, Place, Tunnel
from fl0p_py.signature.state cimport Edge, FlowState, Position, Rule


@cython.final
cdef class Paths:
    cdef Position[::1] positions
    cdef Edge[::1] edges
    cdef Rule[::1] rules
    cdef uint32_t[:, ::1] ports
    cdef Dossiers dossiers
    cdef Gates gates
    cdef const uint32_t[:, ::1] entries         # position, condition, 1 if the pattern has `<`, a signature
    cdef const int32_t[:, ::1] variants         # [signature, via]
    cdef Carrier[::1] carriers
    cdef const uint8_t[:, ::1] to_end           # [Place.at, side], see _to_end
    cdef uint32_t loose                         # mask of the families without `<`
    cdef int64_t[2] loose_high                  # most bytes of a run that such a pattern begins with, by side
    cdef uint64_t overflow                      # places that were dropped at a bound
    # of the step being made:
    cdef Tunnel* tunnel
    cdef FlowState* state
    cdef uint32_t number                        # tokens of the flow
    cdef Place* place
    cdef bint more                              # more bytes may still fit
    # of the size being explained:
    cdef int64_t size
    cdef uint8_t flags
    cdef int visits
    cdef uint8_t[:, ::1] memory                 # [2 ** MEMO_BITS, sizeof(Memo)]
    cdef uint64_t spread                        # see memory.multiplier
    cdef Memo note
    cdef bint noting                            # what is found goes into the note, too

    cdef inline void begin(self, Tunnel* tunnel, FlowState* state, uint32_t number) noexcept nogil:
        """What is done next is done for this flow, of so many tokens."""
        self.tunnel, self.state, self.number = tunnel, state, number

    cdef int explain(self, int64_t size, uint8_t flags) except -1 nogil
    cdef bint _behind_own(self) noexcept nogil
    cdef int _follow(self, int64_t size, uint8_t flags, int passed) except -1 nogil
    cdef int _visit(self, uint32_t at, int64_t low, int64_t high, int32_t records, int depth) except -1 nogil
    cdef bint _fits(self, int64_t low, int64_t high, int32_t records) noexcept nogil
    cdef void add(self, uint32_t at, uint8_t flags) noexcept nogil
    cdef int complete(self, uint32_t at, uint8_t carrier) except -1 nogil
    cdef bint port_fits(self, Rule* rule, uint16_t port) noexcept nogil
