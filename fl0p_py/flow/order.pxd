# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# One direction of a TCP flow: which bytes are new, and what has to wait for the bytes before it.
#
# `next_seq` is the next byte expected.  What begins there becomes a token at once; what lies beyond a hole is
# held as a piece until the hole is filled or skipped.  A piece knows how many of its bytes were new when it
# came (below next_seq or in another piece: not new), so no byte is counted twice, however segments overlap.
# Holes that were skipped are remembered, MISSED of each direction: what fills one later is new and makes a
# token at once.  So a retransmission that comes after its hole was given up still counts, and a forged
# segment far ahead cannot make the real ones look old.
# Arithmetic on sequence numbers is modulo 2^32 (RFC 9293 section 3.4).

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from fl0p_py.flow.record cimport END_ACK, END_FIN, ROW_END_SEEN, FlowRow, TcpEnd
from fl0p_py.flow.recording cimport note_hole
from fl0p_py.flow.sequence cimport append
from fl0p_py.flow.table cimport (
    FAR_COUNT,
    HELD,
    HOLE_BYTES,
    HOLES_SKIPPED,
    LATE,
    MISSED,
    MISSED_COUNT,
    NOTES,
    PIECE_SLOTS,
    PIECES,
    RETRANSMITTED,
    FlowTable,
    Piece,
)
from fl0p_py.flow.wheel cimport HOLE_NS, waited, wheel_place


cdef inline TcpEnd* end_of(FlowRow* r, int direction) noexcept nogil:
    return &r.server_end if direction else &r.client_end


cdef inline int32_t ahead(uint32_t a, uint32_t b) noexcept nogil:
    """How far sequence number a is ahead of b; negative: behind."""
    return <int32_t>(a - b)


cdef inline uint32_t waiting(FlowTable t, const FlowRow* r, int direction) noexcept nogil:
    return t.pieces[r.held - 1, direction] if r.held else 0


cdef inline bint nothing_waits(FlowTable t, const FlowRow* r) noexcept nogil:
    """No piece waits, nor is one set aside from beyond the window; holes may be remembered."""
    cdef const uint8_t* counts
    if r.held == 0:
        return True
    counts = &t.pieces[r.held - 1, 0]
    return counts[0] | counts[1] | counts[FAR_COUNT] | counts[FAR_COUNT + 1] == 0


cdef inline Piece* piece_at(FlowTable t, const FlowRow* r, int direction, uint32_t k) noexcept nogil:
    return &t.piece[r.held - 1, direction * PIECE_SLOTS + k]


cdef inline void drop_held(FlowTable t, FlowRow* r) noexcept nogil:
    """Give the row of pieces back."""
    if r.held:
        t.piece[r.held - 1, 0].start = t.held_free
        t.held_free = r.held
        r.held = 0


cdef inline bint take_held(FlowTable t, FlowRow* r) noexcept nogil:
    """Make sure that the flow has a row of pieces; False: there is none left."""
    cdef uint32_t k
    if r.held:
        return True
    if t.held_free:
        r.held = t.held_free
        t.held_free = t.piece[r.held - 1, 0].start
    elif t.held_used < t.held_size:
        t.held_used += 1
        r.held = t.held_used
    else:
        return False
    for k in range(NOTES):
        t.pieces[r.held - 1, k] = 0
    return True


cdef inline void keep(FlowTable t, FlowRow* r, int column, uint32_t count) noexcept nogil:
    """So many are left of what `pieces` counts in this column; when all are 0 the row of pieces goes back."""
    cdef uint32_t k
    t.pieces[r.held - 1, column] = <uint8_t>count
    for k in range(NOTES):
        if t.pieces[r.held - 1, k]:
            return
    drop_held(t, r)


cdef inline void miss(FlowTable t, FlowRow* r, int direction, uint32_t start, uint32_t end) noexcept nogil:
    """Bytes that nothing waits for any longer; the oldest note of such makes room."""
    cdef uint32_t k, n
    cdef uint32_t* note
    if not take_held(t, r):
        return
    n = t.pieces[r.held - 1, MISSED_COUNT + direction]
    note = &t.missed[r.held - 1, direction * 2 * MISSED]
    if n == MISSED:
        for k in range(2 * (MISSED - 1)):
            note[k] = note[k + 2]
        n -= 1
    note[2 * n] = start
    note[2 * n + 1] = end
    t.pieces[r.held - 1, MISSED_COUNT + direction] = <uint8_t>(n + 1)


