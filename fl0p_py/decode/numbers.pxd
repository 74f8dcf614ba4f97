# Numbers on the wire that the decoder knows, with the place that assigns them.

cdef enum LinkType:             # https://www.tcpdump.org/linktypes.html
    LINK_NULL = 0
    LINK_ETHERNET = 1
    LINK_PPP = 9
    LINK_RAW_OPENBSD = 14       # DLT_RAW of OpenBSD, found in files
    LINK_RAW_BSD = 12           # DLT_RAW of the others, likewise
    LINK_PPP_HDLC = 50
    LINK_RAW = 101
    LINK_LOOP = 108
    LINK_LINUX_SLL = 113
    LINK_IPV4 = 228
    LINK_IPV6 = 229
    LINK_LINUX_SLL2 = 276

cdef enum EtherType:            # IEEE 802 numbers, https://www.iana.org/assignments/ieee-802-numbers
    LENGTH_MAX = 0x05DC         # IEEE 802.3: a length up to here, a type from 0x0600 on
    ETHER_SLL_802_3 = 0x0001    # in Linux "cooked" headers: Novell 802.3 frames without LLC
    ETHER_SLL_LLC = 0x0004      # in Linux "cooked" headers: an LLC header follows
    ETHER_IPV4 = 0x0800
    ETHER_VLAN = 0x8100         # IEEE 802.1Q
    ETHER_IPV6 = 0x86DD
    ETHER_MPLS = 0x8847         # RFC 5332
    ETHER_MPLS_UPSTREAM = 0x8848
    ETHER_PPPOE = 0x8864        # RFC 2516 section 4, session stage
    ETHER_SERVICE_VLAN = 0x88A8     # IEEE 802.1ad
    ETHER_OLD_QINQ = 0x9100     # outer tags before 802.1ad

cdef enum PppProtocol:          # https://www.iana.org/assignments/ppp-numbers
    PPP_IPV4 = 0x0021           # RFC 1332
    PPP_IPV6 = 0x0057           # RFC 5072
    PPP_MPLS = 0x0281           # RFC 3032
    PPP_MPLS_UPSTREAM = 0x0283

cdef enum Family:               # AF_ numbers in NULL and LOOP headers
    FAMILY_INET = 2
    FAMILY_INET6_LINUX = 10
    FAMILY_INET6_BSD = 24       # NetBSD, OpenBSD, BSD/OS
    FAMILY_INET6_FREEBSD = 28
    FAMILY_INET6_DARWIN = 30

cdef enum Protocol:             # https://www.iana.org/assignments/protocol-numbers
    IP_HOPOPTS = 0              # RFC 8200 section 4.3
    IP_ICMP = 1                 # RFC 792
    IP_TCP = 6                  # RFC 9293
    IP_UDP = 17                 # RFC 768
    IP_ROUTING = 43             # RFC 8200 section 4.4
    IP_FRAGMENT = 44            # RFC 8200 section 4.5
    IP_AH = 51                  # RFC 4302
    IP_ICMPV6 = 58              # RFC 4443
    IP_DSTOPTS = 60             # RFC 8200 section 4.6
    IP_MOBILITY = 135           # RFC 6275 section 6.1
    IP_HIP = 139                # RFC 7401 section 5.1
    IP_SHIM6 = 140              # RFC 5533 section 5

cdef enum Ipv4Option:           # RFC 791 section 3.1
    IPOPT_END = 0
    IPOPT_NOP = 1
    IPOPT_LSRR = 131
    IPOPT_SSRR = 137

cdef enum TcpOption:
    TCPOPT_END = 0              # RFC 9293 section 3.2
    TCPOPT_NOP = 1
    TCPOPT_WSCALE = 3           # RFC 7323 section 2
    MAX_WSCALE = 14             # RFC 7323 section 2.3: larger ones count as 14

cdef enum RoutingType:          # RFC 8200 section 4.4 and the IANA registry of IPv6 parameters
    ROUTING_SOURCE = 0          # RFC 5095 deprecates it
    ROUTING_MOBILE = 2          # RFC 6275 section 6.4
    ROUTING_SEGMENT = 4         # RFC 8754

cdef enum EchoType:
    ICMP_ECHO_REPLY = 0         # RFC 792
    ICMP_ECHO_REQUEST = 8
    ICMPV6_ECHO_REQUEST = 128   # RFC 4443 section 4
    ICMPV6_ECHO_REPLY = 129

cdef enum HeaderSize:
    ETHERNET_HEADER = 14
    TAG_HEADER = 4
    SLL_HEADER = 16
    SLL2_HEADER = 20
    LLC_HEADER = 3
    SNAP_HEADER = 8             # LLC and SNAP together
    PPPOE_HEADER = 6
    MPLS_HEADER = 4             # RFC 3032 section 2.1
    FAMILY_HEADER = 4
    IPV4_HEADER = 20            # RFC 791 section 3.1
    IPV6_HEADER = 40            # RFC 8200 section 3
    FRAGMENT_HEADER = 8
    TCP_HEADER = 20             # RFC 9293 section 3.1
    UDP_HEADER = 8
    ICMP_HEADER = 8

cdef enum:
    MAX_LINK_HEADERS = 8        # tags, PPPoE and MPLS headers of one frame; more is an attack, not a network
    MAX_LABELS = 16             # MPLS labels in one stack
    MAX_EXTENSIONS = 16         # IPv6 extension headers of one packet
    MAX_DATAGRAM = 65535        # bytes of a reassembled payload (RFC 791: total length has 16 bits)
