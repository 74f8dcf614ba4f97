# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# TCP packets: which flow, which end, whether to believe them; then order.pxd.
#
# The flow table is a third party that may have missed packets and may be shown forged ones.  Of a segment,
# the sequence number and the acknowledgement are each looked at against what is known of the two ends:
#
#   sequence    acknowledgement
#   fits        fits              taken
#   fits        is too far        ignored, unless it confirms a far segment of the peer
#   is far      -                 set aside as the end's far segment; nothing else changes
#
# "Fits" is the receive window of the peer (RFC 9293 section 3.10.7.4), at least 64 KiB, of which the highest
# byte seen or acknowledged is the base; behind it anything less than 2^30 away is old.  A far segment that
# the peer then acknowledges was real: packets were missed, and the flow goes on from there.  Where the peer
# has never been heard its window is unknown, and sequence numbers are believed.

from libc.stdint cimport uint8_t, uint32_t

from fl0p_py.decode.record cimport ACK, FIN, NO_WSCALE, RST, SYN, Decoded
from fl0p_py.flow.expected cimport as_expected
from fl0p_py.flow.index cimport sender_in
from fl0p_py.flow.life cimport (
    believe_again,
    close_if_both_fins,
    end_row,
    finish_if_acknowledged,
    make_place,
    new_row,
    reset_row,
)
from fl0p_py.flow.order cimport (
    ahead,
    arrive,
    end_of,
    keep,
    miss,
    piece_at,
    skip_acknowledged,
    skip_all,
    take_held,
)
from fl0p_py.flow.record cimport (
    END_ACK,
    END_ISN,
    END_SEQ,
    END_SYN,
    END_SYN_WINDOW,
    RECORD_FAR,
    RESET,
    REUSED,
    ROW_END_SEEN,
    ROW_ESTABLISHED,
    ROW_FINISHED,
    ROW_START_SEEN,
    FlowRow,
    TcpEnd,
)
from fl0p_py.flow.recording cimport mark, note_hole, note_segment, note_untaken
from fl0p_py.flow.table cimport (
    AFTER_END,
    DOUBT,
    ESTABLISHED,
    EVERY_PACKET,
    FAR_COUNT,
    FAR_PIECE,
    HANDSHAKE,
    NO_ACK,
    NO_FLOW,
    NO_RECORD,
    OUT_OF_WINDOW,
    RESYNCHRONISED,
    RST_IGNORED,
    SYN_IGNORED,
    FlowTable,
    Piece,
)
from fl0p_py.flow.touch cimport touch

cdef enum:
    SCALE_MAX = 14          # RFC 7323 section 2.3; also what an unknown scale counts as
    REACH_MIN = 65536       # leniency: windows shrink, and captures miss window updates
    REACH_MAX = 1 << 30     # the largest window there can be

cdef enum SynVerdict:
    SAME = 0                # of this connection
    NEW                     # the pair of endpoints is used again
    STRAY                   # answers nothing that was asked


cdef inline uint32_t window_of(const TcpEnd* y) noexcept nogil:
    """Bytes that this end was ready to receive, when it last spoke."""
    if y.flags & END_SYN_WINDOW:
        return y.window
    if y.wscale == NO_WSCALE:
        return <uint32_t>y.window << SCALE_MAX
    return <uint32_t>y.window << y.wscale


cdef inline uint32_t reach_of(const FlowRow* r, const TcpEnd* y, int direction) noexcept nogil:
    """How far ahead the peer of y may send; `direction` is y's."""
    cdef uint32_t window
    if r.pkts[direction] == 0:
        return REACH_MAX
    window = window_of(y)
    return window if window > REACH_MIN else REACH_MIN


cdef inline bint seq_fits(const FlowRow* r, int direction, uint32_t seq, uint32_t end) noexcept nogil:
    cdef const TcpEnd* x = &r.server_end if direction else &r.client_end
    cdef const TcpEnd* y = &r.client_end if direction else &r.server_end
    cdef uint32_t base = x.next_seq
    if y.flags & END_ACK and ahead(y.acked, base) > 0:
        base = y.acked
    return ahead(seq, base) <= <int>reach_of(r, y, 1 - direction) and ahead(end, x.next_seq) >= -REACH_MAX


