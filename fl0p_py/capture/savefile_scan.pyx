# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Scans complete records of a capture file in a buffer into the columns of a PacketBatch.

Each kernel is one loop over `data[start:stop]`.  It fills the columns from index `first` on and returns
(count, position, status, need): columns filled, where the next record starts, why the loop ended, and,
when that was MORE, how many bytes from `position` on the next record is known to need.
SAFETY: the wrappers check 0 <= start <= stop <= len(data) and equally long columns; the loops read only
after having compared the record's length with what is left, and write only below the columns' length.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from *:
    void __builtin_prefetch(const void*, int, int) noexcept nogil

cdef enum:
    AHEAD = 8192    # bytes from asking for memory to reading it: of a mapped file, none is in a cache yet
    LINE = 64

# Why a kernel stopped.  From BAD_LENGTH on the record at `position` is damage.
cdef enum:
    _MORE = 0
    _FULL = 1
    _BLOCK = 2
    _BAD_LENGTH = 3
    _TOO_LONG = 4
    _BAD_TRAILER = 5
    _TOO_SHORT = 6
    _NO_INTERFACE = 7

MORE = _MORE  # the next record is not complete
FULL = _FULL  # the columns are full
BLOCK = _BLOCK  # pcapng: a section header or interface description, which the caller reads
BAD_LENGTH = _BAD_LENGTH  # pcapng: a block length below 12 or not a multiple of 4
TOO_LONG = _TOO_LONG  # a packet or block longer than any real one
BAD_TRAILER = _BAD_TRAILER  # pcapng: the two lengths of a block differ
TOO_SHORT = _TOO_SHORT  # pcapng: a packet does not fit into its block
NO_INTERFACE = _NO_INTERFACE  # pcapng: a packet of an interface that was not described

# libpcap's MAXIMUM_SNAPLEN: larger than any packet of a link type that is decoded here.
cdef enum:
    _MAX_PACKET = 262144
    _MAX_BLOCK = 16 * 1024 * 1024

MAX_PACKET = _MAX_PACKET
MAX_BLOCK = _MAX_BLOCK  # as libpcap; bounds the growth of the buffers

# Times are kept in 0 .. LATEST_NS (the year 2116), so that adding any timeout cannot overflow an int64.
cdef int64_t _LATEST_NS = (<int64_t> 1 << 62) - 1
LATEST_NS = _LATEST_NS

# How the two length fields of a pcap record header stand (it depends on the file's version).
cdef enum:
    _CAPLEN_FIRST = 0
    _WIRELEN_FIRST = 1
    _SHORTER_IS_CAPLEN = 2

CAPLEN_FIRST = _CAPLEN_FIRST
WIRELEN_FIRST = _WIRELEN_FIRST
SHORTER_IS_CAPLEN = _SHORTER_IS_CAPLEN

# Block types and the sizes of their fixed parts (draft-ietf-opsawg-pcapng, section 4).
cdef enum:
    SECTION_HEADER = 0x0A0D0D0A
    INTERFACE_DESCRIPTION = 1
    PACKET = 2
    SIMPLE_PACKET = 3
    ENHANCED_PACKET = 6
    BLOCK_HEAD = 8
    BLOCK_TRAILER = 4
    SIMPLE_HEAD = BLOCK_HEAD + 4
    PACKET_HEAD = BLOCK_HEAD + 20

# How ticks become nanoseconds: Interface.unit.
cdef enum:
    _MULTIPLY = 0
    _DIVIDE = 1
    _SHIFT = 2

MULTIPLY = _MULTIPLY  # ticks * factor
DIVIDE = _DIVIDE  # ticks // factor
SHIFT = _SHIFT  # ticks * 10**9 >> factor

cdef packed struct Interface:
    uint64_t factor     # see `unit`
    int64_t offset_ns   # added to every time: if_tsoffset
    uint32_t snaplen    # 0: no limit
    uint16_t linktype   # LINKTYPE_ number
    uint8_t unit        # MULTIPLY, DIVIDE, SHIFT


def interface_table(Py_ssize_t size):
    """A zeroed numpy array of `size` interfaces: fields factor, offset_ns, snaplen, linktype, unit."""
    import numpy
    cdef Interface one
    return numpy.zeros(size, numpy.asarray(<Interface[:1]> &one).dtype)


