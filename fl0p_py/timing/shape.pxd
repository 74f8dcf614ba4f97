from libc.stdint cimport uint32_t

cdef enum:
    UNIT_NS = 10000         # of an interval

cdef void sort(uint32_t* ordered, uint32_t* values, int n) noexcept nogil
cdef double middle(uint32_t* ordered, int n) noexcept nogil
cdef double spread(uint32_t* ordered, int n) noexcept nogil
cdef bint regular(uint32_t* ordered, int n) noexcept nogil
cdef double follows(uint32_t* values, int n) noexcept nogil
cdef bint swings(uint32_t* values, int n) noexcept nogil
cdef bint drawn(uint32_t* ordered, int n, double shortest) noexcept nogil
