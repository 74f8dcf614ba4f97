from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t


cdef class Filter:
    cdef uint8_t[:, ::1] class_of
    cdef uint64_t[:, :, ::1] lanes      # [lane, class, word]
    cdef uint8_t[::1] depth             # for each word, lanes that any of its branches uses
    cdef uint64_t[:, :, ::1] words_of
    cdef uint32_t[:, ::1] groups
    cdef readonly uint64_t overflow
    cdef uint32_t[::1] found

    cdef int classify(self, int size) except -1 nogil
    cdef int64_t walk(self, uint32_t group, uint64_t recent) except -1 nogil
