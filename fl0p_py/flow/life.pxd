# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# Rows: made, ended, freed.
#
#   open      --(FIN both ways)-->  ended: END sent; waits for the last acknowledgement, or lingers
#   ended     --------------------> finished: FINISH sent
#   open      --(RST, idle, evicted, end of file, ...)--> finished
#   doubted   --(RST)--> in doubt: open, until it is silent for DOUBT_S (finished) or a segment fits (open)
#   finished  a closed or reset row lingers in the index to absorb what still comes
#             --------------------> retired: out of the index --(release)--> free
#
# A row with tokens becomes free only after its FINISH has been handed out and release() was called.  A flow
# without a token is never heard of: it is counted, and its row is free at once.

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memset

from fl0p_py.decode.record cimport NO_WSCALE, Decoded
from fl0p_py.fetch cimport fetch
from fl0p_py.flow.cell cimport set_link
from fl0p_py.flow.index cimport index_insert, index_remove
from fl0p_py.flow.order cimport ahead, drop_held, skip_all, skip_waited
from fl0p_py.flow.record cimport (
    CLOSED,
    END,
    END_ACK,
    END_FIN,
    EVICTED,
    FINISH,
    IDLE,
    OPEN,
    RESET,
    REUSED,
    ROW_DRAINED,
    ROW_END_SEEN,
    ROW_ESTABLISHED,
    ROW_FINISHED,
    ROW_RETIRED,
    ROW_USED,
    FlowRow,
)
from fl0p_py.flow.sequence cimport emit
from fl0p_py.flow.table cimport (
    CLOSED_FLOWS,
    DOUBT,
    ESTABLISHED,
    EVICTED_FLOWS,
    FLOWS,
    FLOWS_EMPTY,
    HANDSHAKE,
    IDLE_FLOWS,
    LINGER,
    MORE_ROOM,
    OPEN_AT_END,
    RESET_FLOWS,
    REUSED_FLOWS,
    FlowTable,
)
from fl0p_py.flow.wheel cimport (
    FAR,
    NEAR,
    NEAR_BITS,
    TICK_BITS,
    bucket_for,
    deadline,
    first_bucket,
    next_occupied,
    waited,
    wheel_link,
    wheel_place,
    wheel_unlink,
)


cdef inline bint has_room(FlowTable t) noexcept nogil:
    """Whether the next packet, or the next flow's end, finds room for its events and tokens."""
    return t.n_events < t.events_limit and t.more_left >= MORE_ROOM


cdef inline bint idle(FlowTable t, const FlowRow* r) noexcept nogil:
    return waited(t, r.last_ns, t.timeout_ns[r.timer])


cdef inline uint32_t new_row(FlowTable t, const Decoded* d, bint from_client, int timer) noexcept nogil:
    """A row for a flow that begins with this packet; there must be a place for it (`make_place`)."""
    cdef uint32_t row
    cdef FlowRow* r
    if t.row_free:
        row = t.row_free - 1
        t.row_free = t.row[row].next
    else:
        row = t.rows_used
        t.rows_used += 1
    r = &t.row[row]
    memset(r, 0, sizeof(FlowRow))
    r.start_ns = r.last_ns = t.clock_ns
    if from_client:
        memcpy(r.client, d.src, 16)
        memcpy(r.server, d.dst, 16)
        r.cport, r.sport = d.sport, d.dport
    else:
        memcpy(r.client, d.dst, 16)
        memcpy(r.server, d.src, 16)
        r.cport, r.sport = d.dport, d.sport
    r.vlan = d.vlan
    r.proto = d.proto
    r.version = d.version
    r.hash = d.hash
    r.flags = ROW_USED
    r.reason = OPEN
    r.timer = <uint8_t>timer
    r.client_end.wscale = r.server_end.wscale = NO_WSCALE
    r.serial = t.serial
    if t.recording:
        t.origin[row, 0].known = t.origin[row, 1].known = 0
    t.serial += 1
    t.open_rows += 1
    t.count(FLOWS)
    index_insert(t, d.hash, row)
    wheel_link(t, row, bucket_for(t, deadline(t, r)))
    return row


