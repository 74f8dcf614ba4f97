# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# The segment that a TCP flow waits for, as most are: the handshake is over, nothing is missing, and it brings
# the next bytes or none, and an acknowledgement of what the peer has sent.
#
# segment.pxd comes to the same, by way of all that could be wrong (a host does it so too: Jacobson's "header
# prediction", RFC 7323 section 5.6).
#
# Flows whose resets are doubted are not for it: a segment may have to end the doubt (life.pxd).  They are in
# tables that record, which never come here.

from libc.stdint cimport uint8_t, uint32_t

from fl0p_py.decode.record cimport ACK, FIN, RST, SYN, Decoded
from fl0p_py.flow.order cimport ahead, end_of, nothing_waits
from fl0p_py.flow.record cimport (
    END_ACK,
    END_FIN,
    END_SEQ,
    END_SYN_WINDOW,
    ROW_END_SEEN,
    ROW_ESTABLISHED,
    ROW_FINISHED,
    FlowRow,
    TcpEnd,
)
from fl0p_py.flow.sequence cimport append
from fl0p_py.flow.table cimport NOT_RECORDING, FlowTable
from fl0p_py.flow.touch cimport touch

cdef enum:
    USUAL_MAX = 1 << 30     # bytes that are sent at once, or on their way, are fewer


cdef inline bint as_expected(FlowTable t, uint32_t row, int direction, const Decoded* d) noexcept nogil:
    """Take the segment if it is the one waited for; False, and nothing is changed, if it is not."""
    cdef FlowRow* r = &t.row[row]
    cdef TcpEnd* x = end_of(r, direction)
    cdef const TcpEnd* y = end_of(r, 1 - direction)
    if (d.tcp_flags & (ACK | FIN | SYN | RST) != ACK
            or r.flags & (ROW_ESTABLISHED | ROW_END_SEEN | ROW_FINISHED) != ROW_ESTABLISHED
            or x.flags & (END_SEQ | END_ACK | END_FIN) != END_SEQ | END_ACK
            or not y.flags & END_SEQ
            or t.recording != NOT_RECORDING
            or not nothing_waits(t, r)):
        return False
    if d.seq != x.next_seq or y.next_seq - d.ack > USUAL_MAX or d.payload_len > USUAL_MAX:
        return False
    touch(t, r, d, direction)
    x.window = d.window
    x.flags &= <uint8_t>~END_SYN_WINDOW
    if ahead(d.ack, x.acked) > 0:
        x.acked = d.ack
    if d.payload_len:
        x.next_seq += d.payload_len
        append(t, row, direction, d.payload_len, d.ts_ns)
    return True
