# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.fetch cimport fetch

cdef enum:
    LARGEST = 0xFFFF    # larger sizes share a class with it
    MOST_KEPT = 4       # branches that a memo has room for
    MEMO_BITS = 14      # of the place of a memo; so many take 512 KB
    MEMO = 0x80000000   # in `rest`: there is one

cdef struct Memo:       # what a walk has found; 32 bytes
    uint64_t recent
    uint32_t rest       # what else it depends on, see `walk`; 0: nothing yet
    uint32_t found
    uint32_t branches[MOST_KEPT]


@cython.final
cdef class Filter:
    cdef uint8_t[:, ::1] class_of
    cdef uint64_t[:, :, ::1] lanes      # [lane, class, word]
    cdef uint8_t[::1] depth             # for each word, lanes that any of its branches uses
    cdef uint64_t[:, :, ::1] words_of   # [lane, class, block]
    cdef uint8_t[::1] class_of_port
    cdef uint64_t[:, ::1] ports         # [class of port, word]
    cdef uint64_t[:, ::1] words_of_port     # [class of port, block]
    cdef uint32_t[:, ::1] groups
    cdef uint64_t[::1] words_of_group   # if there is just one block
    cdef uint64_t[::1] without_chases   # [block]: words that hold something else too
    cdef uint32_t blocks
    cdef readonly uint64_t overflow
    cdef bint remembers             # what was found is noted
    cdef uint8_t[:, ::1] memos      # [2 ** MEMO_BITS, sizeof(Memo)]
    cdef uint64_t stir, spread      # see memory.multiplier
    cdef const uint32_t* found
    cdef uint32_t[::1] list
    cdef int64_t n_list

    cdef inline int classify(self, int size) noexcept nogil:
        """The class of a token, its size signed by direction."""
        if size > 0:
            return self.class_of[0, size if size < LARGEST else LARGEST]
        return self.class_of[1, -size if size > -LARGEST else LARGEST]

    cdef inline uint8_t classify_port(self, uint16_t port) noexcept nogil:
        return self.class_of_port[port]

    cdef inline Memo* memo(self, uint32_t other, uint64_t recent, uint8_t port) noexcept nogil:
        """Where it is noted what was found for these."""
        cdef uint64_t mixed = recent ^ (other << 8 | port) * self.stir
        return <Memo*>&self.memos[mixed * self.spread >> (64 - MEMO_BITS), 0]

    cdef inline void prefetch(
        self, uint32_t other, uint64_t recent, uint8_t port, int size
    ) noexcept nogil:
        """Ask for the memo of a token that will come soon; recent : the classes of those before it."""
        fetch(self.memo(other, recent << 8 | <uint64_t>self.classify(size), port))

    cdef inline int64_t walk(
        self, uint32_t group, uint32_t other, uint64_t recent, uint8_t port, bint chases
    ) noexcept nogil:
        """Point `found` to the branches of two groups (that may be the same) that may end here; how many.

        chases : without it, words that hold nothing else are left out
        """
        cdef uint32_t rest = MEMO | other << 16 | <uint32_t>chases << 8 | port
        cdef Memo* memo
        if not self.remembers:
            return self._walk(group, other, recent, port, chases)
        memo = self.memo(other, recent, port)
        if memo.recent == recent and memo.rest == rest:
            self.found = memo.branches
            return memo.found
        memo.rest = 0
        if self._walk(group, other, recent, port, chases) <= MOST_KEPT:
            self._note(memo, recent, rest)
        return self.n_list

    cdef int64_t _walk(
        self, uint32_t group, uint32_t other, uint64_t recent, uint8_t port, bint chases
    ) noexcept nogil
    cdef void _note(self, Memo* memo, uint64_t recent, uint32_t rest) noexcept nogil
    cdef void _range(self, uint32_t group, uint64_t recent, uint8_t port, bint chases) noexcept nogil
    cdef void _block(
        self, uint32_t block, uint64_t words, uint64_t recent, uint8_t port
    ) noexcept nogil
