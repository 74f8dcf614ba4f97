from libc.stdint cimport uint16_t, uint32_t

from fl0p_py.timing.record cimport Judgement, Rhythm

cdef void judged(
    Judgement* said, Rhythm* one, uint32_t* pauses, uint16_t* keys, bint over, bint wrapped
) noexcept nogil
cdef bint is_quick(Rhythm* one, uint32_t* pauses) noexcept nogil
