# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The filter: which branches can end at this token, by the classes of the flow's last eight tokens.

Stateless and bit-sliced.  A token's class is its direction and the bin of its size; bins are cut at
the signatures' own bounds.  Branches stand 64 to a word; `lanes[i, class, word]` has a bit for each
branch of the word whose i-th item from the end accepts the class, so ANDing eight entries leaves those
that may match.  `words_of[lane, class]` names, as bits, the words with anything in that lane, so most
words are never looked at.  Ports are cut into classes in the same way; the flow's is one lane more.

What is left over is a superset of what matches: the caller compares the real sizes.

SAFETY: bounds checks are off in release builds.  `Filter.__init__` sizes every table by the largest
class, word and group, and the memos by the bits of their place; `walk` and `prefetch` are given groups
below `len(groups)` and classes from `classify` and `classify_port` only.
"""

import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from fl0p_py.signature.memory import in_lines, multiplier

cdef extern from *:
    int __builtin_ctzll(unsigned long long) nogil

cdef enum:
    LANES = 8
    INDEXED_LANES = 4   # of one block only three are looked up: there the fourth costs more than it saves
    BITS = 64
    MOST_FOUND = 4096
    FEW_WORDS = 16      # they are gone through as fast as a memo is looked at


cdef class Filter:
    """The tables of one set of branches.

    class_of : uint8[2, 65536], class of a size from the client, from the server; 0 is no token
    low, high: uint8[branches, 8], classes that each lane accepts, both included; low 0: all, the lane
               is not used; low above high: none
    others   : uint32[n, 3], branch, low and high of further classes that its first lane accepts
    class_of_port : uint8[65536], class of a server's port
    ports    : uint32[n, 3], branch, low and high of classes of ports that it accepts; all if it is not there
    first    : uint32[groups + 1], where each group's branches begin; each begins a new word
    chases   : bool[branches], those that `walk` is asked to leave out where it can
    overflow : branches that were dropped because too many were left over at one token
    """

    def __init__(self, class_of, low, high, others, class_of_port, ports, first, chases):
        cdef uint8_t[:, ::1] lows = np.ascontiguousarray(low, np.uint8)
        cdef uint8_t[:, ::1] highs = np.ascontiguousarray(high, np.uint8)
        cdef uint32_t[:, ::1] more = np.ascontiguousarray(others, np.uint32)
        cdef uint32_t[:, ::1] port = np.ascontiguousarray(ports, np.uint32)
        cdef int64_t branch, word, lane, one
        cdef uint64_t bit
        if lows.shape[1] != LANES or highs.shape[0] != lows.shape[0] or lows.shape[0] % BITS:
            raise ValueError("low and high must be [branches, 8] in whole words")
        self.class_of = np.ascontiguousarray(class_of, np.uint8)
        if self.class_of.shape[0] != 2 or self.class_of.shape[1] != LARGEST + 1:
            raise ValueError("class_of must be [2, 65536]")
        classes = int(np.max(class_of)) + 1
        words = lows.shape[0] // BITS
        if lows.shape[0] and int(np.max(high)) >= classes:
            raise ValueError("a lane accepts a class that no size has")
        if len(others) and (np.max(others[:, 0]) >= lows.shape[0] or np.max(others[:, 2]) >= classes):
            raise ValueError("others name a branch or a class that is not there")
        self.class_of_port = np.ascontiguousarray(class_of_port, np.uint8)
        port_classes = int(np.max(class_of_port)) + 1
        if self.class_of_port.shape[0] != LARGEST + 1:
            raise ValueError("class_of_port must be [65536]")
        if len(ports) and (np.max(ports[:, 0]) >= lows.shape[0] or np.max(ports[:, 2]) >= port_classes):
            raise ValueError("ports name a branch or a class that is not there")
        bounds = np.asarray(first, np.uint32) // BITS
        if np.any(np.diff(bounds.astype(np.int64)) < 0) or bounds[len(bounds) - 1] > words:
            raise ValueError("groups must ascend")
        self.groups = np.ascontiguousarray(np.stack([bounds[: len(bounds) - 1], bounds[1:]], axis=1))
        self.remembers = words > FEW_WORDS
        self.stir, self.spread = multiplier(), multiplier()
        self.memos = in_lines(sizeof(Memo) << MEMO_BITS, np.uint8).reshape(-1, sizeof(Memo))
        self.lanes = np.zeros((LANES, classes, words), np.uint64)
        self.depth = np.zeros(words, np.uint8)
        self.blocks = words // BITS + 1
        self.words_of = np.zeros((INDEXED_LANES, classes, self.blocks), np.uint64)
        self.ports = np.full((port_classes, words), 0xFFFFFFFFFFFFFFFF, np.uint64)
        self.words_of_port = np.zeros((port_classes, self.blocks), np.uint64)
        self.words_of_group = np.zeros(len(bounds), np.uint64)
        self.without_chases = np.zeros(self.blocks, np.uint64)
        self.list = np.zeros(MOST_FOUND, np.uint32)
        for branch in range(lows.shape[0]):
            word, bit = branch // BITS, <uint64_t>1 << (branch % BITS)
            for lane in range(LANES):
                if 0 < lows[branch, lane] <= highs[branch, lane] and self.depth[word] <= lane:
                    self.depth[word] = lane + 1
                if lows[branch, lane] <= highs[branch, lane]:
                    self.lanes[lane, lows[branch, lane], word] ^= bit
                    if highs[branch, lane] + 1 < self.lanes.shape[1]:
                        self.lanes[lane, highs[branch, lane] + 1, word] ^= bit
        for lane in range(LANES):       # from where each bit changes to where it is set
            for one in range(1, self.lanes.shape[1]):
                for word in range(self.lanes.shape[2]):
                    self.lanes[lane, one, word] ^= self.lanes[lane, one - 1, word]
        for branch in range(more.shape[0]):
            word, bit = more[branch, 0] // BITS, <uint64_t>1 << (more[branch, 0] % BITS)
            for one in range(more[branch, 1], more[branch, 2] + 1):
                self.lanes[0, one, word] |= bit
        for branch in range(port.shape[0]):
            word, bit = port[branch, 0] // BITS, <uint64_t>1 << (port[branch, 0] % BITS)
            self.ports[0, word] &= ~bit
        for one in range(1, port_classes):
            self.ports[one, :] = self.ports[0, :]
        for branch in range(port.shape[0]):
            word, bit = port[branch, 0] // BITS, <uint64_t>1 << (port[branch, 0] % BITS)
            for one in range(port[branch, 1], port[branch, 2] + 1):
                self.ports[one, word] |= bit
        for one in range(port_classes):
            for word in range(words):
                if self.ports[one, word]:
                    self.words_of_port[one, word // BITS] |= <uint64_t>1 << (word % BITS)
        used = (np.asarray(low) <= np.asarray(high)).any(axis=1)
        for word in np.flatnonzero((used & ~np.asarray(chases, np.bool_)).reshape(words, BITS).any(axis=1)):
            self.without_chases[word // BITS] |= <uint64_t>1 << (word % BITS)
        if self.blocks == 1:
            for one in range(len(bounds) - 1):
                for word in range(bounds[one], bounds[one + 1]):
                    self.words_of_group[one] |= <uint64_t>1 << word
        for one in range(classes):
            for word in range(words):
                for lane in range(INDEXED_LANES):
                    if self.lanes[lane, one, word]:
                        self.words_of[lane, one, word // BITS] |= <uint64_t>1 << (word % BITS)

    cdef int64_t _walk(
        self, uint32_t group, uint32_t other, uint64_t recent, uint8_t port, bint chases
    ) noexcept nogil:
        cdef uint64_t words
        self.n_list = 0
        self.found = &self.list[0]
        if self.blocks == 1:
            words = self.words_of_group[group] | self.words_of_group[other]
            self._block(0, words if chases else words & self.without_chases[0], recent, port)
        else:
            self._range(group, recent, port, chases)
            if other != group:
                self._range(other, recent, port, chases)
        return self.n_list

    cdef void _note(self, Memo* memo, uint64_t recent, uint32_t rest) noexcept nogil:
        """Note what `_walk` has found."""
        cdef int64_t one
        memo.recent, memo.rest, memo.found = recent, rest, <uint32_t>self.n_list
        for one in range(self.n_list):
            memo.branches[one] = self.list[one]

    cdef void _range(self, uint32_t group, uint64_t recent, uint8_t port, bint chases) noexcept nogil:
        cdef uint32_t begin = self.groups[group, 0], end = self.groups[group, 1], block
        cdef uint64_t words
        if begin == end:
            return
        for block in range(begin // BITS, (end - 1) // BITS + 1):
            words = ~<uint64_t>0 if chases else self.without_chases[block]
            if block == begin // BITS:
                words &= ~<uint64_t>0 << (begin % BITS)
            if block == (end - 1) // BITS:
                words &= ~<uint64_t>0 >> (BITS - 1 - (end - 1) % BITS)
            self._block(block, words, recent, port)

    cdef void _block(
        self, uint32_t block, uint64_t words, uint64_t recent, uint8_t port
    ) noexcept nogil:
        cdef uint32_t word, lane
        cdef uint64_t left, classes
        cdef uint8_t c0 = recent & 0xFF, c1 = recent >> 8 & 0xFF, c2 = recent >> 16 & 0xFF
        words &= self.words_of[0, c0, block] & self.words_of[1, c1, block] & self.words_of[2, c2, block]
        words &= self.words_of_port[port, block]
        if self.blocks > 1:
            words &= self.words_of[3, recent >> 24 & 0xFF, block]
        while words:
            word = block * BITS + <uint32_t>__builtin_ctzll(words)
            words &= words - 1
            left = self.lanes[0, c0, word] & self.lanes[1, c1, word] & self.lanes[2, c2, word]
            left &= self.ports[port, word]
            classes = recent >> 24
            lane = 3
            while left and lane < self.depth[word]:
                left &= self.lanes[lane, classes & 0xFF, word]
                classes >>= 8
                lane += 1
            while left:
                if self.n_list == MOST_FOUND:
                    self.overflow += 1
                    return
                self.list[self.n_list] = word * BITS + <uint32_t>__builtin_ctzll(left)
                left &= left - 1
                self.n_list += 1