cdef inline void give_up(FlowTable t, uint32_t row, int direction, uint32_t end) noexcept nogil:
    """Go on at `end`, which is ahead; the bytes before it may still come late."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    if t.recording:
        note_hole(t, row, direction, x.next_seq, end)
    miss(t, r, direction, x.next_seq, end)
    x.next_seq = end


cdef inline uint32_t recover(
    FlowTable t, FlowRow* r, int direction, uint32_t start, uint32_t end
) noexcept nogil:
    """Bytes of [start, end) that had been missed; they are no longer."""
    cdef uint32_t n, k, j, first, last, size = 0
    cdef uint32_t* note
    if r.held == 0:
        return 0
    n = t.pieces[r.held - 1, MISSED_COUNT + direction]
    note = &t.missed[r.held - 1, direction * 2 * MISSED]
    k = n
    while k > 0:
        k -= 1
        first = start if ahead(start, note[2 * k]) > 0 else note[2 * k]
        last = end if ahead(end, note[2 * k + 1]) < 0 else note[2 * k + 1]
        if ahead(last, first) <= 0:
            continue
        size += last - first
        if last == note[2 * k + 1] and first == note[2 * k]:
            n -= 1
            for j in range(2 * k, 2 * n):
                note[j] = note[j + 2]
        elif last == note[2 * k + 1]:
            note[2 * k + 1] = first
        else:
            if first != note[2 * k] and n < MISSED:
                note[2 * n], note[2 * n + 1] = note[2 * k], first
                n += 1
            note[2 * k] = last
    if size:
        keep(t, r, MISSED_COUNT + direction, n)
    return size


cdef inline uint32_t uncovered(
    FlowTable t, const FlowRow* r, int direction, uint32_t start, uint32_t end
) noexcept nogil:
    """Bytes of [start, end) that no piece holds."""
    cdef uint32_t k, size = 0
    cdef Piece* p
    for k in range(waiting(t, r, direction)):
        p = piece_at(t, r, direction, k)
        if ahead(p.start, end) >= 0:
            break
        if ahead(p.end, start) <= 0:
            continue
        if ahead(p.start, start) > 0:
            size += p.start - start
        start = p.end
        if ahead(start, end) >= 0:
            return size
    return size + (end - start)


cdef inline void fin_arrived(FlowTable t, FlowRow* r, int direction) noexcept nogil:
    """The FIN is in order: it takes one sequence number, and nothing comes after it."""
    cdef TcpEnd* x = end_of(r, direction)
    x.flags |= END_FIN
    x.next_seq += 1
    if r.held:
        keep(t, r, direction, 0)


cdef inline void release(FlowTable t, uint32_t row, int direction) noexcept nogil:
    """Turn the pieces that are in order now into tokens."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    cdef uint32_t count = waiting(t, r, direction)
    cdef uint32_t k, n = 0
    cdef Piece* p
    while n < count:
        p = piece_at(t, r, direction, n)
        if ahead(p.start, x.next_seq) > 0:
            break
        n += 1
        if p.size:
            append(t, row, direction, p.size, p.arrival_ns)
        if ahead(p.end, x.next_seq) > 0:
            x.next_seq = p.end
        if p.fin and p.end == x.next_seq:
            fin_arrived(t, r, direction)
            return
    if n == 0:
        return
    for k in range(n, count):
        piece_at(t, r, direction, k - n)[0] = piece_at(t, r, direction, k)[0]
    keep(t, r, direction, count - n)


cdef inline void skip_hole(FlowTable t, uint32_t row, int direction) noexcept nogil:
    """Give up the bytes before the first piece; there must be one."""
    cdef uint32_t start = piece_at(t, &t.row[row], direction, 0).start
    t.count(HOLES_SKIPPED)
    give_up(t, row, direction, start)
    release(t, row, direction)