cdef inline bint ack_fits(const FlowRow* r, int direction, uint32_t ack) noexcept nogil:
    """Whether this end can have received what it acknowledges."""
    cdef const TcpEnd* x = &r.server_end if direction else &r.client_end
    cdef const TcpEnd* y = &r.client_end if direction else &r.server_end
    cdef int far
    if not y.flags & END_SEQ:
        return True
    far = ahead(ack, y.next_seq)
    return far <= <int>reach_of(r, x, direction) and far >= -REACH_MAX


cdef inline SynVerdict syn_verdict(const FlowRow* r, const Decoded* d, int direction) noexcept nogil:
    """What a SYN on a used pair of endpoints is.  "Another initial sequence number" makes a new flow."""
    cdef bint ended = r.flags & (ROW_END_SEEN | ROW_FINISHED) != 0
    cdef const TcpEnd* server = &r.server_end
    cdef const TcpEnd* client = &r.client_end
    cdef bint isn_known = client.flags & END_ISN != 0
    cdef uint32_t answered
    if direction == 0:
        if isn_known and d.seq == r.isn and not (ended and r.reason == RESET and not d.tcp_flags & ACK):
            return SAME     # sent again (a SYN after a RST is another attempt), or simultaneous open
        return NEW
    if not d.tcp_flags & ACK:
        if ended:
            return NEW
        if server.flags & END_SEQ:
            return SAME if server.flags & END_SYN and d.seq + 1 == server.next_seq else NEW
        if client.flags & END_SYN and (not client.flags & END_ACK or client.acked == d.seq + 1):
            return SAME     # simultaneous open (RFC 9293 section 3.5)
        return NEW
    if not isn_known:
        return NEW
    answered = d.ack - (r.isn + 1)
    if answered < REACH_MIN and answered <= client.next_seq - (r.isn + 1):
        return SAME         # acknowledges the SYN, perhaps with data on it (RFC 7413)
    if client.flags & END_SYN and not ended and not r.flags & ROW_ESTABLISHED:
        return STRAY
    return NEW


cdef inline void shake(FlowRow* r, const Decoded* d, int direction) noexcept nogil:
    """Learn from a SYN."""
    cdef TcpEnd* x = end_of(r, direction)
    cdef TcpEnd* y = end_of(r, 1 - direction)
    x.flags |= END_SYN
    if not x.flags & END_SEQ:
        x.flags |= END_SEQ
        x.next_seq = d.seq + 1
    if d.wscale == NO_WSCALE:       # scaling needs the option in both directions (RFC 7323 section 2.2)
        x.wscale = y.wscale = 0
    else:
        x.wscale = d.wscale if d.wscale < SCALE_MAX else SCALE_MAX
    if direction == 0:
        x.flags |= END_ISN
        r.isn = d.seq
    elif d.tcp_flags & ACK and not y.flags & END_SEQ:
        y.flags |= END_SEQ | END_ISN
        y.next_seq = d.ack
        r.isn = d.ack - 1
    if not d.tcp_flags & ACK and r.tokens == 0:     # what was told with the first token does not change
        r.flags |= ROW_START_SEEN


cdef inline bint rst_counts(const FlowRow* r, const Decoded* d, int direction) noexcept nogil:
    """Whether the peer would accept this RST: inside its receive window, or an answer to its SYN."""
    cdef const TcpEnd* x = &r.server_end if direction else &r.client_end
    cdef const TcpEnd* y = &r.client_end if direction else &r.server_end
    cdef uint32_t first, edge       # of the receive window
    if not x.flags & END_SEQ and not y.flags & END_ACK:
        # SYN-SENT (RFC 9293 section 3.10.7.3): it must acknowledge the SYN
        return (y.flags & END_SYN != 0 and d.tcp_flags & ACK != 0
                and ahead(d.ack, r.isn) > 0 and ahead(d.ack, y.next_seq) <= 0)
    first = x.next_seq if x.flags & END_SEQ else y.acked
    if y.flags & END_ACK and ahead(y.acked, first) > 0:
        first = y.acked
    if d.seq == first:
        return True
    edge = (y.acked if y.flags & END_ACK else first) + (window_of(y) if r.pkts[1 - direction] else REACH_MAX)
    return ahead(d.seq, first) > 0 and ahead(d.seq, edge) < 0


