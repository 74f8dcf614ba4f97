# The keyed hash of a flow key, the same for both directions.
#
# The message is a row of little-endian 64-bit words and a tail of 6 bytes.  Words: for IPv4 address << 16 |
# port of each end; for IPv6 the halves of each end's address, then both ports (first | second << 16).  The
# end with the smaller (address, port) goes first.  Tail: VLAN as in Decoded or 0, protocol, version.

from libc.stdint cimport uint32_t, uint64_t

from fl0p_py.decode.reader cimport Bytes, be32, be64
from fl0p_py.decode.record cimport Decoded
from fl0p_py.decode.siphash cimport SipKey, SipState, sip_end, sip_start, sip_word


cdef inline uint32_t flow_hash(Decoded *out, SipKey key, uint32_t vlan) noexcept nogil:
    """The low half of SipHash-1-3 over addresses, ports, protocol, version and `vlan`."""
    cdef SipState s = sip_start(key)
    cdef Bytes src, dst
    cdef uint64_t a, b, a_low, b_low, a_port, b_port, swap, length
    src.data = out.src
    dst.data = out.dst
    src.size = dst.size = sizeof(out.src)
    if out.version == 4:
        a = <uint64_t>be32(src, 0) << 16 | out.sport
        b = <uint64_t>be32(dst, 0) << 16 | out.dport
        s = sip_word(s, a if a < b else b)
        s = sip_word(s, b if a < b else a)
        length = 22
    else:
        a, a_low, a_port = be64(src, 0), be64(src, 8), out.sport
        b, b_low, b_port = be64(dst, 0), be64(dst, 8), out.dport
        # All bits set when the destination goes first: which end is smaller is a coin toss, so no branch.
        swap = (b_low < a_low) | ((b_low == a_low) & (b_port < a_port))
        swap = 0 - ((b < a) | ((b == a) & swap))
        s = sip_word(s, a ^ ((a ^ b) & swap))
        s = sip_word(s, a_low ^ ((a_low ^ b_low) & swap))
        s = sip_word(s, b ^ ((a ^ b) & swap))
        s = sip_word(s, b_low ^ ((a_low ^ b_low) & swap))
        s = sip_word(s, (a_port | b_port << 16) if swap == 0 else (b_port | a_port << 16))
        length = 46
    return <uint32_t>sip_end(s, vlan | <uint64_t>out.proto << 32 | <uint64_t>out.version << 40, length)