cdef inline void skip_acknowledged(FlowTable t, uint32_t row, int direction, uint32_t ack) noexcept nogil:
    """The peer has everything below `ack`: holes below it will not be filled."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    while waiting(t, r, direction) and ahead(ack, x.next_seq) > 0:
        if ahead(piece_at(t, r, direction, 0).start, ack) > 0:
            give_up(t, row, direction, ack)     # the hole's first part; the rest is still waited for
            return
        skip_hole(t, row, direction)


cdef inline int longest_waiting(FlowTable t, const FlowRow* r, int64_t* since_ns) noexcept nogil:
    """The direction whose piece has waited longest (the client's, if equal), and since when; -1: none."""
    cdef int direction, found = -1
    cdef uint32_t k
    cdef Piece* p
    for direction in range(2):
        for k in range(waiting(t, r, direction)):
            p = piece_at(t, r, direction, k)
            if found < 0 or p.since_ns < since_ns[0]:
                found = direction
                since_ns[0] = p.since_ns
    return found


cdef inline void skip_all(FlowTable t, uint32_t row) noexcept nogil:
    """Nothing waits any longer, in either direction."""
    cdef int64_t since_ns = 0
    cdef int direction = longest_waiting(t, &t.row[row], &since_ns)
    while direction >= 0:
        skip_hole(t, row, direction)
        direction = longest_waiting(t, &t.row[row], &since_ns)


cdef inline void skip_waited(FlowTable t, uint32_t row) noexcept nogil:
    """Nothing waits longer than HOLE_NS."""
    cdef int64_t since_ns = 0
    cdef int direction = longest_waiting(t, &t.row[row], &since_ns)
    while direction >= 0 and waited(t, since_ns, HOLE_NS):
        skip_hole(t, row, direction)
        direction = longest_waiting(t, &t.row[row], &since_ns)


cdef inline bint too_far(FlowTable t, const FlowRow* r, int direction, uint32_t next_seq) noexcept nogil:
    """Too many pieces wait, or one ends too far away."""
    cdef uint32_t k, count = waiting(t, r, direction)
    if count > PIECES:
        return True
    for k in range(count):
        if ahead(piece_at(t, r, direction, k).end, next_seq) > HOLE_BYTES:
            return True
    return False


cdef inline void deliver(
    FlowTable t, uint32_t row, int direction, uint32_t end, bint fin, uint32_t size, int64_t arrival_ns
) noexcept nogil:
    """Bytes up to `end` have come, with none missing before them; `size` others of the segment were late."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    if ahead(end, x.next_seq) > 0:
        size += uncovered(t, r, direction, x.next_seq, end)
        x.next_seq = end
    if size:
        append(t, row, direction, size, arrival_ns)
    if fin and end == x.next_seq:
        fin_arrived(t, r, direction)
    elif r.held:
        release(t, row, direction)


cdef inline void hold(
    FlowTable t, uint32_t row, int direction, uint32_t start, uint32_t end, bint fin, int64_t arrival_ns
) noexcept nogil:
    """Bytes from `start` to `end` have come, but some before them are missing."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    cdef uint32_t size = uncovered(t, r, direction, start, end)
    cdef uint32_t k, count = waiting(t, r, direction)
    cdef Piece* p
    if size == 0:
        for k in range(count):
            p = piece_at(t, r, direction, k)
            if p.fin and p.end == end:
                fin = False
        if not fin:
            t.count(RETRANSMITTED)
            return
    if not take_held(t, r):
        t.count(HOLES_SKIPPED)
        if t.recording:
            note_hole(t, row, direction, x.next_seq, start)
        x.next_seq = start
        deliver(t, row, direction, end, fin, 0, arrival_ns)
        return
    k = count
    while k > 0 and ahead(piece_at(t, r, direction, k - 1).start, start) > 0:
        piece_at(t, r, direction, k)[0] = piece_at(t, r, direction, k - 1)[0]
        k -= 1
    p = piece_at(t, r, direction, k)
    p.start, p.end, p.size, p.fin = start, end, size, fin
    p.arrival_ns, p.since_ns = arrival_ns, t.clock_ns
    t.pieces[r.held - 1, direction] = <uint8_t>(count + 1)
    t.count(HELD)
    while too_far(t, r, direction, x.next_seq):
        skip_hole(t, row, direction)
    if count == 0 and waiting(t, r, direction):
        wheel_place(t, row)


cdef inline void arrive(
    FlowTable t, uint32_t row, int direction, uint32_t start, uint32_t size, bint fin, int64_t arrival_ns
) noexcept nogil:
    """A segment of `size` bytes at `start`, perhaps with a FIN; next_seq of this end is known."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    cdef TcpEnd* y = end_of(r, 1 - direction)
    cdef uint32_t end = start + size
    cdef uint32_t known, late = 0
    if not r.flags & ROW_END_SEEN and ahead(start, x.next_seq) < 0:
        late = recover(t, r, direction, start, end if ahead(end, x.next_seq) < 0 else x.next_seq)
        if late:
            t.count(LATE)
    if x.flags & END_FIN or ahead(end, x.next_seq) < 0 or (end == x.next_seq and not fin):
        if late:
            append(t, row, direction, late, arrival_ns)
        elif size:
            t.count(RETRANSMITTED)
        return
    if ahead(start, x.next_seq) > 0 and y.flags & END_ACK and ahead(y.acked, x.next_seq) > 0:
        known = start if ahead(y.acked, start) > 0 else y.acked
        skip_acknowledged(t, row, direction, known)
        if x.flags & END_FIN:
            return
        if ahead(known, x.next_seq) > 0:        # no piece stood in between
            t.count(HOLES_SKIPPED)
            give_up(t, row, direction, known)
    if ahead(start, x.next_seq) <= 0:
        deliver(t, row, direction, end, fin, late, arrival_ns)
    else:
        hold(t, row, direction, start, end, fin, arrival_ns)
