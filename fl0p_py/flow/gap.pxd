# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# The gap before a stored token, in 16 bits: 5 of exponent, 11 of mantissa, in units of 2^-10 ms.
#
#   exponent 0      the mantissa itself: below 2 ms, exact to a unit
#   exponent e      (2048 + mantissa) << (e - 1): exact to one part in 2048
#
# Truncated, so that a gap below a threshold stays below it; one that reaches the table's own threshold is
# never stored as less.  The longest is 24 days: what lasts longer is stored as that.

from libc.stdint cimport int64_t, uint16_t, uint64_t

cdef extern from *:
    int __builtin_clzll(unsigned long long) noexcept nogil

cdef enum:
    UNITS_PER_MS = 1024
    NS_PER_MS = 1000000
    MANTISSA_BITS = 11
    MANTISSA = 1 << 11
    LONGEST = 0xFFFF


cdef inline uint64_t gap_units(uint16_t code) noexcept nogil:
    cdef int exponent = code >> MANTISSA_BITS
    if exponent == 0:
        return code
    return <uint64_t>(MANTISSA | (code & (MANTISSA - 1))) << (exponent - 1)


cdef inline uint16_t gap_code(uint64_t gap_ns, uint64_t threshold_ms) noexcept nogil:
    cdef uint64_t ms = gap_ns // NS_PER_MS
    cdef uint64_t units = ms * UNITS_PER_MS + (gap_ns - ms * NS_PER_MS) * UNITS_PER_MS // NS_PER_MS
    cdef int shift
    cdef uint16_t code
    if units < MANTISSA:
        code = <uint16_t>units
    else:
        shift = 63 - MANTISSA_BITS - __builtin_clzll(units)
        if shift > 30:
            return LONGEST
        code = <uint16_t>((shift + 1) << MANTISSA_BITS | (units >> shift & (MANTISSA - 1)))
    if ms >= threshold_ms and gap_units(code) < threshold_ms * UNITS_PER_MS:
        code += 1       # the next one up is longer than the gap, so it reaches what the gap reaches
    return code
