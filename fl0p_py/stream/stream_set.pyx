# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# SAFETY of boundscheck=False: lanes are indexed by rows of the table and a direction of 0 or 1, both out of
# its own records; a record's bytes are looked at once (`inside`) against the array that they are in; chunks
# and own bytes by counts for which room() leaves CHUNK_ROOM and OWN_ROOM.  The build of `make fuzz` keeps
# the checks on.
"""StreamSet: the streams of all flows, a step at a time.

Follows the flow table's records: what is in order goes on at once as a chunk that points to where it was
captured; what lies beyond a hole is held (HeldStore) until the table fills the hole or gives it up.  Bytes
go on once: those that come again are compared, if somebody wants the flow, and dropped.

Guarantees: in each direction of a flow, DATA and GAP chunks follow each other without a break, from offset 0
to the end, and every byte of the direction is in exactly one of them.  Of what the table takes for in order
no byte waits.  What cannot be held for want of memory becomes a GAP marked LOST.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

import numpy as np

from fl0p_py.fetch cimport fetch
from fl0p_py.flow.event_batch cimport EventBatch
from fl0p_py.flow.record cimport (
    END_ACK,
    FINISH,
    FlowRow,
    RECORD_COPY,
    RECORD_FAR,
    RECORD_HOLE,
    RECORD_IN_ORDER,
    RECORD_LATE,
    RECORD_OTHER,
    SegmentRecord,
    TcpEnd,
)
from fl0p_py.flow.recording cimport offset_of
from fl0p_py.flow.segment_batch cimport SegmentBatch
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.stream.held cimport HELD_REACH, HeldStore, Span
from fl0p_py.stream.recent cimport Recent
from fl0p_py.stream.record cimport (
    CHUNK_CONFLICT,
    CHUNK_COPY,
    CHUNK_CUT,
    CHUNK_DATA,
    CHUNK_DATAGRAM,
    CHUNK_END,
    CHUNK_FIN,
    CHUNK_GAP,
    CHUNK_LATE,
    CHUNK_LOST,
    CHUNK_OTHER,
    CHUNK_OWN,
    CHUNK_UNACKED,
    Chunk,
    NO_RECORD,
)
from fl0p_py.stream.stream_set cimport *

from fl0p_py.stream.chunk_batch import ChunkBatch

COUNTS = (
    "chunks",
    "gaps",                 # that were told of
    "gap_bytes",
    "held",                 # segments that had to wait
    "conflicts",            # segments that differ from what was there
    "not_held",             # segments dropped because the store was full
    "not_compared",         # wanted directions without a slot to compare with
)

cdef int64_t GAP_MAX = 0xFFFFFFFF       # Chunk.length has 32 bits

HELD_BYTES = 64 << 20
HELD_ENTRIES = 65536        # directions that may hold bytes at a time
RECENT_BYTES = 64 << 20
CHUNKS_FIRST = 16384
OWN_FIRST = 1 << 20

cdef enum:
    OWN_ROOM = 4 * HELD_REACH
    TCP = 6
    FIN = 1
    AHEAD = 8               # records from asking for a lane to using it


def _dtypes():
    cdef Chunk chunk
    cdef Lane lane
    return np.asarray(<Chunk[:1]> &chunk).dtype, np.asarray(<Lane[:1]> &lane).dtype


CHUNK_DTYPE, LANE_DTYPE = _dtypes()
NOTHING = np.empty(0, np.uint8)


cdef class StreamSet:
    """Streams of the flows of one table that records segments.

    table      : the table
    policy     : "first", "last" or "linux", see the package
    held_bytes : for bytes that wait
    compare    : bytes of each wanted direction that are kept to compare with what is sent again, a power of
                 two; 0: none
    want_all   : every flow is wanted
    """

    def __init__(self, FlowTable table not None, *, policy="first", Py_ssize_t held_bytes=HELD_BYTES,
                 Py_ssize_t held_entries=HELD_ENTRIES, Py_ssize_t compare=4096,
                 Py_ssize_t recent_bytes=RECENT_BYTES, want_all=False):
        if not table.recording:
            raise ValueError("the table does not record segments")
        rows = len(table.rows)
        self.table = table
        self.held = HeldStore(held_bytes, held_entries, policy)
        self.compare, self.all_wanted = compare > 0, want_all
        if compare:
            self.recent = Recent(max(1, recent_bytes // compare), compare)
        self.lane = np.zeros((rows, 2), LANE_DTYPE)
        self.wanted = np.zeros(rows, np.uint32)
        self._grow_chunks(CHUNKS_FIRST)
        self._grow_own(OWN_FIRST)
        self.count_array = np.zeros(<int>COUNTS_COUNT, np.longlong)
        self.counts = self.count_array

    def _grow_chunks(self, size):
        grown = np.empty(size, CHUNK_DTYPE)
        grown[: self.n] = self.chunk_array[: self.n] if self.n else []
        self.chunk_array = self.chunk = grown

    def _grow_own(self, size):
        grown = np.empty(size, np.uint8)
        grown[: self.own_used] = self.own_array[: self.own_used] if self.own_used else []
        self.own_array = self.own = grown

    def want(self, uint32_t flow, uint32_t serial):
        """From now on, compare what is sent again in this flow."""
        self.wanted[flow] = serial + 1

    def unwant(self, uint32_t flow):
        self.wanted[flow] = 0

    @property
    def stats(self):
        """Counters by name; their meaning stands beside COUNTS."""
        return {name: int(value) for name, value in zip(COUNTS, self.count_array, strict=True)}

    def take(self, EventBatch events not None, batch=None):
        """ChunkBatch of the next step: of its segments, then of the flows that ended."""
        cdef SegmentBatch segments = events.segments
        cdef Py_ssize_t at = 0, stop = segments.n
        cdef uint32_t k = 0
        self.n = self.own_used = 0
        self.records = segments.record[:stop]
        self.data = NOTHING if batch is None else batch.data
        self.copies = segments.copies
        while True:
            with nogil:
                at = self.run(at)
            if at == stop:
                break
            self._grow()
        while k < events.n:
            with nogil:
                while k < events.n and self.room():
                    if events.event[k].kind == FINISH:
                        self.end_flow(events.event[k].flow, events.event[k].ts_ns)
                    k += 1
            if k < events.n:
                self._grow()
        self.counts[<int>CHUNKS] += self.n
        return ChunkBatch(
            self.chunk_array[: self.n], np.asarray(self.data), np.asarray(self.copies),
            self.own_array[: self.own_used],
        )

    def _grow(self):
        if self.n + CHUNK_ROOM > self.chunk.shape[0]:
            self._grow_chunks(2 * self.chunk.shape[0])
        if self.own_used + OWN_ROOM > self.own.shape[0]:
            self._grow_own(2 * self.own.shape[0])

    cdef bint room(self) noexcept nogil:
        return self.n + CHUNK_ROOM <= self.chunk.shape[0] and self.own_used + OWN_ROOM <= self.own.shape[0]

    cdef Py_ssize_t run(self, Py_ssize_t at) noexcept nogil:
        """Follow the records from `at` on; the index of the first one that finds no room."""
        cdef Py_ssize_t i = at, k, stop = self.records.shape[0]
        cdef const SegmentRecord* r
        cdef Lane* lane
        while i < stop and self.room():
            r = &self.records[i]
            if i + AHEAD < stop and self.records[i + AHEAD].proto == TCP and not (
                    self.records[i + AHEAD].flags & RECORD_OTHER):
                fetch(&self.lane[self.records[i + AHEAD].flow, 0])
            self.current = <uint32_t>i
            i += 1
            if r.proto != TCP or r.flags & RECORD_OTHER:
                self.datagram(r)
                continue
            if r.flags & RECORD_FAR:
                continue
            lane = &self.lane[r.flow, r.direction]
            if lane.mark != r.serial + 1:
                self.forget(lane)
                lane.mark = r.serial + 1
            if r.flags & RECORD_HOLE:
                if r.offset <= lane.next:
                    self.gap(lane, r, r.offset + r.length, 0)
                continue
            if r.offset + r.length > lane.next + HELD_REACH or (
                    lane.entry == 0 and r.offset > lane.next and not r.flags & RECORD_IN_ORDER):
                # The table may have given up holes on account of this segment: their records are next.
                k = i
                while (k < stop and self.records[k].flags & RECORD_HOLE and self.records[k].flow == r.flow
                        and self.records[k].direction == r.direction):
                    if self.records[k].offset <= lane.next and self.room():
                        self.gap(lane, &self.records[k], self.records[k].offset + self.records[k].length, 0)
                    k += 1
            self.segment(lane, r)
        return i

    cdef Chunk* add(self, const SegmentRecord* r, int flags, int64_t offset, int64_t length) noexcept nogil:
        cdef Chunk* c = &self.chunk[self.n]
        self.n += 1
        c.ts_ns, c.offset = r.ts_ns, offset
        c.flow, c.serial, c.record = r.flow, r.serial, self.current
        c.at, c.length, c.flags = 0, <uint32_t>length, <unsigned short>flags
        c.direction, c.proto = r.direction, r.proto
        return c

    cdef inline bint inside(self, const SegmentRecord* r) noexcept nogil:
        cdef Py_ssize_t size = self.copies.shape[0] if r.flags & RECORD_COPY else self.data.shape[0]
        return <Py_ssize_t>r.at + r.captured <= size

    cdef void datagram(self, const SegmentRecord* r) noexcept nogil:
        cdef int flags = CHUNK_DATA | CHUNK_DATAGRAM
        cdef Chunk* c
        if r.captured == 0 or not self.inside(r):
            return
        if r.flags & RECORD_OTHER:
            flags |= CHUNK_OTHER
        if r.flags & RECORD_COPY:
            flags |= CHUNK_COPY
        if r.captured < r.length:
            flags |= CHUNK_CUT
        c = self.add(r, flags, r.offset, r.captured)
        c.at = r.at

    cdef void segment(self, Lane* lane, const SegmentRecord* r) noexcept nogil:
        """A TCP segment that the table has taken."""
        cdef int64_t end = r.offset + r.length
        if lane.flags & LANE_CLOSED or not self.inside(r):
            return
        if r.tcp_flags & FIN and end >= lane.next:
            lane.flags |= LANE_FIN
            lane.fin = end
        if r.flags & RECORD_IN_ORDER and r.offset > lane.next:
            self.gap(lane, r, r.offset, CHUNK_LOST)
        if r.offset > lane.next:
            if r.length:
                self.hold(lane, r, end)
            return
        if r.length:
            if r.offset < lane.next:
                self.again(lane, r, end if end < lane.next else lane.next)
            if end > lane.next:
                if lane.entry:
                    self.mix(lane, r, end)
                if end > lane.next:
                    self.straight(lane, r, end)
                    if lane.entry:
                        self.release(lane, r)
        self.close_if_fin(lane, r)

    cdef inline void close_if_fin(self, Lane* lane, const SegmentRecord* r) noexcept nogil:
        if lane.flags & LANE_FIN and lane.next == lane.fin and not lane.flags & LANE_CLOSED:
            lane.flags |= LANE_CLOSED
            self.add(r, CHUNK_FIN, lane.next, 0)
            if lane.entry:
                self.held.close(lane.entry - 1)
                lane.entry = 0

    cdef void straight(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil:
        """What the segment has from the next byte on goes on from where it was captured."""
        cdef int64_t skip = lane.next - r.offset
        cdef int64_t there = r.captured - skip
        cdef Chunk* c
        if there > 0:
            c = self.add(r, CHUNK_DATA | (CHUNK_COPY if r.flags & RECORD_COPY else 0), lane.next, there)
            c.at = <uint32_t>(r.at + skip)
            if self.compare:
                self.remember(lane, r, self.copies if r.flags & RECORD_COPY else self.data, c.at, there)
            lane.next += there
        if lane.next < end:
            self.gap(lane, r, end, CHUNK_CUT)

    cdef void again(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil:
        """The segment's bytes up to `end` are not new, or late."""
        cdef int64_t there = min(<int64_t>r.captured, end - r.offset)
        cdef int64_t differs
        cdef Chunk* c
        if there <= 0:
            return
        if r.flags & RECORD_LATE:
            c = self.add(r, CHUNK_LATE | (CHUNK_COPY if r.flags & RECORD_COPY else 0), r.offset, there)
            c.at = r.at
            return
        if lane.slot == 0:
            return
        end = r.offset + there
        differs = self.recent.first_difference(
            lane.slot - 1, r.offset, end, self.copies if r.flags & RECORD_COPY else self.data, r.at)
        if differs < end:
            self.counts[<int>CONFLICTS] += 1
            c = self.add(
                r, CHUNK_CONFLICT | (CHUNK_COPY if r.flags & RECORD_COPY else 0), differs, end - differs)
            c.at = <uint32_t>(r.at + (differs - r.offset))

    cdef void hold(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil:
        """Bytes before this segment are missing."""
        if lane.entry == 0:
            lane.entry = self.held.open(lane.next) + 1
        if (lane.entry and end <= lane.next + HELD_REACH
                and self.keep(lane, r, self.copies if r.flags & RECORD_COPY else self.data, r.offset, end)):
            self.counts[<int>HELD] += 1
        else:
            self.counts[<int>NOT_HELD] += 1
        if lane.entry and self.held.spans[lane.entry - 1] == 0:
            self.held.close(lane.entry - 1)
            lane.entry = 0

    cdef void mix(self, Lane* lane, const SegmentRecord* r, int64_t end) noexcept nogil:
        """The segment is in order and perhaps overlaps with what is held: the policy decides."""
        cdef int64_t stop = min(end, lane.next + HELD_REACH)
        if self.held.span[lane.entry - 1, 0].start >= end:
            return
        if self.keep(lane, r, self.copies if r.flags & RECORD_COPY else self.data, lane.next, stop):
            self.release(lane, r)
        else:
            self.counts[<int>NOT_HELD] += 1

    cdef bint keep(self, Lane* lane, const SegmentRecord* r, const uint8_t[::1] data, int64_t start,
                   int64_t end) noexcept nogil:
        """Put the segment's [start, end) beside what is held."""
        cdef int64_t there = min(end, r.offset + r.captured)
        cdef bint kept = True
        if there > start:
            self.dispute(lane, r, data, start, there)
            kept = self.held.insert(lane.entry - 1, start, there, False, data, r.at + (start - r.offset))
        if kept and there < end:
            kept = self.held.insert(lane.entry - 1, max(start, there), end, True, data, 0)
        return kept

    cdef void dispute(self, Lane* lane, const SegmentRecord* r, const uint8_t[::1] data, int64_t start,
                      int64_t end) noexcept nogil:
        """Tell of held bytes in [start, end) that the segment has otherwise."""
        cdef int32_t entry = lane.entry - 1
        cdef Span new
        cdef Span* old
        cdef int64_t first, last, at
        cdef Chunk* c
        cdef bint told = False
        cdef int k
        new.start, new.end, new.owner_start, new.owner_end = start, end, start, end
        new.cut, new.fresh = False, True
        for k in range(self.held.spans[entry]):
            old = &self.held.span[entry, k]
            first, last = max(start, old.start), min(end, old.end)
            at = r.at + (first - r.offset)
            if first >= last or old.cut or not self.held.differs(entry, first, last, data, at):
                continue
            told = True
            if self.held.wins(old, &new):
                c = self.add(r, CHUNK_CONFLICT | CHUNK_OWN, first, last - first)
                c.at = <uint32_t>self.own_used
                self.held.read(entry, first, last, self.own, self.own_used)
                self.own_used += last - first
            else:
                c = self.add(
                    r, CHUNK_CONFLICT | (CHUNK_COPY if r.flags & RECORD_COPY else 0), first, last - first)
                c.at = <uint32_t>at
        self.counts[<int>CONFLICTS] += told

    cdef void gap(self, Lane* lane, const SegmentRecord* r, int64_t end, int flags) noexcept nogil:
        """Go on at `end`: what is held before it goes on, the rest is missing."""
        cdef int64_t stop
        self.release(lane, r)
        while lane.next < end:
            stop = min(end, lane.next + GAP_MAX)
            if lane.entry:
                stop = min(stop, self.held.span[lane.entry - 1, 0].start)
            self.add(r, CHUNK_GAP | flags, lane.next, stop - lane.next)
            self.counts[<int>GAPS] += 1
            self.counts[<int>GAP_BYTES] += stop - lane.next
            lane.next = stop
            self.release(lane, r)
        self.close_if_fin(lane, r)

    cdef void release(self, Lane* lane, const SegmentRecord* r) noexcept nogil:
        """Hand on what is held and in order now."""
        cdef int32_t entry = lane.entry - 1
        cdef int64_t stop
        cdef Span* first
        cdef Chunk* c
        cdef int k
        if entry < 0:
            return
        self.held.advance(entry, lane.next)
        while self.held.spans[entry] and self.held.span[entry, 0].start == lane.next:
            first = &self.held.span[entry, 0]
            stop, k = first.end, 1
            while (k < self.held.spans[entry] and self.held.span[entry, k].start == stop
                    and self.held.span[entry, k].cut == first.cut):
                stop = self.held.span[entry, k].end
                k += 1
            if first.cut:
                self.add(r, CHUNK_GAP | CHUNK_CUT, lane.next, stop - lane.next)
                self.counts[<int>GAPS] += 1
                self.counts[<int>GAP_BYTES] += stop - lane.next
            else:
                c = self.add(r, CHUNK_DATA | CHUNK_OWN, lane.next, stop - lane.next)
                c.at = <uint32_t>self.own_used
                self.held.read(entry, lane.next, stop, self.own, self.own_used)
                if self.compare:
                    self.remember(lane, r, self.own, self.own_used, stop - lane.next)
                self.own_used += stop - lane.next
            lane.next = stop
            self.held.advance(entry, stop)
        if self.held.spans[entry] == 0:
            self.held.close(entry)
            lane.entry = 0

    cdef void remember(self, Lane* lane, const SegmentRecord* r, const uint8_t[::1] data, Py_ssize_t at,
                       Py_ssize_t length) noexcept nogil:
        """Bytes at lane.next, for comparing with what may come again."""
        if not self.all_wanted and self.wanted[r.flow] != r.serial + 1:
            return
        if lane.slot == 0:
            lane.slot = self.recent.open() + 1
            if lane.slot == 0:
                self.counts[<int>NOT_COMPARED] += 1
                return
        self.recent.put(lane.slot - 1, lane.next, data, at, length)

    cdef void forget(self, Lane* lane) noexcept nogil:
        if lane.entry:
            self.held.close(lane.entry - 1)
        if lane.slot:
            self.recent.close(lane.slot - 1)
        lane.next = lane.fin = 0
        lane.entry = lane.slot = 0
        lane.mark = lane.flags = 0

    cdef void end_flow(self, uint32_t flow, int64_t ts_ns) noexcept nogil:
        """Nothing of a finished flow's row changes any more."""
        cdef const FlowRow* row = &self.table.row[flow]
        cdef const TcpEnd* peer
        cdef SegmentRecord r        # stands for the end
        cdef Lane* lane
        cdef int64_t acked
        cdef int direction
        r.ts_ns, r.flow, r.serial, r.proto = ts_ns, flow, row.serial, row.proto
        self.current = NO_RECORD
        for direction in range(2):
            lane = &self.lane[flow, direction]
            if lane.mark != row.serial + 1:
                continue
            peer = &row.client_end if direction else &row.server_end
            acked = offset_of(&self.table.origin[flow, direction], peer.acked) if peer.flags & END_ACK else 0
            if acked < lane.next and row.pkts[1 - direction]:
                r.direction = <uint8_t>direction
                self.add(&r, CHUNK_UNACKED, acked, min(lane.next - acked, GAP_MAX))
            self.forget(lane)
        r.direction = 0
        self.add(&r, CHUNK_END, 0, 0)
