# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# The flow table's state, for the functions beside this file and for the kernels to its right.
#
#   table.pyx     the class: arrays, options, the loop over a batch
#   index.pxd     endpoints -> row: open addressing over the decoder's keyed hash
#   wheel.pxd     when a row has to be looked at again
#   sequence.pxd  events and tokens
#   gap.pxd       the gap before a stored token, in 16 bits
#   order.pxd     one direction of a TCP flow: what is new, what has to wait
#   life.pxd      rows: made, ended, freed
#   datagram.pxd  UDP and ICMP packets
#   expected.pxd  TCP packets that are as expected
#   segment.pxd   all others
#   recording.pxd segment records, where they are asked for

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.decode.decoder cimport DecodedBatch
from fl0p_py.decode.record cimport Decoded
from fl0p_py.flow.event_batch cimport EventBatch
from fl0p_py.flow.cell cimport Cell, cell_token
from fl0p_py.flow.gap cimport gap_units
from fl0p_py.flow.record cimport FlowRow, TokenEvent
from fl0p_py.flow.segment_batch cimport SegmentBatch

cdef enum:
    INLINE_TOKENS = 16      # tokens of a flow that have a place from the start; most flows have no more
    PIECES = 8              # out-of-order pieces of one direction that may wait
    FAR_PIECE = PIECES + 1  # place of the last segment from beyond the window (PIECES: of one too many)
    PIECE_SLOTS = PIECES + 2
    MISSED = 8              # skipped holes of one direction that are remembered
    FAR_COUNT = 2           # columns of FlowTable.pieces, each for two directions: from 0 pieces that wait,
    MISSED_COUNT = 4        # then 1 if there is a far segment, then how many holes are remembered
    NOTES = 6
    HOLE_BYTES = 65536      # how far beyond a hole a piece may end
    MORE_ROOM = 4           # rows of further tokens that one packet can take, rounded up
    # Events that one packet can bring: tokens that waited in its flow and in an evicted one (4 * PIECES), its
    # own token, END and FINISH of three flows; rounded up.
    ROOM = 64

cdef enum Timer:            # FlowRow.timer: which timeout applies
    ESTABLISHED = 0
    HANDSHAKE               # TCP, the handshake is not complete
    DATAGRAM                # UDP and ICMP
    LINGER                  # the end was seen; the row absorbs what still comes
    DOUBT                   # a RST was seen that its receiver need not have believed
    TIMERS

cdef enum Policy:           # --checksums
    AUTO = 0
    CHECK
    IGNORE

cdef enum Stat:             # FlowTable.counters; the names for people are in stats.py
    PACKETS = 0
    FLOWS
    FLOWS_EMPTY
    TOKENS
    CLOSED_FLOWS
    RESET_FLOWS
    IDLE_FLOWS
    REUSED_FLOWS
    EVICTED_FLOWS
    OPEN_AT_END
    WRONG_CHECKSUM
    AFTER_END
    RETRANSMITTED
    HELD
    LATE
    HOLES_SKIPPED
    OUT_OF_WINDOW
    RESYNCHRONISED
    RST_IGNORED
    SYN_IGNORED
    NO_ACK
    NO_FLOW
    STATS_COUNT

cdef enum Want:             # why the loop stopped
    NOTHING = 0
    DRAIN                   # the event buffer is nearly full
    GROW_INDEX
    GROW_MORE

cdef struct Piece:          # 32 bytes
    int64_t arrival_ns
    int64_t since_ns        # the table's clock then
    uint32_t start          # sequence numbers [start, end)
    uint32_t end
    uint32_t size           # bytes of it that were new when it arrived
    uint32_t fin            # 1: a FIN follows the last byte


cdef struct Origin:         # what the offsets of one direction are counted from
    int64_t at              # offset of the byte at `seq`, near which the next segments are
    uint32_t seq
    uint32_t known


cdef enum Recording:        # FlowTable.recording
    NOT_RECORDING = 0
    PAYLOAD                 # segments with bytes or a FIN
    EVERY_PACKET

cdef enum:
    NO_RECORD = 0xFFFFFFFF


