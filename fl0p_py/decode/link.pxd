# From a frame to its IP header: link headers, VLAN tags, MPLS labels, PPPoE, LLC/SNAP.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from fl0p_py.decode.numbers cimport *
from fl0p_py.decode.reader cimport Bytes, be16, be32, has, le32, u8
from fl0p_py.decode.record cimport FLOW, NOT_IP, SHORT_LINK, TAGGED, UNKNOWN_LINKTYPE, Status

cdef struct Network:        # where the link layer ends
    size_t at               # position of the IP header
    uint32_t vlan           # as Decoded.vlan
    uint8_t version         # 4 or 6 when a link header named it; 0: the header's own first nibble decides


cdef inline Status open_link(Bytes frame, int linktype, bint vlan, Network *net) noexcept nogil:
    """Find the IP header of a frame; FLOW when there is one."""
    net.at = 0
    net.vlan = 0
    net.version = 0
    if linktype == LINK_ETHERNET:
        if not has(frame, 0, ETHERNET_HEADER):
            return SHORT_LINK
        net.at = ETHERNET_HEADER
        return open_ethertype(frame, be16(frame, 12), vlan, net)
    return open_other_link(frame, linktype, vlan, net)


cdef inline Status open_other_link(Bytes frame, int linktype, bint vlan, Network *net) noexcept nogil:
    if linktype == LINK_LINUX_SLL:
        if not has(frame, 0, SLL_HEADER):
            return SHORT_LINK
        net.at = SLL_HEADER
        return open_cooked(frame, be16(frame, 14), vlan, net)
    if linktype == LINK_LINUX_SLL2:
        if not has(frame, 0, SLL2_HEADER):
            return SHORT_LINK
        net.at = SLL2_HEADER
        return open_cooked(frame, be16(frame, 0), vlan, net)
    if linktype == LINK_RAW or linktype == LINK_RAW_BSD or linktype == LINK_RAW_OPENBSD:
        return FLOW
    if linktype == LINK_IPV4:
        net.version = 4
        return FLOW
    if linktype == LINK_IPV6:
        net.version = 6
        return FLOW
    if linktype == LINK_NULL or linktype == LINK_LOOP:
        return open_family(frame, linktype, net)
    if linktype == LINK_PPP or linktype == LINK_PPP_HDLC:
        return open_ppp_frame(frame, vlan, net)
    return UNKNOWN_LINKTYPE


cdef inline Status open_ethertype(Bytes frame, int kind, bint vlan, Network *net) noexcept nogil:
    """Step over what may stand between an EtherType (or 802.3 length) and the IP header at net.at."""
    cdef int _depth
    cdef uint32_t vid
    for _depth in range(MAX_LINK_HEADERS + 1):
        if kind == ETHER_IPV4:
            net.version = 4
            return FLOW
        if kind == ETHER_IPV6:
            net.version = 6
            return FLOW
        if kind == ETHER_VLAN or kind == ETHER_SERVICE_VLAN or kind == ETHER_OLD_QINQ:
            if not vlan:
                return TAGGED
            if not has(frame, net.at, TAG_HEADER):
                return SHORT_LINK
            vid = be16(frame, net.at) & 0x0FFF      # IEEE 802.1Q: priority 3 bits, DEI, VID 12 bits
            if net.vlan == 0:
                net.vlan = vid
            elif net.vlan >> 24 == 1:
                net.vlan |= vid << 12
            net.vlan += 1 << 24
            kind = be16(frame, net.at + 2)
            net.at += TAG_HEADER
        elif kind == ETHER_MPLS or kind == ETHER_MPLS_UPSTREAM:
            return open_mpls(frame, net)
        elif kind == ETHER_PPPOE:
            if not has(frame, net.at, PPPOE_HEADER):
                return SHORT_LINK
            net.at += PPPOE_HEADER
            return open_ppp(frame, net)
        elif kind <= LENGTH_MAX:
            if not has(frame, net.at, LLC_HEADER):
                return SHORT_LINK
            if be16(frame, net.at) != 0xAAAA or u8(frame, net.at + 2) != 0x03:
                return NOT_IP
            if not has(frame, net.at, SNAP_HEADER):
                return SHORT_LINK
            # RFC 1042: organisation 0 and an EtherType; IEEE 802.1H: 00-00-F8 for bridged ones.
            if be16(frame, net.at + 3) != 0 or u8(frame, net.at + 5) not in (0x00, 0xF8):
                return NOT_IP
            kind = be16(frame, net.at + 6)
            net.at += SNAP_HEADER
            if kind <= LENGTH_MAX:      # no EtherType: not a second LLC header
                return NOT_IP
        else:
            return NOT_IP
    return NOT_IP