cdef inline void set_aside(
    FlowTable t, uint32_t row, int direction, const Decoded* d, uint32_t seq
) noexcept nogil:
    """A segment from beyond the window: remembered in case the peer acknowledges it."""
    cdef FlowRow* r = &t.row[row]
    cdef Piece* p
    t.count(OUT_OF_WINDOW)
    if d.payload_len == 0 or not take_held(t, r):
        return
    p = piece_at(t, r, direction, FAR_PIECE)
    p.start, p.end, p.size = seq, seq + d.payload_len, d.payload_len
    p.fin = d.tcp_flags & FIN
    p.arrival_ns, p.since_ns = d.ts_ns, t.clock_ns
    t.pieces[r.held - 1, FAR_COUNT + direction] = 1


cdef inline bint confirms(FlowTable t, const FlowRow* r, int direction, uint32_t ack) noexcept nogil:
    """Whether the acknowledgement is of the peer's far segment."""
    cdef const Piece* p
    if r.held == 0 or t.pieces[r.held - 1, FAR_COUNT + 1 - direction] == 0:
        return False
    p = piece_at(t, r, 1 - direction, FAR_PIECE)
    return ahead(ack, p.start) > 0 and ahead(ack, p.end) <= 0


cdef inline void jump(FlowTable t, uint32_t row, int direction, uint32_t seq) noexcept nogil:
    """Packets were missed: this direction goes on from `seq`."""
    cdef TcpEnd* x = end_of(&t.row[row], direction)
    t.count(RESYNCHRONISED)
    skip_all(t, row)
    if t.recording and seq != x.next_seq:
        note_hole(t, row, direction, x.next_seq, seq)
    if ahead(seq, x.next_seq) > 0:
        miss(t, &t.row[row], direction, x.next_seq, seq)
    x.next_seq = seq


cdef inline void resynchronise(FlowTable t, uint32_t row, int direction) noexcept nogil:
    """This direction goes on from its far segment."""
    cdef FlowRow* r = &t.row[row]
    cdef Piece far = piece_at(t, r, direction, FAR_PIECE)[0]
    keep(t, r, FAR_COUNT + direction, 0)
    jump(t, row, direction, far.start)
    arrive(t, row, direction, far.start, far.size, far.fin, far.arrival_ns)


cdef inline bint believe(
    FlowTable t, uint32_t row, int direction, const Decoded* d, uint32_t seq
) noexcept nogil:
    """Whether to take the segment; the state is mended first where it shows that packets were missed."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    cdef TcpEnd* y = end_of(r, 1 - direction)
    cdef bint fits = not x.flags & END_SEQ or seq_fits(r, direction, seq, seq + d.payload_len)
    if fits and (not d.tcp_flags & ACK or ack_fits(r, direction, d.ack)):
        return True
    if y.flags & END_SEQ and confirms(t, r, direction, d.ack):
        resynchronise(t, row, 1 - direction)
        x.acked = d.ack
        x.flags |= END_ACK
        if not fits:
            jump(t, row, direction, seq)
        return True
    if not fits and r.pkts[1 - direction] == 0:     # nothing is known of the peer's window
        jump(t, row, direction, seq)
        return True
    set_aside(t, row, direction, d, seq)
    return False


cdef inline void acknowledge(FlowTable t, uint32_t row, int direction, const Decoded* d) noexcept nogil:
    """What this end has received, and what it is ready to receive."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    x.window = d.window
    if d.tcp_flags & SYN:
        x.flags |= END_SYN_WINDOW
    else:
        x.flags &= <uint8_t>~END_SYN_WINDOW
    if not d.tcp_flags & ACK:
        return
    if not x.flags & END_ACK or ahead(d.ack, x.acked) > 0:
        x.acked = d.ack
        x.flags |= END_ACK
        if r.held:
            skip_acknowledged(t, row, 1 - direction, d.ack)