cdef inline void free_row(FlowTable t, uint32_t row) noexcept nogil:
    cdef FlowRow* r = &t.row[row]
    if r.more:
        set_link(&t.more[r.more - 1, 0], t.more_free)
        t.more_free = r.more
        t.more_left += 1
    r.flags = 0
    r.next = t.row_free
    t.row_free = row + 1


cdef inline void retire(FlowTable t, uint32_t row) noexcept nogil:
    """Out of the index and the wheel; freed now, or by release() if its FINISH still has to be read."""
    cdef FlowRow* r = &t.row[row]
    index_remove(t, r.hash, row)
    wheel_unlink(t, row)
    t.open_rows -= 1
    if r.tokens == 0 or r.flags & ROW_DRAINED:
        free_row(t, row)
    else:
        r.flags |= ROW_RETIRED


cdef inline void linger(FlowTable t, uint32_t row) noexcept nogil:
    t.row[row].timer = LINGER
    wheel_place(t, row)


cdef inline void end_seen(FlowTable t, uint32_t row, int reason) noexcept nogil:
    cdef FlowRow* r = &t.row[row]
    r.flags |= ROW_END_SEEN
    r.reason = <uint8_t>reason
    if r.tokens:
        emit(t, row, END, reason)


cdef inline void close_if_both_fins(FlowTable t, uint32_t row) noexcept nogil:
    cdef FlowRow* r = &t.row[row]
    if r.client_end.flags & r.server_end.flags & END_FIN and not r.flags & ROW_END_SEEN:
        end_seen(t, row, CLOSED)
        linger(t, row)


cdef inline void finish_row(FlowTable t, uint32_t row, int reason) noexcept nogil:
    """The flow's record is complete.  What waited becomes tokens first; a closed flow stays closed.

    One that is in doubt was reset, whatever ends it."""
    cdef FlowRow* r = &t.row[row]
    if r.flags & ROW_FINISHED:
        return
    if r.timer == DOUBT:
        reason = RESET
    skip_all(t, row)
    close_if_both_fins(t, row)
    if not r.flags & ROW_END_SEEN:
        if reason == RESET or reason == IDLE:
            end_seen(t, row, reason)
        r.reason = <uint8_t>reason
    r.flags |= ROW_FINISHED
    drop_held(t, r)
    if r.tokens:
        emit(t, row, FINISH, r.reason)
    else:
        t.count(FLOWS_EMPTY)
    t.count(
        CLOSED_FLOWS if r.reason == CLOSED else RESET_FLOWS if r.reason == RESET
        else IDLE_FLOWS if r.reason == IDLE else REUSED_FLOWS if r.reason == REUSED
        else EVICTED_FLOWS if r.reason == EVICTED else OPEN_AT_END
    )


cdef inline void finish_if_acknowledged(FlowTable t, uint32_t row) noexcept nogil:
    """After FIN both ways: the record is complete when both ends have acknowledged everything."""
    cdef FlowRow* r = &t.row[row]
    if (r.flags & (ROW_END_SEEN | ROW_FINISHED) == ROW_END_SEEN
            and r.client_end.flags & r.server_end.flags & END_ACK
            and ahead(r.client_end.acked, r.server_end.next_seq) >= 0
            and ahead(r.server_end.acked, r.client_end.next_seq) >= 0):
        finish_row(t, row, CLOSED)


cdef inline void reset_row(FlowTable t, uint32_t row) noexcept nogil:
    """A RST that counts.  Where it may be somebody else's, the silence behind it has to prove it."""
    cdef FlowRow* r = &t.row[row]
    if r.flags & ROW_END_SEEN:
        return
    if r.doubted:
        r.timer = DOUBT
        wheel_place(t, row)
        return
    finish_row(t, row, RESET)
    linger(t, row)


