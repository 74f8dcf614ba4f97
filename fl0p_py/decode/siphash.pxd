# SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): one round a word, three at
# the end.  Keyed, so that nobody outside can aim packets at one bucket.

from libc.stdint cimport uint64_t

cdef struct SipState:
    uint64_t v0
    uint64_t v1
    uint64_t v2
    uint64_t v3

cdef struct SipKey:
    uint64_t k0
    uint64_t k1


cdef inline uint64_t rotated(uint64_t x, int by) noexcept nogil:
    return (x << by) | (x >> (64 - by))


cdef inline SipState sip_round(SipState s) noexcept nogil:
    s.v0 += s.v1
    s.v1 = rotated(s.v1, 13) ^ s.v0
    s.v0 = rotated(s.v0, 32)
    s.v2 += s.v3
    s.v3 = rotated(s.v3, 16) ^ s.v2
    s.v0 += s.v3
    s.v3 = rotated(s.v3, 21) ^ s.v0
    s.v2 += s.v1
    s.v1 = rotated(s.v1, 17) ^ s.v2
    s.v2 = rotated(s.v2, 32)
    return s


cdef inline SipState sip_start(SipKey key) noexcept nogil:
    cdef SipState s
    s.v0 = key.k0 ^ 0x736F6D6570736575u
    s.v1 = key.k1 ^ 0x646F72616E646F6Du
    s.v2 = key.k0 ^ 0x6C7967656E657261u
    s.v3 = key.k1 ^ 0x7465646279746573u
    return s


cdef inline SipState sip_word(SipState s, uint64_t word) noexcept nogil:
    s.v3 ^= word
    s = sip_round(s)
    s.v0 ^= word
    return s


cdef inline uint64_t sip_end(SipState s, uint64_t tail, uint64_t length) noexcept nogil:
    """`tail`: the bytes after the last whole word, `length`: of the whole message."""
    s = sip_word(s, tail | (length << 56))
    s.v2 ^= 0xFF
    s = sip_round(s)
    s = sip_round(s)
    s = sip_round(s)
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
