# The last bytes of some streams; see recent.pyx.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t


@cython.final
cdef class Recent:
    cdef uint8_t[:, ::1] ring               # [slot, size]: the byte at an offset is at offset % size
    cdef int64_t[:, ::1] bounds             # [slot, 2]: offsets [start, end) that are there
    cdef int32_t[::1] link
    cdef int32_t free_slot, unused_slot
    cdef Py_ssize_t size

    cdef int32_t open(self) noexcept nogil
    cdef void close(self, int32_t slot) noexcept nogil
    cdef void put(self, int32_t slot, int64_t offset, const uint8_t[::1] data, Py_ssize_t at,
                  Py_ssize_t length) noexcept nogil
    cdef int64_t first_difference(self, int32_t slot, int64_t start, int64_t end, const uint8_t[::1] data,
                                  Py_ssize_t at) noexcept nogil