cdef inline Status open_cooked(Bytes frame, int kind, bint vlan, Network *net) noexcept nogil:
    """The protocol field of Linux "cooked" headers: an EtherType, or a small number of Linux's own."""
    if kind <= LENGTH_MAX and kind != ETHER_SLL_LLC:
        return NOT_IP
    return open_ethertype(frame, kind, vlan, net)


cdef inline Status open_mpls(Bytes frame, Network *net) noexcept nogil:
    """RFC 3032: labels up to the one with the bottom bit; the first nibble tells what follows (RFC 4928)."""
    cdef int _depth
    cdef uint32_t label
    for _depth in range(MAX_LABELS):
        if not has(frame, net.at, MPLS_HEADER):
            return SHORT_LINK
        label = be32(frame, net.at)
        net.at += MPLS_HEADER
        if label & 0x100:
            if not has(frame, net.at, 1):
                return SHORT_LINK
            net.version = u8(frame, net.at) >> 4
            return FLOW if net.version == 4 or net.version == 6 else NOT_IP
    return NOT_IP


cdef inline Status open_ppp(Bytes frame, Network *net) noexcept nogil:
    """RFC 1661 section 2: a protocol of two bytes, or of one odd byte when compressed (section 6.5)."""
    cdef int protocol
    if not has(frame, net.at, 1):
        return SHORT_LINK
    protocol = u8(frame, net.at)
    net.at += 1
    if protocol & 1 == 0:
        if not has(frame, net.at, 1):
            return SHORT_LINK
        protocol = protocol << 8 | u8(frame, net.at)
        net.at += 1
    if protocol == PPP_IPV4:
        net.version = 4
        return FLOW
    if protocol == PPP_IPV6:
        net.version = 6
        return FLOW
    if protocol == PPP_MPLS or protocol == PPP_MPLS_UPSTREAM:
        return open_mpls(frame, net)
    return NOT_IP


cdef inline Status open_ppp_frame(Bytes frame, bint vlan, Network *net) noexcept nogil:
    """PPP with address and control (RFC 1662 section 3.1), without them, or Cisco HDLC in their place."""
    cdef int start
    if not has(frame, 0, 2):
        return SHORT_LINK
    start = be16(frame, 0)
    if start == 0x0F00 or start == 0x8F00:      # Cisco HDLC, unicast and multicast: an EtherType follows
        if not has(frame, 0, 4):
            return SHORT_LINK
        net.at = 4
        return open_ethertype(frame, be16(frame, 2), vlan, net)
    if start == 0xFF03:
        net.at = 2
    return open_ppp(frame, net)


cdef inline Status open_family(Bytes frame, int linktype, Network *net) noexcept nogil:
    """NULL: an address family in the byte order of the machine that captured; LOOP: in network order."""
    cdef uint32_t family
    if not has(frame, 0, FAMILY_HEADER):
        return SHORT_LINK
    net.at = FAMILY_HEADER
    family = be32(frame, 0)
    if linktype == LINK_NULL and family > 0xFFFF:
        family = le32(frame, 0)
    if family == FAMILY_INET:
        net.version = 4
        return FLOW
    if family in (FAMILY_INET6_LINUX, FAMILY_INET6_BSD, FAMILY_INET6_FREEBSD, FAMILY_INET6_DARWIN):
        net.version = 6
        return FLOW
    return NOT_IP