@cython.final
cdef class FlowTable:
    # What other kernels read.  `row` and `head` stay where they are for the table's life.
    cdef FlowRow[::1] row
    cdef readonly uint32_t depth
    cdef readonly uint32_t capacity
    cdef Cell[:, ::1] head                  # [row, INLINE_TOKENS]
    cdef Cell[:, ::1] more                  # [FlowRow.more - 1, depth - INLINE_TOKENS]
    cdef readonly int64_t clock_ns          # latest packet time seen

    cdef readonly object steady             # a lock, see the class

    # Private from here on.
    cdef readonly object rows               # the same memory as numpy arrays
    cdef object counter_array
    cdef EventBatch current                 # where events go now
    cdef TokenEvent[::1] event              # its memory
    cdef readonly uint32_t n_events
    cdef uint32_t batches, out              # buffers that may be, and that are, handed over
    cdef list spare                         # buffers that nobody uses
    cdef uint64_t[::1] counters
    cdef uint64_t[::1] slots                # index: hash << 32 | row + 1; 0 free
    cdef uint32_t slot_mask, slot_limit
    cdef uint32_t[::1] bucket               # wheel: first row + 1
    cdef uint64_t[::1] occupied             # wheel: one bit a bucket
    cdef int64_t tick, near_done, far_done
    cdef Piece[:, ::1] piece                # [FlowRow.held - 1, direction * PIECE_SLOTS + k], by start
    cdef uint8_t[:, ::1] pieces             # [FlowRow.held - 1, NOTES] counts
    cdef uint32_t[:, ::1] missed            # [FlowRow.held - 1, direction * 2 * MISSED + 2 * k (+ 1)]
    cdef uint32_t held_used, held_free, held_size
    cdef uint32_t more_used, more_free, more_left, more_size
    cdef uint32_t rows_used, row_free, open_rows, serial
    cdef uint32_t events_limit              # 0: the records are full
    cdef uint32_t events_size
    cdef int64_t[TIMERS] timeout_ns
    cdef uint64_t threshold_ms
    cdef uint8_t policy
    cdef bint vlan_key, started
    cdef object ending                      # finish(): rows still to end, in order
    cdef Py_ssize_t ended
    cdef int recording
    cdef readonly SegmentBatch segments     # where records go now, if any do
    cdef Origin[:, ::1] origin              # [row, direction]
    cdef const uint8_t[::1] whole           # what reassembled packets point into
    cdef uint32_t packet, begun             # of the packet being taken: its place; its record, or NO_RECORD
    cdef uint64_t retransmitted_before, late_before

    cdef int run(self, const Decoded[::1] packets, Py_ssize_t* at) noexcept nogil
    cdef bint grown(self, int want)
    cdef void grow_index(self)
    cdef void grow_more(self)
    cdef void settle(self, EventBatch batch) noexcept nogil
    cdef void pass_by(self, const Decoded* d) noexcept nogil
    cdef void set_clock(self, int64_t now_ns) noexcept nogil
    cdef int shortage(self) noexcept nogil
    cdef bint ignored(self, uint32_t found, int direction) noexcept nogil
    cdef uint32_t fetch_row(self, uint32_t hash) noexcept nogil
    cdef void fetch_token(self, uint32_t found) noexcept nogil

    cdef inline void count(self, int stat) noexcept nogil:
        self.counters[stat] += 1

    cdef inline int32_t token_at(self, uint32_t flow, uint32_t i) noexcept nogil:
        """Token i (from 0) of a flow; i must be below min(row.tokens, depth)."""
        if i < INLINE_TOKENS:
            return cell_token(&self.head[flow, i])
        return cell_token(&self.more[self.row[flow].more - 1, i - INLINE_TOKENS])

    cdef inline uint64_t gap_at(self, uint32_t flow, uint32_t i) noexcept nogil:
        """Gap before token i in units of 2^-10 ms (see gap.pxd); 0 for the first."""
        if i < INLINE_TOKENS:
            return gap_units(self.head[flow, i].gap)
        return gap_units(self.more[self.row[flow].more - 1, i - INLINE_TOKENS].gap)
