# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.gates cimport Beginning, Gates
from fl0p_py.signature.machine cimport Token
from fl0p_py.signature.state cimport Edge, FlowState, Position, Rule

cdef enum:
    MOST_STATES = 128       # of a flow, before a run and behind it
    MOST_CLIENT = 12
    MOST_NOTED = 6          # places that a memo holds

cdef enum PlaceFlag:
    EXPECT_CLIENT = 1       # the run that ends the handshake has not been seen
    EXPECT_SERVER = 2       # nor has what the server still has to say of its own
    LATE = 4                # the inner flow has begun: only patterns without `<` may begin here
    ALERTED = 8             # an alert was seen: only the end may follow
    TICKETED = 16           # the server's first run was tickets: its next may begin with as many

cdef struct Carrier:        # signature/overhead.py, Carrier
    int32_t overhead, alert, via, alone, server, low, high, clients
    int32_t client[MOST_CLIENT]

cdef struct Place:          # how far an inner pattern has come
    uint32_t at             # position + 1; 0: it has not begun
    uint16_t base           # bytes at the beginning of this run that are the tunnel's own
    uint8_t carrier
    uint8_t flags           # enum PlaceFlag

cdef struct Memo:           # what came of a size at a place, when nothing was complete
    uint64_t key            # 0: nothing yet
    uint8_t found
    uint8_t more
    uint8_t flags[MOST_NOTED]
    uint32_t at[MOST_NOTED]

cdef struct Tunnel:         # what is known of one flow
    int64_t sum             # bytes of the present run
    uint32_t next           # tunnel + 1, in the free list
    uint32_t families       # mask of those that its port allows
    int32_t tickets         # bytes of the server's first run, if that may be tickets
    int32_t own             # in the run that ends the handshake: where a token and its last message may end
    int32_t passed          # thresholds that the gap before the run reached
    int8_t direction        # of the run; 0: none yet
    uint8_t befores         # how many places are in before,
    uint8_t behinds         # and in behind
    uint8_t over            # 1: the run is as long as any pattern allows; 2: longer
    uint8_t late            # its last token has not been looked at
    Place before[MOST_STATES]   # before the run,
    Place behind[MOST_STATES]   # and behind it, should it end now


@cython.final
cdef class Tunnels:
    cdef Position[::1] positions
    cdef Edge[::1] edges
    cdef Rule[::1] rules
    cdef uint32_t[:, ::1] ports
    cdef Dossiers dossiers
    cdef Gates gates
    cdef const uint32_t[:, ::1] entries         # position, condition, 1 if the pattern has `<`, a signature
    cdef const int32_t[::1] rule_of             # of each family, a rule with its ports inside of tunnels
    cdef const int32_t[:, ::1] variants         # [signature, via]
    cdef Carrier[::1] carriers
    cdef uint32_t loose                         # mask of the families without `<`
    cdef int64_t[2] loose_high                  # most bytes of a run that such a pattern begins with, by side
    cdef uint32_t[::1] of_flow                  # beginning + 1
    cdef uint8_t[:, ::1] beginnings     # [n, sizeof(Beginning)]; memoryviews take no structs of arrays
    cdef uint8_t[:, ::1] pool           # [n, sizeof(Tunnel)]
    cdef uint32_t used_beginnings, unused_beginnings
    cdef uint32_t used, unused
    cdef readonly uint64_t overflow             # places that were dropped at a bound
    cdef readonly uint64_t begun, looked_into   # flows with a handshake; those of them that passed a gate
    # of the step being made:
    cdef Tunnel* tunnel
    cdef FlowState* state
    cdef uint32_t number                        # tokens of the flow
    cdef int64_t size                           # bytes to be explained
    cdef Place* place
    cdef uint8_t flags
    cdef bint more                              # more bytes may still fit
    cdef int visits
    cdef uint8_t[:, ::1] memory                 # [MEMOS, sizeof(Memo)]
    cdef Memo note                              # of the size being explained
    cdef bint noting                            # what is found goes into the note, too

    cdef inline Tunnel* row(self, uint32_t at) noexcept nogil:
        """The tunnel of this index + 1."""
        return <Tunnel*>&self.pool[at - 1, 0]

    cdef inline Beginning* beginning(self, uint32_t flow) noexcept nogil:
        return <Beginning*>&self.beginnings[self.of_flow[flow] - 1, 0]

    cdef int open(self, uint32_t flow, uint16_t port) except -1 nogil
    cdef void _allow(self, Beginning* beginning, uint16_t port) noexcept nogil
    cdef bint _port(self, Rule* rule, uint16_t port) noexcept nogil
    cdef int _look(self, Beginning* beginning, bint late) except -1 nogil
    cdef bint _repeat(self, Beginning* beginning, FlowState* state, Token* token, bint late) except -1 nogil
    cdef int _close_run(self, Tunnel* tunnel, FlowState* state, int passed) except -1 nogil
    cdef bint _token(self, Tunnel* tunnel, FlowState* state, Token* token) except -1 nogil
    cdef int close_run(self, uint32_t flow, FlowState* state, int passed) except -1 nogil
    cdef bint token(self, uint32_t flow, FlowState* state, Token* token) except -1 nogil
    cdef int _catch_up(self) except -1 nogil
    cdef bint _only_late(self, Tunnel* tunnel) noexcept nogil
    cdef int end(self, uint32_t flow, FlowState* state, int passed, bint seen) except -1 nogil
    cdef void free(self, uint32_t flow) noexcept nogil
    cdef int _evaluate(self) except -1 nogil
    cdef void _look_for_end(self) noexcept nogil
    cdef int _first_run(self, Carrier* carrier) except -1 nogil
    cdef int _servers_own(self, Carrier* carrier) except -1 nogil
    cdef int _data(self, int64_t size, uint8_t flags) except -1 nogil
    cdef int _explain(self, int64_t size, uint8_t flags) except -1 nogil
    cdef bint _behind_own(self) noexcept nogil
    cdef int _follow(self, int64_t size, uint8_t flags, int passed) except -1 nogil
    cdef int _visit(self, uint32_t at, int64_t low, int64_t high, int32_t records, int depth) except -1 nogil
    cdef bint _fits(self, int64_t low, int64_t high, int32_t records) noexcept nogil
    cdef void _add(self, uint32_t at, uint8_t flags) noexcept nogil
    cdef bint _may_end(self) noexcept nogil
    cdef void _cut(self, Carrier* carrier) noexcept nogil
    cdef int _complete(self, uint32_t at, uint8_t carrier) except -1 nogil
    cdef int _finals(self, Place* places, int n, uint8_t wanted, int passed) except -1 nogil
