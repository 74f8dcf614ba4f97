# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# Writing segment records, where the table is asked for them.
#
# A record is begun before the table takes the segment, so that it stands before the holes that the segment
# makes it give up, and marked afterwards with what the table has made of it.  A table that is not asked has
# `recording` 0 and pays for one look at it a packet.
#
# Offsets count from the first byte after the SYN or, where a flow is picked up in the middle, from the first
# byte that the table takes; a segment from before that has a negative one.  Modulo 2^32 they go with the
# sequence numbers.  Of datagrams, an offset is the sum of the payloads before.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from fl0p_py.decode.record cimport Decoded
from fl0p_py.flow.record cimport (
    END_ACK,
    END_SEQ,
    NOT_ACKED,
    RECORD_ANSWERED,
    RECORD_COPY,
    RECORD_ESTABLISHED,
    RECORD_FAR,
    RECORD_HOLE,
    RECORD_IN_ORDER,
    RECORD_LATE,
    RECORD_NEW,
    RECORD_OLD,
    RECORD_OTHER,
    RECORD_OVERLAP,
    ROW_ESTABLISHED,
    FlowRow,
    SegmentRecord,
    TcpEnd,
)
from fl0p_py.flow.segment_batch cimport SegmentBatch
from fl0p_py.flow.table cimport LATE as LATE_, NO_RECORD, RETRANSMITTED, FlowTable, Origin


cdef inline void begin_packet(FlowTable t, uint32_t packet) noexcept nogil:
    """Before the table takes a packet."""
    t.packet = packet
    t.begun = NO_RECORD


cdef inline SegmentRecord* add_record(FlowTable t, SegmentBatch s) noexcept nogil:
    """One more; there is room for it, since a batch that is full keeps the table from taking packets."""
    cdef SegmentRecord* record = &s.record[s.n]
    s.n += 1
    if s.full():
        t.events_limit = 0
    return record


cdef inline Origin* origin_of(FlowTable t, uint32_t row, int direction, uint32_t next_seq) noexcept nogil:
    """Where this direction's offsets are counted from; the byte at `next_seq` is the first, if it is new."""
    cdef Origin* o = &t.origin[row, direction]
    if not o.known:
        o.known = True
        o.seq, o.at = next_seq, 0
    return o


cdef inline int64_t offset_of(const Origin* o, uint32_t seq) noexcept nogil:
    return o.at + <int32_t>(seq - o.seq)


cdef inline void move_to(Origin* o, uint32_t seq, int64_t offset) noexcept nogil:
    if offset > o.at:
        o.seq, o.at = seq, offset


cdef inline void note_bytes(
    FlowTable t, SegmentBatch s, SegmentRecord* record, const Decoded* d
) noexcept nogil:
    """The fields that a packet has whatever flow it is of, and where its bytes are."""
    record.ts_ns = d.ts_ns
    record.packet = t.packet
    record.at, record.length, record.captured = d.payload_at, d.payload_len, d.payload_cap
    record.seq, record.window, record.tcp_flags = d.seq, d.window, d.tcp_flags
    record.proto, record.version, record.ttl = d.proto, d.version, d.ttl
    record.icmp_type, record.icmp_code = d.icmp_type, d.icmp_code
    record.flags, record.direction, record.spare = 0, 0, 0
    record.offset, record.acked = 0, NOT_ACKED
    if d.reassembled:
        record.at = s.copied
        if <size_t>d.payload_at + record.captured > <size_t>t.whole.shape[0]:
            record.captured = 0     # handed in without its bytes
        if record.captured:
            memcpy(&s.copy[s.copied], &t.whole[d.payload_at], record.captured)
        s.copied += record.captured
        record.flags = RECORD_COPY
        if s.full():
            t.events_limit = 0


cdef inline SegmentRecord* note_flow(
    FlowTable t, uint32_t row, int direction, const Decoded* d
) noexcept nogil:
    cdef FlowRow* r = &t.row[row]
    cdef SegmentRecord* record
    t.begun = t.segments.n
    record = add_record(t, t.segments)
    note_bytes(t, t.segments, record, d)
    record.flow, record.serial, record.direction = row, r.serial, <uint8_t>direction
    if r.flags & ROW_ESTABLISHED:
        record.flags |= RECORD_ESTABLISHED
    if r.pkts[0] and r.pkts[1]:
        record.flags |= RECORD_ANSWERED
    return record


