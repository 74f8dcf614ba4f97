# Frames as nearly all are: Ethernet, IPv4 without options, not a fragment, TCP or UDP, captured whole.
#
# For these, what link.pxd, ip.pxd and transport.pxd find out step by step is known after one look at the
# header.  Whatever is odd in any way is left to them.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from fl0p_py.decode.checksum cimport folded, judged
from fl0p_py.decode.numbers cimport (
    ETHER_IPV4, ETHERNET_HEADER, IP_TCP, IP_UDP, IPV4_HEADER, TCP_HEADER, UDP_HEADER,
)
from fl0p_py.decode.reader cimport Bytes, be16toh, be32toh, clipped, copy_out, sum_of
from fl0p_py.decode.record cimport NO_WSCALE, SYN, WRONG, Decoded
from fl0p_py.decode.transport cimport window_scale

cdef packed struct PlainHead:       # as on the wire
    uint8_t[12] macs
    uint16_t ethertype
    uint8_t version_ihl, tos        # RFC 791 section 3.1
    uint16_t total, id, fragment
    uint8_t ttl, proto
    uint16_t header_sum
    uint8_t[4] src
    uint8_t[4] dst
    uint16_t sport, dport
    uint32_t seq                    # UDP: length and checksum
    uint32_t ack
    uint8_t data_offset, flags
    uint16_t window, transport_sum, urgent

cdef enum:
    IP_AT = ETHERNET_HEADER
    UPPER_AT = ETHERNET_HEADER + IPV4_HEADER
    PLAIN_IP = 0x45                 # version 4, a header of 5 words


cdef inline bint open_plain(Bytes frame, size_t wirelen, bint check, Decoded *out) noexcept nogil:
    """Decode an Ethernet frame if it is plain; else False, and nothing is changed.  `out` is blank."""
    cdef PlainHead head
    cdef size_t end, start, length
    cdef uint16_t field
    if wirelen < frame.size or not copy_out(frame, 0, sizeof(head), <uint8_t*> &head):
        return False
    if (be16toh(head.ethertype) != ETHER_IPV4 or head.version_ihl != PLAIN_IP
            or be16toh(head.fragment) & 0x3FFF):    # flags 3 bits, of which "more" is the last; offset 13
        return False
    end = IP_AT + <size_t>be16toh(head.total)
    if end > frame.size:
        return False
    if head.proto == IP_TCP:
        start = UPPER_AT + <size_t>(head.data_offset >> 4) * 4
        if start < UPPER_AT + TCP_HEADER or start > end:
            return False
        length, field = end - UPPER_AT, 16
        out.seq = be32toh(head.seq)
        out.ack = be32toh(head.ack)
        out.tcp_flags = head.flags
        out.window = be16toh(head.window)
        out.wscale = NO_WSCALE
        if head.flags & SYN:
            out.wscale = window_scale(clipped(frame, end), UPPER_AT + TCP_HEADER, start)
    elif head.proto == IP_UDP:
        start, length, field = UPPER_AT + UDP_HEADER, be32toh(head.seq) >> 16, 6
        if length < UDP_HEADER or UPPER_AT + length > end:
            return False
        end = UPPER_AT + length
        check = check and be32toh(head.seq) & 0xFFFF != 0   # 0: the sender made none (RFC 768)
    else:
        return False
    out.version = 4
    out.proto = head.proto
    out.ttl = head.ttl
    out.src[0], out.src[1], out.src[2], out.src[3] = head.src[0], head.src[1], head.src[2], head.src[3]
    out.dst[0], out.dst[1], out.dst[2], out.dst[3] = head.dst[0], head.dst[1], head.dst[2], head.dst[3]
    out.sport = be16toh(head.sport)
    out.dport = be16toh(head.dport)
    out.payload_at = <uint32_t>start
    out.payload_cap = out.payload_len = <uint32_t>(end - start)
    if check:
        out.checksum = judged(
            frame, UPPER_AT, length, UPPER_AT + field, sum_of(frame, IP_AT + 12, 8), head.proto
        )
        if head.header_sum != 0 and folded(sum_of(frame, IP_AT, IPV4_HEADER)) != 0xFFFF:
            out.checksum = WRONG
    return True
