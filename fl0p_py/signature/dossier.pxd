# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.fetch cimport fetch
from fl0p_py.signature.record cimport Result
from fl0p_py.signature.state cimport FlowState, Rule

cdef enum:
    MOST_PENDING = 64       # completions at one event
    NEVER = 1 << 30         # no token has this number

cdef struct Completion:
    int64_t ts_ns           # 0: now; else when a matcher before this one knew it
    uint32_t signature
    uint32_t consumed       # number of the last token that belongs to the match
    uint8_t score
    uint8_t fuzzy
    uint8_t edits

cdef struct Entry:          # an identification; 32 bytes
    int64_t ts_ns
    uint32_t signature
    uint32_t next           # entry + 1 of the same flow; 0 the last
    uint32_t number
    uint32_t consumed
    uint16_t score
    uint16_t fuzzy
    uint16_t edits
    uint16_t lost

cdef struct Dossier:        # 64 bytes
    uint64_t matched        # bit s % 64 for each signature s that has an entry
    uint32_t first, last    # entries + 1
    uint32_t holder[6]      # signature that set each facet
    uint16_t value[6]       # interned; 0 unset
    uint16_t entries
    uint16_t attempts
    uint16_t edited         # mask of the facets that were set by a match with edits
    uint16_t sure           # something matched without edits


@cython.final
cdef class Dossiers:
    cdef Rule[::1] rules
    cdef const uint8_t[:, ::1] hands            # [facet, value], see hands.py
    cdef Dossier[::1] pool
    cdef Entry[::1] entries
    cdef uint32_t free_dossier, free_entry      # index + 1, linked through `first` and `next`
    cdef uint32_t used_dossiers, used_entries   # how much of the pools was ever used
    cdef Completion pending[MOST_PENDING]
    cdef int n_pending
    cdef uint32_t chasing                       # facets of what may match with edits, see `chase`
    cdef uint32_t hello                         # the first of the signatures that open tunnels
    cdef uint32_t opened                        # mask of those that did, at this token
    cdef bint recalling                         # while a flow is taken over from another matcher,
    cdef uint8_t[::1] known                     # 1 for the signatures that it has identified there,
    cdef Dossiers past                          # its dossiers,
    cdef FlowState* was                         # its state of the flow,
    cdef const int64_t[::1] renamed             # and our number for each of its signatures; -1: not here
    cdef readonly uint64_t overflow

    cdef int complete(
        self, uint32_t signature, uint32_t consumed, uint32_t cost, uint32_t edits
    ) except -1 nogil
    cdef inline void prefetch(self, FlowState* state) noexcept nogil:
        """Ask for what is known of the flow, which will be looked at soon."""
        if state.dossier:
            fetch(&self.pool[state.dossier - 1])

    cdef inline Entry* first_entry(self, FlowState* state) noexcept nogil:
        """What was identified on the flow first; NULL: nothing."""
        if not state.dossier:
            return NULL
        return &self.entries[self.pool[state.dossier - 1].first - 1]

    cdef inline Entry* next_entry(self, Entry* entry) noexcept nogil:
        return &self.entries[entry.next - 1] if entry.next else NULL

    cdef inline uint32_t attempts_of(self, FlowState* state) noexcept nogil:
        return self.pool[state.dossier - 1].attempts if state.dossier else 0

    cdef void keep_attempts(self, FlowState* state, uint32_t attempts) noexcept nogil
    cdef int open_past(self, Dossiers past, FlowState* was, const int64_t[::1] renamed) except -1 nogil
    cdef int close_past(self) except -1 nogil
    cdef forget_past(self)
    cdef int _set_known(self, uint8_t known) except -1 nogil
    cdef int recall_at(self, uint32_t number) except -1 nogil
    cdef int recall(self, Entry* entry, uint32_t signature) except -1 nogil
    cdef int _note(self, Completion* done) except -1 nogil
    cdef bint chased(self, FlowState* state) noexcept nogil
    cdef bint hopeless(self, FlowState* state, uint32_t signature) noexcept nogil
    cdef bint is_pending(self, uint32_t signature) noexcept nogil
    cdef bint _may_have(self, FlowState* state, uint32_t signature) noexcept nogil
    cdef bint matched(self, FlowState* state, uint32_t signature) noexcept nogil
    cdef int64_t barrier(self, FlowState* state, uint32_t signature) except -1 nogil
    cdef int64_t judge(
        self, FlowState* state, uint32_t flow, int64_t ts_ns, Result[::1] results, int64_t at
    ) except -1 nogil
    cdef bint by_hand(self, FlowState* state) noexcept nogil
    cdef bint in_tunnel(self, FlowState* state) noexcept nogil
    cdef bint from_server(self, FlowState* state) noexcept nogil
    cdef bint logged_in(self, FlowState* state) noexcept nogil
    cdef bint asked_again(self, FlowState* state) noexcept nogil
    cdef uint8_t _outcome(self, FlowState* state) noexcept nogil
    cdef bint passed_on(self, FlowState* state) noexcept nogil
    cdef uint32_t known_before(self, FlowState* state) noexcept nogil
    cdef bint knows_actor(self, FlowState* state) noexcept nogil
    cdef int finished(self, FlowState* state, Result* result) except -1 nogil
    cdef int free(self, FlowState* state) except -1 nogil
    cdef tuple values(self, uint32_t dossier)
    cdef list identifications(self, uint32_t dossier)
    cdef bint _before(self, Completion* one, Completion* other) noexcept nogil
    cdef uint32_t _facets(self, uint32_t signature) noexcept nogil
    cdef bint _unwanted(self, Dossier* dossier, uint32_t signature, uint32_t taken) noexcept nogil
    cdef bint _claim(self, Dossier* dossier, Completion* done, uint32_t taken) noexcept nogil
    cdef bint _again(self, Dossier* dossier, Completion* done) except -1 nogil
    cdef int _enter(
        self, Dossier* dossier, Completion* done, int64_t ts_ns, uint32_t number, bint lost
    ) except -1 nogil
    cdef int _open(self, FlowState* state) except -1 nogil