cdef inline void note_segment(
    FlowTable t, uint32_t row, int direction, const Decoded* d, uint32_t seq
) noexcept nogil:
    """A TCP segment with bytes or a FIN, before it is taken; next_seq of its end is known."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = &r.server_end if direction else &r.client_end
    cdef TcpEnd* y = &r.client_end if direction else &r.server_end
    cdef Origin* o = origin_of(t, row, direction, x.next_seq)
    cdef SegmentRecord* record = note_flow(t, row, direction, d)
    cdef int32_t beyond = <int32_t>(seq - x.next_seq)
    t.retransmitted_before = t.counters[<int>RETRANSMITTED]
    t.late_before = t.counters[<int>LATE_]
    record.seq = seq
    record.offset = offset_of(o, seq)
    if y.flags & END_ACK:
        record.acked = offset_of(o, y.acked)
    if beyond <= 0:
        record.flags |= RECORD_IN_ORDER
    if beyond < 0:
        record.flags |= RECORD_OVERLAP
    move_to(o, seq, record.offset)


cdef inline void note_untaken(
    FlowTable t, uint32_t row, int direction, const Decoded* d, uint32_t seq, int flags
) noexcept nogil:
    """A TCP packet that brings its flow nothing: bare, or not believed."""
    cdef TcpEnd* x = &t.row[row].server_end if direction else &t.row[row].client_end
    cdef SegmentRecord* record = note_flow(t, row, direction, d)
    record.seq = seq
    record.flags |= <uint16_t>flags
    if x.flags & END_SEQ:
        record.offset = offset_of(origin_of(t, row, direction, x.next_seq), seq)


cdef inline void note_hole(
    FlowTable t, uint32_t row, int direction, uint32_t start, uint32_t end
) noexcept nogil:
    """The table goes on at `end`, though bytes from `start`, its next_seq, are missing."""
    cdef Origin* o = origin_of(t, row, direction, start)
    cdef SegmentRecord* record = add_record(t, t.segments)
    cdef FlowRow* r = &t.row[row]
    record.ts_ns = t.clock_ns
    record.offset, record.acked = offset_of(o, start), NOT_ACKED
    record.flow, record.serial, record.direction = row, r.serial, <uint8_t>direction
    record.packet, record.at, record.captured = t.packet, 0, 0
    record.length, record.seq = end - start, start
    record.flags, record.window, record.proto, record.version = RECORD_HOLE, 0, r.proto, r.version
    record.tcp_flags = record.ttl = record.icmp_type = record.icmp_code = record.spare = 0
    move_to(o, end, record.offset + record.length)


cdef inline void note_datagram(FlowTable t, uint32_t row, int direction, const Decoded* d) noexcept nogil:
    cdef Origin* o = origin_of(t, row, direction, 0)
    cdef SegmentRecord* record = note_flow(t, row, direction, d)
    record.flags |= RECORD_IN_ORDER
    if d.payload_len:
        record.flags |= RECORD_NEW
    record.offset = o.at
    o.at += d.payload_len


cdef inline void note_other(FlowTable t, SegmentBatch s, const Decoded* d) noexcept nogil:
    """A packet of no flow."""
    cdef SegmentRecord* record = add_record(t, s)
    note_bytes(t, s, record, d)
    record.flow, record.serial = s.n_others, 0
    record.flags |= RECORD_OTHER
    s.other[s.n_others] = d[0]
    s.n_others += 1
    if s.full():
        t.events_limit = 0


cdef inline void mark(FlowTable t) noexcept nogil:
    """What the table has made of a TCP segment that has a record."""
    cdef SegmentRecord* record = &t.segments.record[t.begun]
    if record.length == 0 or record.flags & RECORD_FAR:
        return
    if t.counters[<int>LATE_] != t.late_before:
        record.flags |= RECORD_LATE
    record.flags |= RECORD_OLD if t.counters[<int>RETRANSMITTED] != t.retransmitted_before else RECORD_NEW
