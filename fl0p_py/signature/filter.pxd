# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    LARGEST = 0xFFFF    # larger sizes share a class with it


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
    cdef uint32_t[::1] found
    cdef int64_t n_found

    cdef inline int classify(self, int size) noexcept nogil:
        """The class of a token, its size signed by direction."""
        if size > 0:
            return self.class_of[0, size if size < LARGEST else LARGEST]
        return self.class_of[1, -size if size > -LARGEST else LARGEST]

    cdef inline uint8_t classify_port(self, uint16_t port) noexcept nogil:
        return self.class_of_port[port]

    cdef int64_t walk(
        self, uint32_t group, uint32_t other, uint64_t recent, uint8_t port, bint chases
    ) noexcept nogil
    cdef void _range(self, uint32_t group, uint64_t recent, uint8_t port, bint chases) noexcept nogil
    cdef void _block(
        self, uint32_t block, uint64_t words, uint64_t recent, uint8_t port
    ) noexcept nogil
