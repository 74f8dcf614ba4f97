# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The fragment table: puts IPv4 and IPv6 datagrams together again, in bounded memory.

Policy.  A fragment that repeats another exactly is ignored.  Any other overlap, and a second end, drop the
datagram and whatever of it is still to come: RFC 5722 (now RFC 8200 section 4.5) asks for that with IPv6.
IPv4 is handled alike.  RFC 791 would let later bytes win, hosts have disagreed ever since, and attackers
lived on it; current Linux and Windows drop such datagrams, so what a sensor would make of one is nothing
that the receiver reads.

A datagram that is not complete within the timeout after its first fragment is dropped.  When the table is
full, the oldest datagram makes room.
"""

from libc.string cimport memcmp, memcpy, memset

import numpy as np

from fl0p_py.decode.numbers cimport MAX_DATAGRAM
from fl0p_py.decode.reader cimport Bytes, be64, bytes_of, copy_out, part
from fl0p_py.decode.record cimport BAD_IP, FLOW, FRAGMENT
from fl0p_py.decode.siphash cimport SipState, sip_end, sip_start, sip_word


cdef pending_dtype():
    cdef Pending one
    memset(&one, 0, sizeof(one))
    return np.asarray(<Pending[:1]>&one).dtype


cdef block_dtype():
    cdef Block one
    memset(&one, 0, sizeof(one))
    return np.asarray(<Block[:1]>&one).dtype


cdef class FragmentTable:
    """Incomplete datagrams within `limits` (FragmentLimits); `counts` tells what became of them."""

    def __init__(self, limits, bytes key):
        cdef Py_ssize_t blocks = max(1, limits.bytes // BLOCK)
        self.limits = limits
        self.counts = self.counters = np.zeros(<int>FRAGMENT_COUNTERS, np.uint64)
        self.pending = np.zeros(limits.datagrams, pending_dtype())
        self.blocks = np.zeros(blocks, block_dtype())
        self.memory = np.zeros((blocks, BLOCK), np.uint8)
        self.buckets = np.full(1 << limits.datagrams.bit_length(), NONE, np.int32)
        self.key.k0 = int.from_bytes(key[:8], "little")
        self.key.k1 = int.from_bytes(key[8:], "little")
        self.timeout_ns = int(limits.timeout_s * 1e9)
        self.max_pieces = limits.pieces
        self.free_pending = self.free_block = self.oldest = self.newest = self.complete = NONE

    cdef void note(self, FragmentCounter what) noexcept nogil:
        self.counters[<int>what] += 1

    cdef Status add(self, Datagram *ip, Decoded *out) noexcept nogil:
        """Keep a fragment; FLOW when it was the last missing one, then `take` must be called."""
        cdef size_t length = ip.end - ip.at
        cdef int32_t entry
        self.note(FRAGMENTS_SEEN)
        self.expire(out.ts_ns)
        if ip.lying or length == 0 or (ip.more and length % 8) or ip.piece_at + length > MAX_DATAGRAM:
            return BAD_IP
        entry = self.find(ip, out)
        if self.pending[entry].spoiled:
            return FRAGMENT
        self.pending[entry].frame_len += out.frame_len
        if not self.insert(entry, ip, <uint32_t>length):
            return FRAGMENT
        if ip.wrong_header:
            self.pending[entry].wrong_header = 1
        if ip.piece_at == 0:
            self.pending[entry].next_header = ip.next_header
            self.pending[entry].addresses = ip.addresses
        if self.pending[entry].total == 0 or self.pending[entry].have < self.pending[entry].total:
            return FRAGMENT
        self.complete = entry
        return FLOW

    cdef void take(self, uint8_t[::1] to, size_t at, Datagram *ip, Decoded *out) noexcept nogil:
        """Copy the complete datagram's payload to `to`, which has MAX_DATAGRAM bytes from `at`; describe it.

        Where a fragment was cut by the snapshot length, the bytes that are there end with it.
        """
        cdef Pending *datagram = &self.pending[self.complete]
        cdef int32_t piece = datagram.pieces, block
        cdef size_t there = 0, left, n
        while piece != NONE:
            block = piece
            left = self.blocks[piece].captured
            while left:
                n = left if left < BLOCK else BLOCK
                memcpy(&to[at + there], &self.memory[block, 0], n)
                there += n
                left -= n
                block = self.blocks[block].next
            if self.blocks[piece].captured < self.blocks[piece].length:
                break
            piece = self.blocks[piece].next_piece
        ip.bytes = part(bytes_of(to), at, there)
        ip.at = 0
        ip.end = datagram.total
        ip.next_header = datagram.next_header
        ip.addresses = datagram.addresses
        ip.wrong_header = datagram.wrong_header
        ip.fragment = False
        out.frame_len = datagram.frame_len
        out.reassembled = 1
        self.note(DATAGRAMS_COMPLETED)
        self.end(self.complete)
        self.complete = NONE

    cdef void expire(self, int64_t now_ns) noexcept nogil:
        """Drop the datagrams whose time is over."""
        while self.oldest != NONE and self.age(self.oldest, now_ns) > self.timeout_ns:
            if not self.pending[self.oldest].spoiled:
                self.note(DATAGRAMS_TIMED_OUT)
            self.end(self.oldest)

    cdef int64_t age(self, int32_t entry, int64_t now_ns) noexcept nogil:
        """Nanoseconds since its first fragment; unsigned arithmetic, since a file may hold any times."""
        return <int64_t>(<uint64_t>now_ns - <uint64_t>self.pending[entry].first_ns)

    cdef int32_t find(self, Datagram *ip, Decoded *out) noexcept nogil:
        """The datagram that a fragment belongs to; a new one for the first.

        Key: addresses and identification, with IPv4 also the protocol (RFC 791 section 3.2, RFC 8200
        section 4.5), and the VLAN.
        """
        cdef SipState s = sip_start(self.key)
        cdef Bytes src, dst
        cdef uint8_t proto = ip.next_header if out.version == 4 else 0
        cdef uint32_t hash
        cdef int32_t entry
        cdef Pending *datagram
        src.data = out.src
        dst.data = out.dst
        src.size = dst.size = sizeof(out.src)
        s = sip_word(s, be64(src, 0))
        s = sip_word(s, be64(src, 8))
        s = sip_word(s, be64(dst, 0))
        s = sip_word(s, be64(dst, 8))
        s = sip_word(s, ip.id | <uint64_t>out.vlan << 32)
        hash = <uint32_t>sip_end(s, proto | <uint64_t>out.version << 8, 42)
        entry = self.buckets[hash & (self.buckets.shape[0] - 1)]
        while entry != NONE:
            datagram = &self.pending[entry]
            if (datagram.hash == hash and datagram.id == ip.id and datagram.vlan == out.vlan
                    and datagram.proto == proto and datagram.version == out.version
                    and memcmp(datagram.src, out.src, 16) == 0 and memcmp(datagram.dst, out.dst, 16) == 0):
                return entry
            entry = datagram.chain
        entry = self.begin(hash, ip, out)
        self.pending[entry].proto = proto
        return entry

    cdef int32_t begin(self, uint32_t hash, Datagram *ip, Decoded *out) noexcept nogil:
        cdef int32_t entry = self.free_pending
        cdef Pending *datagram
        cdef Py_ssize_t bucket = hash & (self.buckets.shape[0] - 1)
        if entry == NONE and self.unused_pending < self.pending.shape[0]:
            entry = self.unused_pending
            self.unused_pending += 1
        else:
            if entry == NONE:
                if not self.pending[self.oldest].spoiled:
                    self.note(DATAGRAMS_DROPPED)
                self.end(self.oldest)
                entry = self.free_pending
            self.free_pending = self.pending[entry].chain
        datagram = &self.pending[entry]
        memset(datagram, 0, sizeof(Pending))
        datagram.first_ns = out.ts_ns
        memcpy(datagram.src, out.src, 16)
        memcpy(datagram.dst, out.dst, 16)
        datagram.id = ip.id
        datagram.vlan = out.vlan
        datagram.version = out.version
        datagram.hash = hash
        datagram.pieces = NONE
        datagram.chain = self.buckets[bucket]
        self.buckets[bucket] = entry
        datagram.newer = NONE
        datagram.older = self.newest
        if self.newest == NONE:
            self.oldest = entry
        else:
            self.pending[self.newest].newer = entry
        self.newest = entry
        return entry

    cdef bint insert(self, int32_t entry, Datagram *ip, uint32_t length) noexcept nogil:
        """Put a fragment in its place among the others; False when it brings nothing or spoils them."""
        cdef Pending *datagram = &self.pending[entry]
        cdef uint32_t start = ip.piece_at, end = ip.piece_at + length
        cdef int32_t before = NONE, after = datagram.pieces, piece
        if after != NONE and self.blocks[datagram.last].at < start:     # in order, as nearly always
            before = datagram.last
            after = NONE
        while after != NONE and self.blocks[after].at < start:
            before = after
            after = self.blocks[after].next_piece
        if after != NONE and self.blocks[after].at == start and self.blocks[after].length == length:
            self.note(FRAGMENTS_DUPLICATE)
            return False
        if ((after != NONE and self.blocks[after].at < end)
                or (before != NONE and self.blocks[before].at + self.blocks[before].length > start)
                or (datagram.total and (end > datagram.total or not ip.more))
                or (not ip.more and after != NONE)):
            self.note(DATAGRAMS_OVERLAPPING)
            self.spoil(entry)
            return False
        if datagram.count == self.max_pieces:
            self.note(DATAGRAMS_DROPPED)
            self.spoil(entry)
            return False
        piece = self.store(entry, ip, length)
        if piece == NONE:
            self.note(DATAGRAMS_DROPPED)
            self.spoil(entry)
            return False
        self.blocks[piece].next_piece = after
        if before == NONE:
            datagram.pieces = piece
        else:
            self.blocks[before].next_piece = piece
        if after == NONE:
            datagram.last = piece
        datagram.count += 1
        datagram.have += length
        if not ip.more:
            datagram.total = end
        return True

    cdef int32_t store(self, int32_t entry, Datagram *ip, uint32_t length) noexcept nogil:
        """Copy the captured bytes of a fragment into blocks; NONE when all memory is the datagram's own."""
        cdef Bytes captured = part(ip.bytes, ip.at, length)
        cdef int32_t first = self.new_block(entry), last = first, block
        cdef size_t done = 0, n
        if first == NONE:
            return NONE
        self.blocks[first].at = ip.piece_at
        self.blocks[first].length = length
        self.blocks[first].captured = <uint32_t>captured.size
        while done < captured.size:
            if done:
                block = self.new_block(entry)
                if block == NONE:
                    self.free_blocks(first)
                    return NONE
                self.blocks[last].next = block
                last = block
            n = captured.size - done if captured.size - done < BLOCK else BLOCK
            copy_out(captured, done, n, &self.memory[last, 0])
            done += n
        return first

    cdef int32_t new_block(self, int32_t keep) noexcept nogil:
        """A block, at the price of the oldest datagrams other than `keep` when there is none left."""
        cdef int32_t block, victim
        while self.free_block == NONE and self.unused_block == self.blocks.shape[0]:
            victim = self.oldest if self.oldest != keep else self.pending[keep].newer
            if victim == NONE:
                return NONE
            if not self.pending[victim].spoiled:
                self.note(DATAGRAMS_DROPPED)
            self.end(victim)
        if self.free_block != NONE:
            block = self.free_block
            self.free_block = self.blocks[block].next
        else:
            block = self.unused_block
            self.unused_block += 1
        self.blocks[block].next = NONE
        self.blocks[block].next_piece = NONE
        return block

    cdef void spoil(self, int32_t entry) noexcept nogil:
        """Forget the pieces; the entry stays until its time is over and swallows what still comes."""
        self.free_pieces(entry)
        self.pending[entry].spoiled = 1

    cdef void free_pieces(self, int32_t entry) noexcept nogil:
        cdef int32_t piece = self.pending[entry].pieces, following
        while piece != NONE:
            following = self.blocks[piece].next_piece
            self.free_blocks(piece)
            piece = following
        self.pending[entry].pieces = NONE

    cdef void free_blocks(self, int32_t block) noexcept nogil:
        """Free a chain of blocks."""
        cdef int32_t following
        while block != NONE:
            following = self.blocks[block].next
            self.blocks[block].next = self.free_block
            self.free_block = block
            block = following

    cdef void end(self, int32_t entry) noexcept nogil:
        """Free a datagram: its pieces, its place in its bucket and in the order of age."""
        cdef Pending *datagram = &self.pending[entry]
        cdef Py_ssize_t bucket = datagram.hash & (self.buckets.shape[0] - 1)
        cdef int32_t other = self.buckets[bucket]
        self.free_pieces(entry)
        if other == entry:
            self.buckets[bucket] = datagram.chain
        else:
            while self.pending[other].chain != entry:
                other = self.pending[other].chain
            self.pending[other].chain = datagram.chain
        if datagram.older == NONE:
            self.oldest = datagram.newer
        else:
            self.pending[datagram.older].newer = datagram.newer
        if datagram.newer == NONE:
            self.newest = datagram.older
        else:
            self.pending[datagram.newer].older = datagram.older
        datagram.chain = self.free_pending
        self.free_pending = entry
