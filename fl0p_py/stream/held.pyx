# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# SAFETY of boundscheck=False: entries and blocks are numbers that the pools handed out; ring places come
# from a modulus; ranges of data are checked by the caller against the record (at + captured lies inside),
# those of held bytes by `insert` against HELD_REACH.
"""HeldStore: bytes that wait for the bytes before them, and whose bytes stay where segments overlap.

An entry is one direction of a flow.  Its bytes lie in blocks by their offset, each byte once: where a segment
comes upon bytes that are held already, the policy says at once which of them stay.  Which ranges there are,
and which segments they came with, is a short list of spans.

Memory is two pools of fixed size, entries and blocks.  When one is empty, nothing more is held, and the
caller says so; entries empty themselves, since the flow table gives up holes after a second.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcmp, memcpy

import numpy as np

from fl0p_py.stream.held cimport *

POLICIES = {"first": FIRST, "last": LAST, "linux": LINUX}

cdef int64_t BIAS = 1 << 42     # makes offsets positive: those from before a pick up in the middle are not


def _dtype():
    cdef Span span
    return np.asarray(<Span[:1]> &span).dtype


SPAN_DTYPE = _dtype()


cdef inline int64_t number_of(int64_t offset) noexcept nogil:
    """Of the block that has this byte."""
    return (offset + BIAS) >> HELD_BITS


cdef inline int64_t block_end(int64_t offset) noexcept nogil:
    """Of the block that has this byte."""
    return ((number_of(offset) + 1) << HELD_BITS) - BIAS


cdef class HeldStore:
    """size : bytes of blocks; entries : directions that may hold bytes at a time; policy : of POLICIES"""

    def __init__(self, Py_ssize_t size, Py_ssize_t entries, policy):
        blocks = max(1, size // HELD_BLOCK)
        self.policy = POLICIES[policy]
        self.span = np.zeros((entries, HELD_SPANS), SPAN_DTYPE)
        self.spans = np.zeros(entries, np.uint8)
        self.ring = np.zeros((entries, HELD_RING), np.int32)
        self.low = np.zeros(entries, np.int64)
        self.link = np.zeros(entries, np.int32)
        self.memory = np.empty((blocks, HELD_BLOCK), np.uint8)
        self.block_link = np.zeros(blocks, np.int32)
        self.free_entry = self.free_block = -1
        self.unused_entry = self.unused_block = 0
        self.blocks_left = blocks

    cdef int32_t open(self, int64_t next) noexcept nogil:
        """A new entry; -1: there is none left."""
        cdef int32_t entry = self.free_entry
        cdef int k
        if entry >= 0:
            self.free_entry = self.link[entry]
        elif self.unused_entry < self.spans.shape[0]:
            entry = self.unused_entry
            self.unused_entry += 1
        else:
            return -1
        self.spans[entry] = 0
        self.low[entry] = number_of(next)
        for k in range(HELD_RING):
            self.ring[entry, k] = -1
        return entry

    cdef void close(self, int32_t entry) noexcept nogil:
        """Give the entry and its blocks back."""
        cdef int k
        cdef int32_t block
        for k in range(HELD_RING):
            block = self.ring[entry, k]
            if block >= 0:
                self.block_link[block] = self.free_block
                self.free_block = block
                self.blocks_left += 1
        self.link[entry] = self.free_entry
        self.free_entry = entry

    cdef int32_t block_of(self, int32_t entry, int64_t offset, bint make) noexcept nogil:
        cdef int32_t* place = &self.ring[entry, number_of(offset) % HELD_RING]
        if place[0] < 0 and make:
            if self.free_block >= 0:
                place[0] = self.free_block
                self.free_block = self.block_link[place[0]]
            else:
                place[0] = self.unused_block
                self.unused_block += 1
            self.blocks_left -= 1
        return place[0]

    cdef bint wins(self, const Span* old, const Span* new) noexcept nogil:
        """Whether the bytes of a new segment take the place of those held."""
        if old.cut or new.cut:
            return old.cut and not new.cut
        if self.policy == FIRST:
            return False
        if self.policy == LAST:
            return True
        if new.owner_start != old.owner_start:
            return new.owner_start < old.owner_start
        return new.owner_end > old.owner_end

    cdef bint insert(
        self, int32_t entry, int64_t start, int64_t end, bint cut, const uint8_t[::1] data, Py_ssize_t at
    ) noexcept nogil:
        """Hold [start, end), whose bytes are data[at:]; False: there is no room, and nothing has changed.

        The end must be within HELD_REACH of the bytes that wait longest, and `start` not below them.
        """
        cdef Span[2 * HELD_SPANS + 2] made
        cdef Span new, part
        cdef Span* old
        cdef int64_t position = start
        cdef int k, n = 0
        if not cut and self.blocks_left < (end - start >> HELD_BITS) + 2:
            return False
        new.start, new.end, new.owner_start, new.owner_end = start, end, start, end
        new.cut, new.fresh = cut, True
        for k in range(self.spans[entry]):
            old = &self.span[entry, k]
            if old.end <= start or old.start >= end or not self.wins(old, &new):
                if old.start > position and position < end:
                    part = new
                    part.start, part.end = position, min(old.start, end)
                    made[n] = part
                    n += 1
                    position = part.end
                made[n] = old[0]
                n += 1
                if old.end > position and old.start < end:
                    position = old.end
                continue
            if old.start < start:
                made[n] = old[0]
                made[n].end = start
                n += 1
            if old.end > end:
                part = new
                part.start = position
                made[n] = part
                made[n + 1] = old[0]
                made[n + 1].start = end
                n += 2
                position = end
        if position < end:
            part = new
            part.start = position
            made[n] = part
            n += 1
        if n > HELD_SPANS:
            return False
        for k in range(n):
            if made[k].fresh:
                made[k].fresh = 0
                if not cut:
                    self.write(entry, made[k].start, made[k].end, data, at + (made[k].start - start))
            self.span[entry, k] = made[k]
        self.spans[entry] = <uint8_t>n
        return True

    cdef bint differs(
        self, int32_t entry, int64_t start, int64_t end, const uint8_t[::1] data, Py_ssize_t at
    ) noexcept nogil:
        """Whether data[at:] is not what is held at [start, end)."""
        cdef int64_t stop
        while start < end:
            stop = min(end, block_end(start))
            if memcmp(
                &self.memory[self.block_of(entry, start, False), (start + BIAS) % HELD_BLOCK],
                &data[at], stop - start,
            ):
                return True
            at += stop - start
            start = stop
        return False

    cdef void read(
        self, int32_t entry, int64_t start, int64_t end, uint8_t[::1] out, Py_ssize_t at
    ) noexcept nogil:
        cdef int64_t stop
        while start < end:
            stop = min(end, block_end(start))
            memcpy(
                &out[at], &self.memory[self.block_of(entry, start, False), (start + BIAS) % HELD_BLOCK],
                stop - start,
            )
            at += stop - start
            start = stop

    cdef void write(
        self, int32_t entry, int64_t start, int64_t end, const uint8_t[::1] data, Py_ssize_t at
    ) noexcept nogil:
        cdef int64_t stop
        while start < end:
            stop = min(end, block_end(start))
            memcpy(
                &self.memory[self.block_of(entry, start, True), (start + BIAS) % HELD_BLOCK], &data[at],
                stop - start,
            )
            at += stop - start
            start = stop

    cdef void advance(self, int32_t entry, int64_t next) noexcept nogil:
        """Bytes below `next` are no longer needed: forget their spans and blocks."""
        cdef int k, n = 0, count = self.spans[entry]
        cdef int32_t block
        cdef int32_t* place
        while n < count and self.span[entry, n].end <= next:
            n += 1
        if n:
            for k in range(n, count):
                self.span[entry, k - n] = self.span[entry, k]
            self.spans[entry] = <uint8_t>(count - n)
        if count > n and self.span[entry, 0].start < next:
            self.span[entry, 0].start = next
        n = 0
        while self.low[entry] < number_of(next) and n < HELD_RING:
            place = &self.ring[entry, self.low[entry] % HELD_RING]
            block = place[0]
            if block >= 0:
                self.block_link[block] = self.free_block
                self.free_block = block
                self.blocks_left += 1
                place[0] = -1
            self.low[entry] += 1
            n += 1
        self.low[entry] = number_of(next)
