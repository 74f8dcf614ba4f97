# The keyed hash of a flow's endpoints, the same for both directions.
#
# Multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast", 2014): the upper half of
# k0 + k1 x1 + k2 x2 + ..., the x being the 32-bit words of the message and the k random 64-bit numbers.  Any
# two flows that somebody chose without knowing the key fall together with a chance of 2^-32, and nothing that
# the program prints depends on the hash, so nobody learns of the key either.  At the end the bits are mixed
# (the last step of Appleby's MurmurHash3), so that neighbours in the message are none in the index.
#
# The message: of the end with the smaller (address, port) the address, then that of the other; both ports
# (first << 16 | second); VLAN as in Decoded or 0; protocol << 8 | version.

from libc.stdint cimport uint32_t, uint64_t

from fl0p_py.decode.reader cimport Bytes, be32, be64
from fl0p_py.decode.record cimport Decoded
from fl0p_py.decode.siphash cimport SipKey, sip_end, sip_start

cdef enum:
    FLOW_KEYS = 12      # k0 and one for each word of an IPv6 flow

cdef struct FlowKey:
    uint64_t[FLOW_KEYS] k


cdef inline FlowKey flow_key(SipKey key) noexcept nogil:
    """Numbers as good as random, made of 16 random bytes: SipHash of 0, 1, 2, ..."""
    cdef FlowKey made
    cdef uint64_t i
    for i in range(FLOW_KEYS):
        made.k[i] = sip_end(sip_start(key), i, 1)
    return made


cdef inline uint32_t mixed(uint32_t x) noexcept nogil:
    x = (x ^ x >> 16) * <uint32_t>0x85EBCA6B
    x = (x ^ x >> 13) * <uint32_t>0xC2B2AE35
    return x ^ x >> 16


cdef inline uint32_t flow_hash(Decoded *out, FlowKey *key, uint32_t vlan) noexcept nogil:
    cdef uint64_t *k = key.k
    cdef Bytes src, dst
    cdef uint64_t a, b, a_low, b_low, swap, low_swap, ports
    cdef uint64_t total = k[0] + k[1] * (<uint32_t>out.proto << 8 | out.version) + k[2] * vlan
    src.data = out.src
    dst.data = out.dst
    src.size = dst.size = sizeof(out.src)
    if out.version == 4:
        a = <uint64_t>be32(src, 0) << 16 | out.sport
        b = <uint64_t>be32(dst, 0) << 16 | out.dport
        # All bits set when the destination goes first: which end is smaller is a coin toss, so no branch.
        swap = 0 - <uint64_t>(b < a)
        swap &= a ^ b
        a ^= swap
        b ^= swap
        ports = (a & 0xFFFF) << 16 | b & 0xFFFF
        total += k[3] * ports + k[4] * <uint32_t>(a >> 16) + k[5] * <uint32_t>(b >> 16)
    else:
        a, a_low = be64(src, 0), be64(src, 8)
        b, b_low = be64(dst, 0), be64(dst, 8)
        swap = (b_low < a_low) | ((b_low == a_low) & (out.dport < out.sport))
        swap = 0 - ((b < a) | ((b == a) & swap))
        ports = (<uint64_t>out.dport << 16 | out.sport) if swap else (<uint64_t>out.sport << 16 | out.dport)
        low_swap, swap = swap & (a_low ^ b_low), swap & (a ^ b)
        a, b, a_low, b_low = a ^ swap, b ^ swap, a_low ^ low_swap, b_low ^ low_swap
        total += k[3] * ports + k[4] * (a >> 32) + k[5] * <uint32_t>a + k[6] * (a_low >> 32)
        total += k[7] * <uint32_t>a_low + k[8] * (b >> 32) + k[9] * <uint32_t>b
        total += k[10] * (b_low >> 32) + k[11] * <uint32_t>b_low
    return mixed(<uint32_t>(total >> 32))
