# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.fetch cimport fetch
from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.state cimport AT_CLOSE, AT_SILENCE, Branch, Edge, FlowState, Item, Position, Rule

cdef struct Thread:
    uint32_t next           # thread + 1 of the same flow, or of the free list; 0 the last
    uint32_t at             # position; with CHASING set: item
    int32_t sums[2]         # of the bursts that are open; chasing: [0] the token at which it was complete
    uint16_t cost           # sizes that needed tolerance
    uint8_t edits
    int8_t before           # direction of the token before the `( a & b )` that it is in

cdef struct Token:          # the token that a step is about
    int32_t size            # not signed
    int32_t direction       # 1 client, -1 server
    uint32_t number
    int passed              # how many of the set's thresholds the gap before it reached
    int before              # direction of the token before it; 0: it is the first


@cython.final
cdef class Machine:
    cdef Position[::1] positions
    cdef Edge[::1] edges
    cdef Item[::1] items
    cdef Branch[::1] branches
    cdef Rule[::1] rules
    cdef Dossiers dossiers
    cdef Thread[::1] pool
    cdef uint32_t free_thread, used
    cdef uint32_t[::1] mark_epoch
    cdef uint32_t[::1] mark_thread
    cdef uint32_t epoch
    cdef uint32_t head, n_threads           # the list that a step makes
    cdef bint done                          # it holds a thread that is complete, but waits (see `_settle`)
    cdef uint8_t finals                     # of the positions on it, together
    cdef readonly uint64_t overflow

    cdef inline void prefetch(self, FlowState* state) noexcept nogil:
        """Ask for the flow's first thread, which will be stepped soon."""
        if state.threads:
            fetch(&self.pool[state.threads - 1])

    cdef inline void begin(self) noexcept nogil:
        """Before each token: nothing stands on the list that it will make."""
        self.head, self.n_threads, self.done, self.finals = 0, 0, False, 0
        self.epoch += 1
        if self.epoch == 0:
            self._forget_epochs()

    cdef inline bint waits(self) noexcept nogil:
        """Whether a thread that was put on the list since `begin` waits for silence."""
        return self.finals & (AT_SILENCE | AT_CLOSE)

    cdef int seed(self, FlowState* state, uint32_t branch, Token* token, uint32_t cost) except -1 nogil
    cdef int token(self, FlowState* state, Token* token) except -1 nogil
    cdef int close(self, FlowState* state, Token* token) except -1 nogil
    cdef int silence(self, FlowState* state, int passed) except -1 nogil
    cdef int end(self, FlowState* state, int passed, bint seen) except -1 nogil
    cdef int awaited(self, FlowState* state, int passed) except -2 nogil
    cdef int drop(self, FlowState* state) except -1 nogil
    cdef int free(self, FlowState* state) except -1 nogil
    cdef int _step(self, FlowState* state, Thread* thread, Token* token) except -1 nogil
    cdef bint _may_not_again(self, FlowState* state, uint32_t signature) noexcept nogil
    cdef bint _stays(self, Thread* thread) noexcept nogil
    cdef int _go_on(self, uint32_t at, Token* token) except -1 nogil
    cdef bint _begins(self, uint8_t rule, int before, Token* token) noexcept nogil
    cdef bint _over(self, Position* here, uint8_t slots, Token* token, bint gap) noexcept nogil
    cdef int _sums_fit(self, Position* here, uint8_t slots, int32_t* sums) noexcept nogil
    cdef int _finish(
        self, FlowState* state, Thread* thread, Position* position, uint32_t number
    ) except -1 nogil
    cdef int _chase(self, Thread* thread, Token* token) except -1 nogil
    cdef int _follow(self, uint32_t here, uint32_t cost, uint32_t edits, Token* token) except -1 nogil
    cdef int _settle(self, FlowState* state) except -1 nogil
    cdef bint _is_done(self, Thread* thread) noexcept nogil
    cdef int _complete_chase(self, Thread* thread) except -1 nogil
    cdef bint _ends_with(self, FlowState* state, Thread* thread) noexcept nogil
    cdef bint is_shared(self, uint32_t position) noexcept nogil
    cdef void _forget_epochs(self) noexcept nogil
    cdef int _push(
        self, uint32_t at, int32_t* sums, uint32_t cost, uint32_t edits, int before
    ) except -1 nogil
    cdef int _push_chase(self, uint32_t item, uint32_t cost, uint32_t edits, uint32_t number) except -1 nogil
    cdef uint32_t _new(self, uint32_t at, uint32_t cost, uint32_t edits) except? 0 nogil
    cdef int _release(self, uint32_t thread) noexcept nogil