cdef inline uint32_t u32(const uint8_t[::1] data, Py_ssize_t at, bint big) noexcept nogil:
    if big:
        return (<uint32_t> data[at] << 24 | <uint32_t> data[at + 1] << 16
                | <uint32_t> data[at + 2] << 8 | data[at + 3])
    return (<uint32_t> data[at + 3] << 24 | <uint32_t> data[at + 2] << 16
            | <uint32_t> data[at + 1] << 8 | data[at])


cdef inline uint32_t u16(const uint8_t[::1] data, Py_ssize_t at, bint big) noexcept nogil:
    if big:
        return <uint32_t> data[at] << 8 | data[at + 1]
    return <uint32_t> data[at + 1] << 8 | data[at]


cdef inline Py_ssize_t fetch(
    const uint8_t[::1] data, Py_ssize_t fetched, Py_ssize_t at, Py_ssize_t stop
) noexcept nogil:
    """Ask for the memory up to AHEAD bytes from `at`; `fetched`, and what is returned: how far that was done.

    Walking from record to record the processor does not guess where the next one is.
    """
    stop = min(stop, at + AHEAD)
    while fetched < stop:
        __builtin_prefetch(&data[fetched], 0, 2)
        fetched += LINE
    return fetched


cdef int64_t to_ns(uint64_t ticks, const Interface* interface) noexcept nogil:
    """Nanoseconds since the epoch, rounded down, clamped to 0 .. LATEST_NS."""
    cdef uint64_t ns, high, low, factor = interface.factor
    cdef int64_t signed_ns
    if interface.unit == _MULTIPLY:
        ns = ticks * factor if ticks <= <uint64_t> _LATEST_NS // factor else <uint64_t> _LATEST_NS
    elif interface.unit == _DIVIDE:
        ns = ticks // factor
    elif factor < 32:
        high = ticks >> factor
        low = ticks & ((<uint64_t> 1 << factor) - 1)
        if high > <uint64_t> _LATEST_NS // 1000000000:
            ns = _LATEST_NS
        else:
            ns = high * 1000000000 + (low * 1000000000 >> factor)
    elif factor < 96:
        # ticks * 10**9 has up to 94 bits: computed without the lowest 32, which are shifted out anyway
        high = ticks >> 32
        low = <uint32_t> ticks
        ns = (high * 1000000000 + (low * 1000000000 >> 32)) >> (factor - 32)
    else:
        ns = 0
    signed_ns = <int64_t> ns if ns < <uint64_t> _LATEST_NS else _LATEST_NS
    # No overflow: the sum of something in 0 .. 2**62 - 1 and an offset that the wrapper keeps within +-2**62.
    signed_ns += interface.offset_ns
    if signed_ns < 0:
        return 0
    return signed_ns if signed_ns < _LATEST_NS else _LATEST_NS


cdef _check(
    Py_ssize_t size, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t first, Py_ssize_t room, tuple others
):
    if not 0 <= start <= stop <= size:
        raise ValueError(f"start {start} and stop {stop} are not inside {size} bytes")
    if not 0 <= first <= room or any(other != room for other in others):
        raise ValueError(f"columns of {room} and {others}, to be filled from {first} on")


def scan_pcap(
    const uint8_t[::1] data,
    Py_ssize_t start,
    Py_ssize_t stop,
    bint big,
    Py_ssize_t head,
    uint32_t fraction_ns,
    int lengths,
    int64_t[::1] offset,
    uint32_t[::1] caplen,
    uint32_t[::1] wirelen,
    int64_t[::1] ts_ns,
):
    """Scan pcap records.

    big         : byte order of the record headers
    head        : bytes of a record header, 16 (24 in the modified format)
    fraction_ns : nanoseconds a unit of the header's second field, 1000 or 1
    lengths     : CAPLEN_FIRST, WIRELEN_FIRST or SHORTER_IS_CAPLEN
    """
    cdef Py_ssize_t at = start, n = 0, room = offset.shape[0], need = 0, fetched = start
    cdef uint32_t captured, wire, other
    cdef int status = _MORE
    _check(data.shape[0], start, stop, 0, room, (caplen.shape[0], wirelen.shape[0], ts_ns.shape[0]))
    if head < 16:
        raise ValueError(f"a record header has at least 16 bytes, not {head}")
    with nogil:
        while True:
            if stop - at < head:
                need = head
                break
            fetched = fetch(data, fetched, at, stop)
            captured = u32(data, at + 8, big)
            wire = u32(data, at + 12, big)
            if lengths == _WIRELEN_FIRST or (lengths == _SHORTER_IS_CAPLEN and captured > wire):
                other = captured
                captured = wire
                wire = other
            if captured > _MAX_PACKET:
                status = _TOO_LONG
                break
            if stop - at - head < <Py_ssize_t> captured:
                need = head + captured
                break
            if n == room:
                status = _FULL
                break
            offset[n] = at + head
            caplen[n] = captured
            wirelen[n] = wire if wire > captured else captured
            # at most 2**32 * (10**9 + 1000): below LATEST_NS
            ts_ns[n] = (<int64_t> u32(data, at, big) * 1000000000
                        + <int64_t> u32(data, at + 4, big) * fraction_ns)
            n += 1
            at += head + captured
    return n, at, status, need


