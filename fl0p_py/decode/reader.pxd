# Checked readers: the only place of this layer where a pointer into captured bytes is followed.
#
# `Bytes` is a run of bytes with its length; positions count from its start.  A read beyond the end gives 0
# and touches nothing, so that no mistake elsewhere can read foreign memory.  Callers still ask `has` first
# wherever a 0 would be taken for something the wire said.

cimport cython
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from fl0p_py.fetch cimport fetch

cdef extern from "<endian.h>" nogil:
    uint16_t be16toh(uint16_t)
    uint32_t be32toh(uint32_t)
    uint64_t be64toh(uint64_t)
    uint16_t le16toh(uint16_t)
    uint32_t le32toh(uint32_t)
    uint64_t le64toh(uint64_t)

cdef struct Bytes:
    const uint8_t *data
    size_t size


cdef inline Bytes bytes_of(const uint8_t[::1] memory) noexcept nogil:
    """All of `memory`, which must outlive the result."""
    cdef Bytes b
    b.data = NULL
    b.size = <size_t>memory.shape[0]
    if b.size:
        with cython.boundscheck(False):
            b.data = &memory[0]
    return b


cdef inline Bytes part(Bytes b, size_t start, size_t size) noexcept nogil:
    """`size` bytes from `start`; fewer where `b` ends before."""
    if start > b.size:
        start = b.size
    b.data += start
    b.size -= start
    return clipped(b, size)


cdef inline bint has(Bytes b, size_t at, size_t n) noexcept nogil:
    return at <= b.size and n <= b.size - at


cdef inline Bytes clipped(Bytes b, size_t size) noexcept nogil:
    """The same bytes, at most `size` of them."""
    if size < b.size:
        b.size = size
    return b


cdef inline uint8_t u8(Bytes b, size_t at) noexcept nogil:
    return b.data[at] if at < b.size else 0


cdef inline uint16_t be16(Bytes b, size_t at) noexcept nogil:
    cdef uint16_t value = 0
    if has(b, at, 2):
        memcpy(&value, b.data + at, 2)
    return be16toh(value)


cdef inline uint32_t be32(Bytes b, size_t at) noexcept nogil:
    cdef uint32_t value = 0
    if has(b, at, 4):
        memcpy(&value, b.data + at, 4)
    return be32toh(value)


cdef inline uint64_t be64(Bytes b, size_t at) noexcept nogil:
    cdef uint64_t value = 0
    if has(b, at, 8):
        memcpy(&value, b.data + at, 8)
    return be64toh(value)


cdef inline uint16_t le16(Bytes b, size_t at) noexcept nogil:
    cdef uint16_t value = 0
    if has(b, at, 2):
        memcpy(&value, b.data + at, 2)
    return le16toh(value)


cdef inline uint32_t le32(Bytes b, size_t at) noexcept nogil:
    cdef uint32_t value = 0
    if has(b, at, 4):
        memcpy(&value, b.data + at, 4)
    return le32toh(value)


cdef inline bint copy_out(Bytes b, size_t at, size_t n, uint8_t *to) noexcept nogil:
    """Copy n bytes to `to`, which has room for them; False, and nothing copied, where they are not there."""
    if not has(b, at, n):
        return False
    memcpy(to, b.data + at, n)
    return True


cdef inline uint64_t sum_of(Bytes b, size_t at, size_t n) noexcept nogil:
    """Sum of n bytes as little-endian 16-bit words, carries not yet folded in; 0 where they are not there.

    One's complement sums do not care for the width of the words added nor, but for a swap of the result,
    for the byte order (RFC 1071 section 2): 32-bit halves of 64-bit words are added into 64-bit sums.
    """
    cdef const uint8_t *p
    cdef uint64_t word = 0, low = 0, high = 0
    cdef size_t i, whole = n >> 3, rest = n & 7
    if not has(b, at, n):
        return 0
    p = b.data + at
    for i in range(whole):
        memcpy(&word, p + 8 * i, 8)
        word = le64toh(word)
        low += <uint32_t>word
        high += word >> 32
    if rest:
        if whole:       # the last 8 bytes, shifted so that those already added fall out
            memcpy(&word, p + n - 8, 8)
            word = le64toh(word) >> (8 * (8 - rest))
        else:
            word = 0
            memcpy(&word, p, rest)
            word = le64toh(word)
        low += <uint32_t>word
        high += word >> 32
    return low + high


cdef inline void prefetch(Bytes b, size_t at) noexcept nogil:
    """Ask the processor for the 128 bytes at `at`, two cache lines, which will be read soon."""
    if has(b, at, 128):
        fetch(b.data + at)
        fetch(b.data + at + 64)