cdef inline void believe_again(FlowRow* r) noexcept nogil:
    """A segment of a flow that was in doubt: it goes on."""
    r.timer = ESTABLISHED if r.flags & ROW_ESTABLISHED else HANDSHAKE


cdef inline void end_row(FlowTable t, uint32_t row, int reason) noexcept nogil:
    finish_row(t, row, reason)
    retire(t, row)


cdef inline bint time_up(FlowTable t, uint32_t row) noexcept nogil:
    """Whether an idle flow is gone; one in doubt is finished, and lingers like any that was reset."""
    if t.row[row].timer == DOUBT:
        finish_row(t, row, RESET)
        linger(t, row)
        if not idle(t, &t.row[row]):
            return False
    end_row(t, row, IDLE)
    return True


cdef inline void fetch_behind(FlowTable t, uint32_t row) noexcept nogil:
    """Ask for the row after the next in the bucket, and for the slot of the next, which is there by now."""
    cdef uint32_t next = t.row[row].next
    if next:
        fetch(&t.slots[t.row[next - 1].hash & t.slot_mask])
        next = t.row[next - 1].next
        if next:
            fetch(&t.row[next - 1])
            fetch(<const char*>&t.row[next - 1] + sizeof(FlowRow) - 1)


cdef inline bint fire(FlowTable t, uint32_t bucket) noexcept nogil:
    """Look at each row of a bucket: it ends, or goes where it belongs now; False: no room, call again."""
    cdef uint32_t row, to
    cdef uint32_t stays = 0     # first row that belongs into this bucket again, and so is last now
    while t.bucket[bucket] and t.bucket[bucket] != stays:
        if not has_room(t):
            return False
        row = t.bucket[bucket] - 1
        fetch_behind(t, row)
        if t.row[row].held:
            skip_waited(t, row)
            close_if_both_fins(t, row)
        if idle(t, &t.row[row]) and time_up(t, row):
            continue
        to = bucket_for(t, deadline(t, &t.row[row]))
        wheel_unlink(t, row)
        wheel_link(t, row, to)
        if to == bucket and stays == 0:
            stays = row + 1
    return True


cdef inline bint turn_wheel(FlowTable t) noexcept nogil:
    """Bring the wheel up to the clock; False: no room, call again."""
    cdef int64_t turn
    t.tick = t.clock_ns >> TICK_BITS
    turn = t.tick >> NEAR_BITS
    if turn - t.far_done > FAR:
        t.far_done = turn - FAR
    while t.far_done < turn:
        t.far_done = next_occupied(t, NEAR, FAR - 1, t.far_done + 1, turn) - 1
        if t.far_done < turn:
            if not fire(t, NEAR + <uint32_t>((t.far_done + 1) & (FAR - 1))):
                return False
            t.far_done += 1
    if t.tick - t.near_done > NEAR:
        t.near_done = t.tick - NEAR
    while t.near_done < t.tick:
        t.near_done = next_occupied(t, 0, NEAR - 1, t.near_done + 1, t.tick) - 1
        if t.near_done < t.tick:
            if not fire(t, <uint32_t>((t.near_done + 1) & (NEAR - 1))):
                return False
            t.near_done += 1
    return True


cdef inline bint make_place(FlowTable t) noexcept nogil:
    """Evict the flow nearest to its deadline if the table is full; False: no room for events, call again.

    A flow that has been active since it was put into its bucket gets a second chance: it goes where it
    belongs now.  One that is there for its hole alone has its hole skipped.
    """
    cdef uint32_t row, bucket
    while t.open_rows >= t.capacity:
        if not has_room(t):
            return False
        row = t.bucket[first_bucket(t)] - 1
        if t.row[row].held:
            skip_all(t, row)
            close_if_both_fins(t, row)
        bucket = bucket_for(t, deadline(t, &t.row[row]))
        if bucket == t.row[row].slot:
            end_row(t, row, EVICTED)
        else:
            wheel_place(t, row)
    return True
