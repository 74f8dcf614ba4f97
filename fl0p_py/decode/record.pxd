# What the decoder says of one packet: one record, read by the flow table and by everything later.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

# Status: why a packet makes or does not make part of a flow.  The names for people are in status.py.
cdef enum Status:
    FLOW = 0            # TCP, UDP or ICMP echo, goes to the flow table
    NOT_IP              # ARP, LLDP, LLC, ...
    TAGGED              # 802.1Q tag, and -v was not given
    NO_FLOW_PROTOCOL    # IP, but GRE, ESP, IP-in-IP, OSPF, ... or SCTP
    ICMP_OTHER          # ICMP that is no echo: errors, neighbour discovery, ...
    FRAGMENT            # a piece of a datagram, kept (or dropped) until the rest is there
    SHORT_LINK          # captured bytes end inside the link header
    BAD_IP              # IP header cut off, or its lengths or version make no sense
    BAD_TRANSPORT       # TCP, UDP or ICMP header cut off, or its lengths make no sense
    UNKNOWN_LINKTYPE    # a link type that fl0p does not read (in a file that mixes them)
    STATUS_COUNT

cdef enum Checksum:
    UNCHECKED = 0       # --checksums ignore, or cut by the snapshot length
    RIGHT = 1
    PSEUDO = 2          # equals the bare pseudo-header sum: transmit offload
    WRONG = 3

cdef enum TcpFlag:      # RFC 9293 section 3.1
    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10
    URG = 0x20

cdef enum:
    NO_WSCALE = 255     # Decoded.wscale: the segment carries no window scale option

cdef struct Decoded:
    int64_t ts_ns
    uint8_t src[16]         # network order; an IPv4 address fills the first 4 bytes, the rest is 0
    uint8_t dst[16]
    uint32_t payload_at     # where L4's payload (or IP's) starts: in the batch or in DecodedBatch.reassembled
    uint32_t payload_cap    # bytes of it that are there to be read
    uint32_t payload_len    # bytes of it on the wire
    uint32_t frame_len      # bytes of the frame on the wire; of all its fragments' frames when reassembled
    uint32_t hash           # keyed; the same for both directions of a flow
    uint32_t vlan           # 0 no tag; else outer VID | second VID << 12 | number of tags << 24
    uint32_t seq
    uint32_t ack
    uint16_t sport          # ICMP echo: the identifier, in both
    uint16_t dport
    uint16_t window         # as in the header, not scaled
    uint8_t wscale          # window scale option of a SYN (RFC 7323 section 2), or NO_WSCALE
    uint8_t tcp_flags
    uint8_t proto           # IANA protocol number: 6, 17, 1, 58
    uint8_t version         # 4 or 6
    uint8_t status          # enum Status
    uint8_t checksum        # enum Checksum
    uint8_t ttl             # or IPv6 hop limit
    uint8_t icmp_type       # 8/0 echo request/reply (RFC 792), 128/129 (RFC 4443)
    uint8_t icmp_code
    uint8_t reassembled     # 1: the payload is in DecodedBatch.reassembled, not in the batch