def scan_pcapng(
    const uint8_t[::1] data,
    Py_ssize_t start,
    Py_ssize_t stop,
    bint big,
    const Interface[::1] interfaces,
    int64_t[::1] offset,
    uint32_t[::1] caplen,
    uint32_t[::1] wirelen,
    int64_t[::1] ts_ns,
    uint16_t[::1] linktype,
    Py_ssize_t first,
):
    """Scan pcapng blocks of one section; stops with BLOCK before a section header or interface description.

    big        : byte order of the section
    interfaces : those described so far, in order; |offset_ns| <= 2**62, factor != 0 unless unit is SHIFT
    """
    cdef Py_ssize_t at = start, n = first, room = offset.shape[0], need = 0, inside, fetched = start
    cdef uint32_t kind, length, number, captured, wire
    cdef uint64_t ticks
    cdef int status = _MORE
    _check(data.shape[0], start, stop, first, room,
           (caplen.shape[0], wirelen.shape[0], ts_ns.shape[0], linktype.shape[0]))
    with nogil:
        while True:
            if stop - at < BLOCK_HEAD:
                need = BLOCK_HEAD
                break
            fetched = fetch(data, fetched, at, stop)
            kind = u32(data, at, big)
            if kind == SECTION_HEADER or kind == INTERFACE_DESCRIPTION:
                status = _BLOCK
                break
            length = u32(data, at + 4, big)
            if length < BLOCK_HEAD + BLOCK_TRAILER or length & 3:
                status = _BAD_LENGTH
                break
            if length > _MAX_BLOCK:
                status = _TOO_LONG
                break
            if stop - at < <Py_ssize_t> length:
                need = length
                break
            if u32(data, at + length - BLOCK_TRAILER, big) != length:
                status = _BAD_TRAILER
                break
            if kind == ENHANCED_PACKET or kind == PACKET:
                inside = <Py_ssize_t> length - PACKET_HEAD - BLOCK_TRAILER
                if inside < 0:
                    status = _TOO_SHORT
                    break
                # the obsolete block has a 16-bit interface number and a drop count in the same four bytes
                number = u32(data, at + 8, big) if kind == ENHANCED_PACKET else u16(data, at + 8, big)
                captured = u32(data, at + 20, big)
                wire = u32(data, at + 24, big)
                if <Py_ssize_t> captured > inside:
                    status = _TOO_SHORT
                    break
            elif kind == SIMPLE_PACKET:
                inside = <Py_ssize_t> length - SIMPLE_HEAD - BLOCK_TRAILER
                if inside < 0:
                    status = _TOO_SHORT
                    break
                number = 0
                wire = u32(data, at + 8, big)
                captured = wire if <Py_ssize_t> wire < inside else <uint32_t> inside
            else:
                at += length
                continue
            if <Py_ssize_t> number >= interfaces.shape[0]:
                status = _NO_INTERFACE
                break
            if n == room:
                status = _FULL
                break
            if kind == SIMPLE_PACKET:
                # no captured length: what the interface's snaplen left; no time: 0, as libpcap says
                if interfaces[number].snaplen and captured > interfaces[number].snaplen:
                    captured = interfaces[number].snaplen
                offset[n] = at + SIMPLE_HEAD
                ts_ns[n] = 0
            else:
                ticks = <uint64_t> u32(data, at + 12, big) << 32 | u32(data, at + 16, big)
                offset[n] = at + PACKET_HEAD
                ts_ns[n] = to_ns(ticks, &interfaces[number])
            caplen[n] = captured
            wirelen[n] = wire if wire > captured else captured
            linktype[n] = interfaces[number].linktype
            n += 1
            at += length
    return n, at, status, need
