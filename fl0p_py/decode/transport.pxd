# TCP, UDP and ICMP headers, reached over IPv6 extension headers and AH.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.decode.checksum cimport judged
from fl0p_py.decode.ip cimport Datagram
from fl0p_py.decode.numbers cimport *
from fl0p_py.decode.reader cimport Bytes, be16, be32, has, sum_of, u8
from fl0p_py.decode.record cimport (
    BAD_IP, BAD_TRANSPORT, FLOW, FRAGMENT, ICMP_OTHER, NO_FLOW_PROTOCOL, NO_WSCALE, SYN, UNCHECKED, WRONG,
    Decoded, Status,
)


cdef inline Status open_upper(Datagram *ip, bint check, Decoded *out) noexcept nogil:
    """Read what an IP datagram carries; FRAGMENT when an IPv6 fragment header says that it is a piece."""
    cdef Status status
    check = check and not ip.lying      # what a checksum would cover is not there
    if ip.next_header != IP_TCP and ip.next_header != IP_UDP:
        status = skip_extensions(ip, out)
        if status != FLOW:
            return status
    out.proto = ip.next_header
    if ip.next_header == IP_TCP:
        status = open_tcp(ip, check, out)
    elif ip.next_header == IP_UDP:
        status = open_udp(ip, check, out)
    elif ip.next_header == IP_ICMP and out.version == 4:
        status = open_icmp(ip, check, ICMP_ECHO_REQUEST, ICMP_ECHO_REPLY, out)
    elif ip.next_header == IP_ICMPV6 and out.version == 6:
        status = open_icmp(ip, check, ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY, out)
    else:
        payload(ip, ip.at, ip.end, out)
        return NO_FLOW_PROTOCOL
    if check and ip.wrong_header and out.checksum != UNCHECKED:
        out.checksum = WRONG
    return status


cdef inline Status skip_extensions(Datagram *ip, Decoded *out) noexcept nogil:
    """Step over AH, and over IPv6 extension headers (RFC 8200 section 4, RFC 7045 section 2)."""
    cdef Bytes b = ip.bytes
    cdef size_t size
    cdef int _depth, kind
    for _depth in range(MAX_EXTENSIONS):
        kind = ip.next_header
        if kind == IP_AH:
            size = (<size_t>u8(b, ip.at + 1) + 2) * 4           # RFC 4302 section 2.2
        elif out.version == 4:
            return FLOW
        elif kind == IP_FRAGMENT:
            size = FRAGMENT_HEADER
        elif (kind == IP_HOPOPTS or kind == IP_ROUTING or kind == IP_DSTOPTS or kind == IP_MOBILITY
                or kind == IP_HIP or kind == IP_SHIM6):
            size = (<size_t>u8(b, ip.at + 1) + 1) * 8
        else:
            return FLOW
        if not has(b, ip.at, size):
            return BAD_IP
        if kind == IP_ROUTING:
            route_ipv6(ip, size)
        ip.next_header = u8(b, ip.at)
        ip.at += size
        if kind == IP_FRAGMENT and open_fragment_header(ip):
            return FRAGMENT
    return BAD_IP


cdef inline bint open_fragment_header(Datagram *ip) noexcept nogil:
    """Read the fragment header before ip.at; False for an atomic fragment (RFC 6946), which is whole."""
    cdef size_t at = ip.at - FRAGMENT_HEADER
    cdef int word = be16(ip.bytes, at + 2)      # offset in 8 bytes 13 bits, reserved 2, more 1
    if word & 0xFFF9 == 0:
        return False
    ip.fragment = True
    ip.more = word & 1
    ip.piece_at = word & 0xFFF8
    ip.id = be32(ip.bytes, at + 4)
    return True


cdef inline void route_ipv6(Datagram *ip, size_t size) noexcept nogil:
    """On a route under way, checksums were made with its last address (RFC 8200 section 8.1)."""
    cdef Bytes b = ip.bytes
    cdef int kind = u8(b, ip.at + 2)
    if u8(b, ip.at + 3) == 0 or size < 24:      # segments left
        return
    if kind == ROUTING_SOURCE or kind == ROUTING_MOBILE:
        ip.addresses = ip.source + sum_of(b, ip.at + size - 16, 16)
    elif kind == ROUTING_SEGMENT:               # segments stand in reverse order
        ip.addresses = ip.source + sum_of(b, ip.at + 8, 16)


