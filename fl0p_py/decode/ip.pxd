# IPv4 and IPv6 headers: addresses, lengths, fragments, extension headers.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.decode.checksum cimport folded
from fl0p_py.decode.numbers cimport *
from fl0p_py.decode.reader cimport Bytes, be16, be32, clipped, copy_out, has, sum_of, u8
from fl0p_py.decode.record cimport BAD_IP, FLOW, Decoded, Status

cdef struct Datagram:       # an IP packet, or what fragments of one were put together to
    Bytes bytes             # captured bytes, cut where the datagram ends; positions count from its start
    size_t at               # position of the payload
    size_t end              # where the payload ends on the wire; bytes.size may be less
    uint64_t source         # sum of the source address, as reader.sum_of
    uint64_t addresses      # sum of both addresses for the pseudo-header, as reader.sum_of
    uint32_t id             # of a fragment: the identification
    uint32_t piece_at       # of a fragment: where its payload stands in the datagram's
    uint8_t next_header     # protocol number of the payload
    bint fragment
    bint more               # of a fragment: others follow
    bint wrong_header       # IPv4 header checksum neither right nor left to the network card (0)
    bint lying              # a length field says more than the frame has


cdef inline Status open_ip(Bytes frame, size_t at, size_t wire_end, int version, bint check,
                           Datagram *ip, Decoded *out) noexcept nogil:
    """Read the IP header at `at`; `version` 0 lets its first nibble decide.  FLOW when it is sound.

    `check`: look at the IPv4 header checksum too, which makes `wrong_header` and nothing else.
    """
    cdef Status status
    ip.fragment = False
    if not has(frame, at, 1):
        return BAD_IP
    ip.bytes = frame
    ip.at = at
    ip.end = wire_end
    ip.more = False
    ip.wrong_header = False
    ip.lying = False
    ip.id = 0
    ip.piece_at = 0
    out.version = u8(frame, at) >> 4
    if version and version != out.version:
        out.version = 0
        return BAD_IP
    if out.version == 4:
        status = open_ipv4(ip, check, out)
    elif out.version == 6:
        status = open_ipv6(ip, out)
    else:
        status = BAD_IP
    if status != FLOW:
        out.version = 0
    return status


cdef inline Status open_ipv4(Datagram *ip, bint check, Decoded *out) noexcept nogil:
    cdef Bytes b = ip.bytes
    cdef size_t at = ip.at, header, total
    cdef int fragment
    if not has(b, at, IPV4_HEADER):
        return BAD_IP
    header = (u8(b, at) & 0x0F) * 4
    if header < IPV4_HEADER or not has(b, at, header):
        return BAD_IP
    total = be16(b, at + 2)
    if total == 0:
        # Captured before segmentation offload: the card will fill it in; the frame tells the length.
        total = ip.end - at
    elif total > ip.end - at:
        ip.lying = True
        total = ip.end - at
    if total < header:
        return BAD_IP
    ip.end = at + total
    ip.bytes = clipped(b, ip.end)
    ip.next_header = u8(b, at + 9)
    out.proto = ip.next_header
    out.ttl = u8(b, at + 8)
    copy_out(b, at + 12, 4, out.src)
    copy_out(b, at + 16, 4, out.dst)
    ip.source = sum_of(b, at + 12, 4)
    ip.addresses = ip.source + sum_of(b, at + 16, 4)
    if header > IPV4_HEADER:
        route_ipv4(ip, at, at + header)
    if check and be16(b, at + 10) != 0:
        # The usual length said in a number of its own lets the compiler unroll the sum.
        ip.wrong_header = folded(sum_of(b, at, IPV4_HEADER) if header == IPV4_HEADER
                                 else sum_of(b, at, header)) != 0xFFFF
    ip.at = at + header
    fragment = be16(b, at + 6)              # RFC 791 section 3.1: flags 3 bits, offset 13 bits of 8 bytes
    if fragment & 0x3FFF:
        ip.fragment = True
        ip.more = (fragment & 0x2000) != 0
        ip.piece_at = (fragment & 0x1FFF) * 8
        ip.id = be16(b, at + 4)
    return FLOW


cdef inline void route_ipv4(Datagram *ip, size_t header, size_t end) noexcept nogil:
    """On a source route under way, checksums were made with its last address (RFC 1122 section 3.2.1.8)."""
    cdef Bytes b = ip.bytes
    cdef size_t at = header + IPV4_HEADER, size
    cdef int kind
    while at < end:                         # at most 40 bytes of options
        kind = u8(b, at)
        if kind == IPOPT_END:
            return
        size = 1 if kind == IPOPT_NOP else u8(b, at + 1)
        if size == 0 or size > end - at:
            return
        if (kind == IPOPT_LSRR or kind == IPOPT_SSRR) and size >= 7:
            # The pointer counts from 1 and stands beyond the option when the route is used up.
            if u8(b, at + 2) <= size - 3:
                ip.addresses = ip.source + sum_of(b, at + size - 4, 4)
            return
        at += size


cdef inline Status open_ipv6(Datagram *ip, Decoded *out) noexcept nogil:
    cdef Bytes b = ip.bytes
    cdef size_t at = ip.at, length
    if not has(b, at, IPV6_HEADER):
        return BAD_IP
    length = be16(b, at + 4)
    if length > 0:
        if length > ip.end - at - IPV6_HEADER:
            ip.lying = True
        else:
            ip.end = at + IPV6_HEADER + length
    # else: segmentation offload as above, or a jumbogram (RFC 2675); the frame tells the length of both
    ip.bytes = clipped(b, ip.end)
    ip.next_header = u8(b, at + 6)
    out.proto = ip.next_header
    out.ttl = u8(b, at + 7)
    copy_out(b, at + 8, 16, out.src)
    copy_out(b, at + 24, 16, out.dst)
    ip.source = sum_of(b, at + 8, 16)
    ip.addresses = ip.source + sum_of(b, at + 24, 16)
    ip.at = at + IPV6_HEADER
    return FLOW
