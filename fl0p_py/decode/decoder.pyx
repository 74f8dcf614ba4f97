# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The decoder: from a batch of frames to one `Decoded` record each.

Nothing on the wire raises; what is wrong with a packet is in its `status`.
"""

from libc.stdint cimport int64_t, uint16_t, uint32_t
from libc.string cimport memset

import numpy as np

from fl0p_py.decode.flow_hash cimport FlowKey, flow_hash, flow_key
from fl0p_py.decode.fragment cimport FragmentTable
from fl0p_py.decode.ip cimport Datagram, open_ip
from fl0p_py.decode.link cimport Network, open_link
from fl0p_py.decode.numbers cimport LINK_ETHERNET, MAX_DATAGRAM
from fl0p_py.decode.plain cimport open_plain
from fl0p_py.decode.reader cimport Bytes, bytes_of, part, prefetch
from fl0p_py.decode.record cimport (
    BAD_IP, FLOW, FRAGMENT, ICMP_OTHER, NO_FLOW_PROTOCOL, STATUS_COUNT, Decoded, Status,
)
from fl0p_py.decode.transport cimport open_upper

from fl0p_py.decode.limits import FragmentLimits

cdef enum:
    AHEAD = 8       # packets between asking for a frame's header and reading it


cdef decoded_dtype():
    cdef Decoded one
    memset(&one, 0, sizeof(one))
    return np.asarray(<Decoded[:1]>&one).dtype


DECODED_DTYPE = decoded_dtype()


cdef class Frames:
    """A PacketBatch as the kernels read it.  ValueError if its columns differ in length."""

    def __init__(self, batch):
        self.batch = batch
        self.memory, self.offset, self.ts_ns = batch.data, batch.offset, batch.ts_ns
        self.caplen, self.wirelen, self.linktype = batch.caplen, batch.wirelen, batch.linktype
        self.n, self.next = self.offset.shape[0], 0
        if not (self.n == self.ts_ns.shape[0] == self.caplen.shape[0] == self.wirelen.shape[0]
                == self.linktype.shape[0]):
            raise ValueError("the columns of the batch differ in length")


cdef class DecodedBatch:
    """What a Decoder makes of a PacketBatch; used again for the next one.

    packets     : structured array (n,) of DECODED_DTYPE, one record a packet, in the batch's order
    reassembled : uint8 array; the payloads of packets whose `reassembled` field is 1 lie here
    batch       : the PacketBatch; the other payloads lie in its `data`
    counts      : uint64[STATUS_COUNT], packets by status
    """

    def __init__(self, size_t packets=32768):
        self.batch = None
        self.rows = np.zeros(packets, DECODED_DTYPE)
        self.decoded = self.rows
        self.packets = self.rows[:0]
        self.reassembled = np.zeros(1 << 18, np.uint8)
        self.whole = self.reassembled
        self.whole_used = 0
        self.n = self.taken = 0
        self.counts = np.zeros(<int>STATUS_COUNT, np.uint64)

    def __len__(self):
        return len(self.packets)

    cdef start(self, batch):
        """Make room for the batch's packets and forget those of the last one."""
        cdef Py_ssize_t n = len(batch)
        if n > len(self.rows):
            self.rows = np.zeros(max(n, 2 * len(self.rows)), DECODED_DTYPE)
            self.decoded = self.rows
        self.batch = batch
        self.packets = self.rows[:n]
        self.n, self.taken = n, 0
        self.whole_used = 0

    cdef make_room(self):
        """Let one more datagram of any size fit into `reassembled`."""
        if self.whole_used + MAX_DATAGRAM > <size_t>self.whole.shape[0]:
            self.reassembled = np.concatenate([self.reassembled, np.zeros_like(self.reassembled)])
            self.whole = self.reassembled


