# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# What every packet does to its flow's row.

from fl0p_py.decode.record cimport PSEUDO, RIGHT, Decoded
from fl0p_py.flow.order cimport end_of
from fl0p_py.flow.record cimport END_PROVEN, FlowRow
from fl0p_py.flow.table cimport FlowTable


cdef inline void touch(FlowTable t, FlowRow* r, const Decoded* d, int direction) noexcept nogil:
    r.last_ns = t.clock_ns
    r.pkts[direction] += 1
    r.bytes[direction] += d.frame_len
    if d.checksum == RIGHT or d.checksum == PSEUDO:
        end_of(r, direction).flags |= END_PROVEN