cdef inline void establish(FlowRow* r, const Decoded* d, int direction) noexcept nogil:
    """The handshake is complete when an end goes on after it; a flow picked up later needs a sign of life
    from both ends, or data (bare ACKs from nowhere must not hold rows for an hour)."""
    if d.tcp_flags & SYN:
        return
    if not r.client_end.flags & END_ISN and d.payload_len == 0 and r.pkts[1 - direction] == 0:
        return
    r.flags |= ROW_ESTABLISHED
    if r.timer == HANDSHAKE:
        r.timer = ESTABLISHED


cdef inline void take(FlowTable t, uint32_t row, int direction, const Decoded* d) noexcept nogil:
    """A segment of a flow that goes on; not a RST."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    cdef TcpEnd* y = end_of(r, 1 - direction)
    cdef uint32_t seq = d.seq
    if d.tcp_flags & SYN:
        shake(r, d, direction)
        seq += 1
    if not believe(t, row, direction, d, seq):
        if t.recording and d.payload_len:
            note_untaken(t, row, direction, d, seq, RECORD_FAR)
        return
    acknowledge(t, row, direction, d)
    if r.timer == DOUBT:
        believe_again(r)
    if not r.flags & ROW_ESTABLISHED:
        establish(r, d, direction)
    if d.payload_len or d.tcp_flags & FIN:
        if not x.flags & END_SEQ:       # picked up in the middle
            x.flags |= END_SEQ
            x.next_seq = y.acked if y.flags & END_ACK and ahead(y.acked, seq) > 0 else seq
        if t.recording:
            note_segment(t, row, direction, d, seq)
        arrive(t, row, direction, seq, d.payload_len, d.tcp_flags & FIN != 0, d.ts_ns)
        close_if_both_fins(t, row)
    elif r.held == 0 and r.flags & (ROW_END_SEEN | ROW_ESTABLISHED) == ROW_ESTABLISHED:
        return
    close_if_both_fins(t, row)
    finish_if_acknowledged(t, row)


cdef inline bint segment(FlowTable t, const Decoded* d, uint32_t found, int direction) noexcept nogil:
    """False: no room, call again with the same packet."""
    cdef uint32_t row
    cdef FlowRow* r
    cdef SynVerdict verdict = SAME
    if found and as_expected(t, found - 1, direction, d):
        return True
    if found and d.tcp_flags & (SYN | RST) == SYN:
        verdict = syn_verdict(&t.row[found - 1], d, direction)
        if verdict == NEW:
            end_row(t, found - 1, REUSED)
            found = 0
    if found:
        row = found - 1
        r = &t.row[row]
        if r.flags & ROW_FINISHED:
            t.count(AFTER_END)
            return True
    else:
        if d.tcp_flags & RST or not d.tcp_flags & (SYN | ACK):
            t.count(NO_FLOW)
            return True
        if not make_place(t):
            return False
        row = new_row(t, d, d.tcp_flags & (SYN | ACK) != SYN | ACK, HANDSHAKE)
        r = &t.row[row]
        direction = sender_in(d, r, t.vlan_key) - 1
    touch(t, r, d, direction)
    if d.tcp_flags & RST:
        if not rst_counts(r, d, direction):
            t.count(RST_IGNORED)
        else:
            reset_row(t, row)
    elif verdict == STRAY:
        t.count(SYN_IGNORED)
    elif not d.tcp_flags & (SYN | ACK):
        t.count(NO_ACK)
    else:
        take(t, row, direction, d)
    if t.recording:
        if t.begun != NO_RECORD:
            mark(t)
        elif t.recording == EVERY_PACKET:
            note_untaken(t, row, direction, d, d.seq + (d.tcp_flags & SYN != 0), 0)
    return True
