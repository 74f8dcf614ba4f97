# The decoder, for kernels that take its records as they are made.

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.decode.flow_hash cimport FlowKey
from fl0p_py.decode.fragment cimport FragmentTable
from fl0p_py.decode.ip cimport Datagram
from fl0p_py.decode.reader cimport Bytes
from fl0p_py.decode.record cimport Decoded, Status
from fl0p_py.decode.siphash cimport SipKey


@cython.final
cdef class Frames:
    cdef readonly object batch
    cdef const uint8_t[::1] memory
    cdef const int64_t[::1] offset, ts_ns
    cdef const uint32_t[::1] caplen, wirelen
    cdef const uint16_t[::1] linktype
    cdef Py_ssize_t n, next                 # `next`: the first one not decoded yet


@cython.final
cdef class DecodedBatch:
    cdef readonly object batch, packets, reassembled, counts
    cdef object rows                        # `packets` with room to spare
    cdef Decoded[::1] decoded
    cdef uint8_t[::1] whole
    cdef size_t whole_used
    cdef Py_ssize_t n, taken                # `taken`: by a flow table

    cdef start(self, batch)
    cdef make_room(self)


@cython.final
cdef class Decoder:
    cdef bint vlan, check, vlan_key
    cdef SipKey key
    cdef FlowKey flow_key
    cdef FragmentTable fragments
    cdef uint64_t[::1] status_counts
    cdef readonly object counts

    cdef void span(self, Frames frames, DecodedBatch into) noexcept nogil
    cdef Status decode_frame(
        self, Bytes frame, size_t wirelen, int linktype, DecodedBatch into, Decoded *out
    ) noexcept nogil
    cdef Status gather(self, Datagram *ip, DecodedBatch into, Decoded *out) noexcept nogil
