# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# Events, and tokens in the row's sequence.

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint32_t, uint64_t

from fl0p_py.flow.cell cimport Cell, cell_link, set_cell
from fl0p_py.flow.gap cimport gap_code
from fl0p_py.flow.record cimport TOKEN, EventKind, FlowRow, TokenEvent
from fl0p_py.flow.table cimport INLINE_TOKENS, TOKENS, FlowTable


cdef inline TokenEvent* emit(FlowTable t, uint32_t row, EventKind kind, int reason) noexcept nogil:
    """Append an event; its caller has made sure of ROOM."""
    cdef TokenEvent* e = &t.event[t.n_events]
    t.n_events += 1
    e.ts_ns = t.clock_ns
    e.arrival_ns = t.clock_ns
    e.gap_ns = -1
    e.flow = row
    e.number = t.row[row].tokens
    e.size = 0
    e.kind = <unsigned char>kind
    e.reason = <unsigned char>reason
    return e


cdef inline uint32_t more_row(FlowTable t, FlowRow* r) noexcept nogil:
    """The flow's row in the pool of further tokens; taken from the pool if it has none yet."""
    if r.more == 0:
        t.more_left -= 1
        if t.more_free:
            r.more = t.more_free
            t.more_free = cell_link(&t.more[r.more - 1, 0])
        else:
            t.more_used += 1
            r.more = t.more_used
    return r.more - 1


cdef inline void append(
    FlowTable t, uint32_t row, int direction, uint32_t size, int64_t arrival_ns
) noexcept nogil:
    """The flow has a new token."""
    cdef FlowRow* r = &t.row[row]
    cdef uint32_t n = r.tokens
    cdef uint64_t gap = 0
    cdef Cell* cell
    cdef int32_t token = -<int32_t>size if direction else <int32_t>size
    cdef TokenEvent* e
    if n == 0 or arrival_ns > r.arrival_ns:
        if n:
            gap = <uint64_t>arrival_ns - <uint64_t>r.arrival_ns
            if gap > <uint64_t>INT64_MAX:
                gap = <uint64_t>INT64_MAX
        r.arrival_ns = arrival_ns
    if n < t.depth:
        cell = &t.head[row, n] if n < INLINE_TOKENS else &t.more[more_row(t, r), n - INLINE_TOKENS]
        set_cell(cell, token, gap_code(gap, t.threshold_ms))
    r.tokens = n + 1
    t.count(TOKENS)
    e = emit(t, row, TOKEN, 0)
    e.arrival_ns = arrival_ns
    e.gap_ns = <int64_t>gap if n else -1
    e.size = token
