# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# UDP and ICMP echo packets: every one with a payload is a token.

from libc.stdint cimport uint32_t

from fl0p_py.decode.record cimport Decoded
from fl0p_py.flow.index cimport sender_in
from fl0p_py.flow.life cimport make_place, new_row
from fl0p_py.flow.record cimport ROW_START_SEEN
from fl0p_py.flow.recording cimport note_datagram
from fl0p_py.flow.sequence cimport append
from fl0p_py.flow.table cimport DATAGRAM, EVERY_PACKET, FlowTable
from fl0p_py.flow.touch cimport touch

cdef enum:
    UDP = 17                # IANA protocol number
    ECHO_REPLY = 0          # RFC 792
    ECHO_REPLY_6 = 129      # RFC 4443


cdef inline bint is_reply(const Decoded* d) noexcept nogil:
    return d.proto != UDP and d.icmp_type == (ECHO_REPLY if d.version == 4 else ECHO_REPLY_6)


cdef inline bint datagram(FlowTable t, const Decoded* d, uint32_t found, int direction) noexcept nogil:
    """False: no room, call again with the same packet."""
    cdef uint32_t row
    if found:
        row = found - 1
    else:
        if not make_place(t):
            return False
        row = new_row(t, d, not is_reply(d), DATAGRAM)
        t.row[row].flags |= ROW_START_SEEN
        direction = sender_in(d, &t.row[row], t.vlan_key) - 1
    touch(t, &t.row[row], d, direction)
    if t.recording and (d.payload_len or t.recording == EVERY_PACKET):
        note_datagram(t, row, direction, d)
    if d.payload_len:
        append(t, row, direction, d.payload_len, d.ts_ns)
    return True
