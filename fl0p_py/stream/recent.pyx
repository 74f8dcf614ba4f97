# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# SAFETY of boundscheck=False: slots are numbers that `open` gave out, ring places come from a modulus, and
# callers have checked that data[at : at + length] is there.
"""Recent: the last bytes of some streams, so that what is sent again can be compared with them.

A fixed number of slots of a fixed size; who finds none left does not compare.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

import numpy as np

cdef int64_t BIAS = 1 << 42     # a multiple of every size, and makes offsets positive


cdef class Recent:
    """slots : streams at a time; size : bytes of each, a power of two"""

    def __init__(self, Py_ssize_t slots, Py_ssize_t size):
        if size < 1 or size & (size - 1):
            raise ValueError(f"size is {size}, expected a power of two")
        self.size = size
        self.ring = np.empty((slots, size), np.uint8)
        self.bounds = np.zeros((slots, 2), np.int64)
        self.link = np.zeros(slots, np.int32)
        self.free_slot, self.unused_slot = -1, 0

    cdef int32_t open(self) noexcept nogil:
        """An empty slot; -1: there is none left."""
        cdef int32_t slot = self.free_slot
        if slot >= 0:
            self.free_slot = self.link[slot]
        elif self.unused_slot < self.link.shape[0]:
            slot = self.unused_slot
            self.unused_slot += 1
        else:
            return -1
        self.bounds[slot, 0] = self.bounds[slot, 1] = 0
        return slot

    cdef void close(self, int32_t slot) noexcept nogil:
        self.link[slot] = self.free_slot
        self.free_slot = slot

    cdef void put(self, int32_t slot, int64_t offset, const uint8_t[::1] data, Py_ssize_t at,
                  Py_ssize_t length) noexcept nogil:
        """The stream goes on with data[at : at + length]; behind a gap, what was there is forgotten."""
        cdef Py_ssize_t k
        if offset != self.bounds[slot, 1]:
            self.bounds[slot, 0] = offset
        if length > self.size:
            at += length - self.size
            offset += length - self.size
            length = self.size
        for k in range(length):
            self.ring[slot, (offset + BIAS + k) & (self.size - 1)] = data[at + k]
        self.bounds[slot, 1] = offset + length
        self.bounds[slot, 0] = max(self.bounds[slot, 0], offset + length - self.size)

    cdef int64_t first_difference(self, int32_t slot, int64_t start, int64_t end, const uint8_t[::1] data,
                                  Py_ssize_t at) noexcept nogil:
        """The first offset in [start, end), data[at:], whose byte was another; `end`: none that is known."""
        cdef int64_t offset
        for offset in range(max(start, self.bounds[slot, 0]), min(end, self.bounds[slot, 1])):
            if self.ring[slot, (offset + BIAS) & (self.size - 1)] != data[at + (offset - start)]:
                return offset
        return end
