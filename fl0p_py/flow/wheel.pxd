# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# When a row has to be looked at again: a timer wheel of two levels, moved by packet time alone.
#
# A bucket of the near level is one tick of 2^28 ns (268 ms), of the far level one turn of the near level
# (73 minutes); the far level reaches 208 days ahead, what is later is looked at then and put back.  A packet
# does not move its flow: when a bucket fires, the flow's deadline is worked out anew, and the flow ends or
# goes where it belongs now.  So the wheel decides only when something is noticed; whether a flow is idle is
# decided by its own times, exactly, and also whenever a packet finds it (life.pxd).  A jump of the clock,
# however far, visits each bucket once.

from libc.stdint cimport INT64_MAX, int64_t, uint32_t, uint64_t

from fl0p_py.flow.record cimport FlowRow
from fl0p_py.flow.table cimport PIECE_SLOTS, FlowTable

cdef extern from *:
    int __builtin_ctzll(unsigned long long) noexcept nogil

cdef enum:
    TICK_BITS = 28
    NEAR_BITS = 14
    NEAR = 1 << 14
    FAR = 4096
    HOLE_NS = 1000000000    # a hole is skipped after this long


cdef inline bint waited(FlowTable t, int64_t since_ns, int64_t long_ns) noexcept nogil:
    """Whether at least `long_ns` have passed since then (which is never after the clock)."""
    return <uint64_t>t.clock_ns - <uint64_t>since_ns >= <uint64_t>long_ns


cdef inline int64_t later(int64_t ns, int64_t by_ns) noexcept nogil:
    return INT64_MAX if ns > INT64_MAX - by_ns else ns + by_ns


cdef inline int64_t deadline(FlowTable t, const FlowRow* r) noexcept nogil:
    """When something has to happen to the flow if no packet comes: it is idle, or a hole has waited long."""
    cdef int64_t at = later(r.last_ns, t.timeout_ns[r.timer])
    cdef int64_t hole
    cdef uint32_t direction, k
    if r.held:
        for direction in range(2):
            for k in range(t.pieces[r.held - 1, direction]):
                hole = later(t.piece[r.held - 1, direction * PIECE_SLOTS + k].since_ns, HOLE_NS)
                if hole < at:
                    at = hole
    return at


cdef inline uint32_t bucket_for(FlowTable t, int64_t at_ns) noexcept nogil:
    """The bucket that fires when the clock has reached `at_ns`, or as soon as possible."""
    cdef int64_t tick = (at_ns >> TICK_BITS) + 1
    cdef int64_t turns
    if tick <= t.tick:
        tick = t.tick + 1
    if tick - t.tick < NEAR:
        return <uint32_t>(tick & (NEAR - 1))
    turns = (tick >> NEAR_BITS) - (t.tick >> NEAR_BITS)
    if turns > FAR - 1:
        turns = FAR - 1
    return NEAR + <uint32_t>(((t.tick >> NEAR_BITS) + turns) & (FAR - 1))


cdef inline void wheel_link(FlowTable t, uint32_t row, uint32_t bucket) noexcept nogil:
    """Put the row last in the bucket, so that a bucket is served in order of arrival."""
    cdef FlowRow* r = &t.row[row]
    cdef uint32_t first = t.bucket[bucket]
    cdef uint32_t last
    r.slot = <unsigned short>bucket
    if first == 0:
        r.prev = r.next = row + 1
        t.bucket[bucket] = row + 1
        t.occupied[bucket >> 6] |= <uint64_t>1 << (bucket & 63)
        return
    last = t.row[first - 1].prev
    r.prev = last
    r.next = first
    t.row[last - 1].next = row + 1
    t.row[first - 1].prev = row + 1


cdef inline void wheel_unlink(FlowTable t, uint32_t row) noexcept nogil:
    cdef FlowRow* r = &t.row[row]
    cdef uint32_t bucket = r.slot
    if r.next == row + 1:
        t.bucket[bucket] = 0
        t.occupied[bucket >> 6] &= ~(<uint64_t>1 << (bucket & 63))
        return
    t.row[r.prev - 1].next = r.next
    t.row[r.next - 1].prev = r.prev
    if t.bucket[bucket] == row + 1:
        t.bucket[bucket] = r.next


cdef inline void wheel_place(FlowTable t, uint32_t row) noexcept nogil:
    """Move a row to the bucket of its deadline (needed at once only when the deadline has come nearer)."""
    cdef uint32_t bucket = bucket_for(t, deadline(t, &t.row[row]))
    if bucket != t.row[row].slot:
        wheel_unlink(t, row)
        wheel_link(t, row, bucket)


cdef inline int64_t next_occupied(
    FlowTable t, uint32_t base, uint32_t mask, int64_t start, int64_t stop
) noexcept nogil:
    """First n in start..stop whose bucket base + (n & mask) holds a row; stop + 1: none."""
    cdef uint32_t bucket
    cdef uint64_t bits
    while start <= stop:
        bucket = base + <uint32_t>(start & mask)
        bits = t.occupied[bucket >> 6] >> (bucket & 63)
        if bits:
            start += __builtin_ctzll(bits)
            return start if start <= stop else stop + 1
        start += 64 - (bucket & 63)
    return stop + 1


cdef inline uint32_t first_bucket(FlowTable t) noexcept nogil:
    """The bucket that fires next; the wheel must not be empty."""
    cdef int64_t turn
    cdef int64_t tick = next_occupied(t, 0, NEAR - 1, t.tick + 1, t.tick + NEAR)
    if tick <= t.tick + NEAR:
        return <uint32_t>(tick & (NEAR - 1))
    turn = t.tick >> NEAR_BITS
    turn = next_occupied(t, NEAR, FAR - 1, turn + 1, turn + FAR)
    return NEAR + <uint32_t>(turn & (FAR - 1))