cdef class Decoder:
    """Decodes batches of frames; keeps fragments from one batch to the next.

    key       : 16 random bytes for the hash
    vlan      : look below 802.1Q and 802.1ad tags; otherwise tagged frames get the status TAGGED
    checksums : "auto" or "check" fill the `checksum` field; "ignore" leaves it UNCHECKED
    vlan_key  : VLANs are part of the flow's hash
    fragments : FragmentLimits

    counts          : uint64[STATUS_COUNT], packets by status
    fragment_counts : uint64[FRAGMENT_COUNTERS], named by status.FRAGMENT_COUNTER_NAMES
    """

    def __init__(self, *, key, vlan=False, checksums="auto", vlan_key=True, fragments=None):
        if len(key) != 16:
            raise ValueError(f"key: {len(key)} bytes, expected 16")
        if checksums not in ("auto", "check", "ignore"):
            raise ValueError(f"checksums: {checksums!r}, expected auto, check or ignore")
        self.key.k0 = int.from_bytes(key[:8], "little")
        self.key.k1 = int.from_bytes(key[8:], "little")
        self.flow_key = flow_key(self.key)
        self.vlan = vlan
        self.vlan_key = vlan_key
        self.check = checksums != "ignore"
        self.counts = np.zeros(<int>STATUS_COUNT, np.uint64)
        self.status_counts = self.counts
        self.fragments = FragmentTable(fragments or FragmentLimits(), bytes(key))

    @property
    def fragment_counts(self):
        return self.fragments.counts

    def decode(self, batch, DecodedBatch into):
        """Fill `into` with one record for each packet of `batch`."""
        cdef Frames frames = Frames(batch)
        before = self.counts.copy()
        into.start(batch)
        while frames.next < frames.n:
            into.make_room()
            with nogil:
                self.span(frames, into)
        if frames.n:
            self.fragments.expire(frames.ts_ns[frames.n - 1])
        np.subtract(self.counts, before, out=into.counts)

    cdef void span(self, Frames frames, DecodedBatch into) noexcept nogil:
        """Decode frames as long as there is room for one more datagram to be put together."""
        cdef Bytes data = bytes_of(frames.memory), frame
        cdef const int64_t[::1] offset = frames.offset, ts_ns = frames.ts_ns
        cdef const uint32_t[::1] caplen = frames.caplen, wirelen = frames.wirelen
        cdef const uint16_t[::1] linktype = frames.linktype
        cdef Decoded[::1] decoded = into.decoded
        cdef FlowKey key = self.flow_key
        cdef Py_ssize_t i
        cdef Decoded *out
        cdef Decoded blank
        memset(&blank, 0, sizeof(Decoded))
        for i in range(frames.next, frames.n):
            if into.whole_used + MAX_DATAGRAM > <size_t>into.whole.shape[0]:
                frames.next = i
                return
            if i + AHEAD < frames.n:
                prefetch(data, <size_t>offset[i + AHEAD])
            out = &decoded[i]
            out[0] = blank      # not memset: gcc makes a slow `rep stos` of it
            out.ts_ns = ts_ns[i]
            out.frame_len = wirelen[i]
            frame = part(data, <size_t>offset[i], caplen[i])
            if linktype[i] == LINK_ETHERNET and open_plain(frame, wirelen[i], self.check, out):
                out.status = FLOW
            else:
                out.status = self.decode_frame(frame, wirelen[i], linktype[i], into, out)
            self.status_counts[out.status] += 1
            if out.status == FLOW:
                out.hash = flow_hash(out, &key, out.vlan if self.vlan_key else 0)
            elif out.status != NO_FLOW_PROTOCOL and out.status != ICMP_OTHER:
                continue
            if not out.reassembled:
                out.payload_at += <uint32_t>offset[i]
        frames.next = frames.n

    cdef Status decode_frame(self, Bytes frame, size_t wirelen, int linktype, DecodedBatch into,
                             Decoded *out) noexcept nogil:
        cdef Network net
        cdef Datagram ip
        cdef Status status = open_link(frame, linktype, self.vlan, &net)
        out.vlan = net.vlan
        if status != FLOW:
            return status
        if wirelen < frame.size:        # against PacketBatch's promise; lengths below rest on it
            wirelen = frame.size
        status = open_ip(frame, net.at, wirelen, net.version, self.check, &ip, out)
        if status == FLOW and not ip.fragment:
            status = open_upper(&ip, self.check, out)
        if ip.fragment:
            return self.gather(&ip, into, out)
        return status

    cdef Status gather(self, Datagram *ip, DecodedBatch into, Decoded *out) noexcept nogil:
        """Hold a fragment back, or decode the datagram that it completes."""
        cdef size_t start = into.whole_used
        cdef Status status = self.fragments.add(ip, out)
        if status != FLOW:
            return status
        self.fragments.take(into.whole, start, ip, out)
        into.whole_used += ip.bytes.size
        status = open_upper(ip, self.check, out)
        out.payload_at += <uint32_t>start
        if status == FRAGMENT:      # a fragment of a fragment, which RFC 8200 does not have
            return BAD_IP
        return status
