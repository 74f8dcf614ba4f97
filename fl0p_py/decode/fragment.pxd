# The fragment table's records; what it does is in fragment.pyx.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fl0p_py.decode.ip cimport Datagram
from fl0p_py.decode.record cimport Decoded, Status
from fl0p_py.decode.siphash cimport SipKey

cdef enum FragmentCounter:      # names for people in status.py
    FRAGMENTS_SEEN = 0          # fragments of any kind
    FRAGMENTS_DUPLICATE         # fragments that were there already, and ignored
    DATAGRAMS_COMPLETED
    DATAGRAMS_TIMED_OUT
    DATAGRAMS_DROPPED           # for memory, or for too many pieces
    DATAGRAMS_OVERLAPPING       # dropped because fragments overlapped or disagreed on the end
    FRAGMENT_COUNTERS

cdef enum:
    BLOCK = 512                 # bytes; captured bytes of fragments are kept in chains of blocks
    NONE = -1                   # end of a chain

cdef struct Pending:            # a datagram that is not complete
    int64_t first_ns            # arrival of its first fragment, in whatever order they came
    uint64_t addresses          # as Datagram.addresses, from the fragment at 0
    uint8_t src[16]
    uint8_t dst[16]
    uint32_t id
    uint32_t vlan
    uint32_t hash
    uint32_t total              # bytes of payload, known once the last fragment came; else 0
    uint32_t have               # bytes of payload on the wire so far
    uint32_t frame_len          # sum over the fragments' frames
    int32_t chain               # next in the same bucket; next free one when unused
    int32_t older
    int32_t newer
    int32_t pieces              # first block of its first piece
    int32_t last                # first block of its last piece
    uint32_t count              # pieces
    uint8_t proto               # part of the key for IPv4 only
    uint8_t version
    uint8_t next_header         # from the fragment at 0
    uint8_t wrong_header        # one of the IPv4 header checksums was wrong
    uint8_t spoiled             # fragments overlapped: all that follow are dropped with it

cdef struct Block:              # describes BLOCK bytes of `memory`, and in a piece's first block the piece
    int32_t next                # next block of the piece, or next free block
    int32_t next_piece          # first block of the piece behind this one
    uint32_t at                 # where the piece stands in the datagram's payload
    uint32_t length             # bytes on the wire
    uint32_t captured           # bytes of them kept here

cdef class FragmentTable:
    cdef readonly object counts     # uint64[FRAGMENT_COUNTERS]
    cdef readonly object limits
    cdef uint64_t[::1] counters
    cdef Pending[::1] pending
    cdef Block[::1] blocks
    cdef uint8_t[:, ::1] memory
    cdef int32_t[::1] buckets
    cdef SipKey key
    cdef int64_t timeout_ns
    cdef uint32_t max_pieces
    cdef int32_t free_pending, unused_pending, free_block, unused_block, oldest, newest
    cdef int32_t complete           # the datagram that the last `add` completed, until `take`

    cdef void note(self, FragmentCounter what) noexcept nogil
    cdef int64_t age(self, int32_t entry, int64_t now_ns) noexcept nogil
    cdef Status add(self, Datagram *ip, Decoded *out) noexcept nogil
    cdef void take(self, uint8_t[::1] to, size_t at, Datagram *ip, Decoded *out) noexcept nogil
    cdef void expire(self, int64_t now_ns) noexcept nogil
    cdef int32_t find(self, Datagram *ip, Decoded *out) noexcept nogil
    cdef int32_t begin(self, uint32_t hash, Datagram *ip, Decoded *out) noexcept nogil
    cdef bint insert(self, int32_t entry, Datagram *ip, uint32_t length) noexcept nogil
    cdef int32_t store(self, int32_t entry, Datagram *ip, uint32_t length) noexcept nogil
    cdef int32_t new_block(self, int32_t keep) noexcept nogil
    cdef void spoil(self, int32_t entry) noexcept nogil
    cdef void free_pieces(self, int32_t entry) noexcept nogil
    cdef void free_blocks(self, int32_t block) noexcept nogil
    cdef void end(self, int32_t entry) noexcept nogil
