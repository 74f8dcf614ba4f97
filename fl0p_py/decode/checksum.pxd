# Internet checksums (RFC 1071) of TCP, UDP, ICMP and ICMPv6, with their pseudo-headers.

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from fl0p_py.decode.numbers cimport IP_ICMP
from fl0p_py.decode.reader cimport Bytes, has, le16, sum_of
from fl0p_py.decode.record cimport PSEUDO, RIGHT, UNCHECKED, WRONG, Checksum


cdef inline uint16_t folded(uint64_t total) noexcept nogil:
    """A sum of 16-bit words with the carries added in again, as often as there are any."""
    total = <uint32_t>total + (total >> 32)
    total = <uint32_t>total + (total >> 32)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return <uint16_t>((total & 0xFFFF) + (total >> 16))


cdef inline uint64_t swapped(uint64_t word) noexcept nogil:
    """A 16-bit number as sum_of would have read it from the wire."""
    return (word & 0xFF) << 8 | (word >> 8) & 0xFF


cdef inline uint64_t pseudo_header(uint64_t addresses, int proto, size_t length) noexcept nogil:
    """RFC 9293 section 3.1, RFC 768 and RFC 8200 section 8.1 differ in layout only, not in the sum."""
    return addresses + (<uint64_t>proto << 8) + swapped(length) + swapped(length >> 16)


cdef inline Checksum judged(Bytes b, size_t at, size_t length, size_t field, uint64_t addresses,
                            int proto) noexcept nogil:
    """Judge the checksum at position `field` over `length` bytes from `at`.

    Left to the network card it holds the sum of the pseudo-header, not complemented: Linux puts the length
    in, Windows leaves it out of large sends.
    """
    cdef uint64_t pseudo
    cdef uint16_t stored
    if not has(b, at, length):
        return UNCHECKED
    if proto == IP_ICMP:        # the only one without a pseudo-header
        return RIGHT if folded(sum_of(b, at, length)) == 0xFFFF else WRONG
    pseudo = pseudo_header(addresses, proto, length)
    if folded(pseudo + sum_of(b, at, length)) == 0xFFFF:
        return RIGHT
    stored = le16(b, field)
    if stored == folded(pseudo) or stored == folded(pseudo - swapped(length)):
        return PSEUDO
    return WRONG