cdef inline Status open_tcp(Datagram *ip, bint check, Decoded *out) noexcept nogil:
    cdef Bytes b = ip.bytes
    cdef size_t at = ip.at, length = ip.end - ip.at, header
    if not has(b, at, TCP_HEADER):
        return BAD_TRANSPORT
    header = (u8(b, at + 12) >> 4) * 4
    if header < TCP_HEADER or header > length:
        return BAD_TRANSPORT
    out.sport = be16(b, at)
    out.dport = be16(b, at + 2)
    out.seq = be32(b, at + 4)
    out.ack = be32(b, at + 8)
    out.tcp_flags = u8(b, at + 13)
    out.window = be16(b, at + 14)
    out.wscale = NO_WSCALE
    if header > TCP_HEADER and out.tcp_flags & SYN:
        out.wscale = window_scale(b, at + TCP_HEADER, at + header)
    payload(ip, at + header, at + length, out)
    if check:
        out.checksum = judged(b, at, length, at + 16, ip.addresses, IP_TCP)
    return FLOW


cdef inline uint8_t window_scale(Bytes b, size_t at, size_t end) noexcept nogil:
    cdef size_t size
    cdef int kind
    while at < end and at < b.size:             # at most 40 bytes of options
        kind = u8(b, at)
        if kind == TCPOPT_END:
            break
        size = 1 if kind == TCPOPT_NOP else u8(b, at + 1)
        if size == 0 or size > end - at:
            break
        if kind == TCPOPT_WSCALE and size == 3 and has(b, at, 3):
            size = u8(b, at + 2)
            return <uint8_t>(size if size < MAX_WSCALE else MAX_WSCALE)
        at += size
    return NO_WSCALE


cdef inline Status open_udp(Datagram *ip, bint check, Decoded *out) noexcept nogil:
    cdef Bytes b = ip.bytes
    cdef size_t at = ip.at, length = ip.end - ip.at, claimed
    if not has(b, at, UDP_HEADER):
        return BAD_TRANSPORT
    claimed = be16(b, at + 4)
    if claimed == 0 and out.version == 6:       # a jumbogram (RFC 2675 section 4)
        claimed = length
    if claimed < UDP_HEADER or claimed > length:
        return BAD_TRANSPORT
    out.sport = be16(b, at)
    out.dport = be16(b, at + 2)
    payload(ip, at + UDP_HEADER, at + claimed, out)
    if check and be16(b, at + 6) != 0:          # 0: the sender made none (RFC 768; RFC 6935 for IPv6)
        out.checksum = judged(b, at, claimed, at + 6, ip.addresses, IP_UDP)
    return FLOW


cdef inline Status open_icmp(Datagram *ip, bint check, int request, int reply, Decoded *out) noexcept nogil:
    cdef Bytes b = ip.bytes
    cdef size_t at = ip.at, length = ip.end - ip.at
    if length < ICMP_HEADER or not has(b, at, ICMP_HEADER):
        return BAD_TRANSPORT
    out.icmp_type = u8(b, at)
    out.icmp_code = u8(b, at + 1)
    if out.icmp_type != request and out.icmp_type != reply:
        payload(ip, at + ICMP_HEADER, at + length, out)
        return ICMP_OTHER
    out.sport = be16(b, at + 4)
    out.dport = out.sport
    payload(ip, at + ICMP_HEADER, at + length, out)
    if check:
        out.checksum = judged(b, at, length, at + 2, ip.addresses, out.proto)
    return FLOW


cdef inline void payload(Datagram *ip, size_t start, size_t end, Decoded *out) noexcept nogil:
    """Note the L4 payload between two positions; captured bytes may end before or inside it."""
    cdef size_t there = ip.bytes.size if ip.bytes.size < end else end
    if start > there:
        start, there, end = there, there, end - start + there
    out.payload_at = <uint32_t>start
    out.payload_cap = <uint32_t>(there - start)
    out.payload_len = <uint32_t>(end - start)
