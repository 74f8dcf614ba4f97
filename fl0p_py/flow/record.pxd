# The flow row, the token event and the segment record: what the flow table shows to the layers on its right.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

# How a flow ended.  CLOSED, RESET and IDLE are a seen end (`>`); the others are not.
cdef enum Reason:
    OPEN = 0
    CLOSED              # FIN both ways
    RESET               # an accepted RST
    IDLE                # nothing for as long as the idle timeout
    EOF                 # the capture ended
    EVICTED             # the table was full
    SHUTDOWN            # SIGTERM
    REUSED              # its pair of endpoints went to a new connection; not a seen end

# What a TokenEvent says.
cdef enum EventKind:
    TOKEN = 0           # a token was appended to the flow
    # The flow's end was seen: `>` (reason CLOSED, RESET, IDLE), in sequence after its last token.
    END
    # The flow's record is complete and its row may be freed by the next release(); every flow with at least
    # one token gets exactly one; reason as in Reason.
    FINISH

cdef struct TcpEnd:         # what is known of one end of a TCP flow
    uint32_t next_seq       # next byte expected from this end (RFC 9293: the other end's RCV.NXT)
    uint32_t acked          # highest acknowledgement this end has sent
    uint16_t window         # last window this end advertised, unscaled
    uint8_t wscale          # its window scale; NO_WSCALE: unknown
    uint8_t flags           # enum EndFlag, private to fl0p_py.flow

cdef struct FlowRow:
    int64_t start_ns        # first packet
    int64_t last_ns         # last packet
    int64_t arrival_ns      # latest arrival of a token
    uint64_t pkts[2]        # [0] from the client, [1] from the server
    uint64_t bytes[2]       # frame bytes on the wire
    uint8_t client[16]      # as Decoded.src
    uint8_t server[16]
    uint32_t vlan
    uint16_t cport          # ICMP: the identifier
    uint16_t sport          # ICMP: the identifier
    uint8_t proto
    uint8_t version
    uint8_t reason          # enum Reason
    uint8_t flags           # ROW_*
    uint32_t hash
    uint32_t tokens         # tokens so far, not bounded by the depth
    uint32_t serial         # counts flows; with start_ns it makes the flow id
    uint32_t more           # row + 1 in the pool of tokens beyond the first INLINE_TOKENS; 0 none
    uint32_t held           # row + 1 in the pool of out-of-order pieces; 0 none
    uint32_t prev, next     # row + 1: neighbours in the timer wheel's bucket, or next in the free list
    uint32_t isn            # the client's initial sequence number, if its END_ISN flag is set
    uint16_t slot           # timer wheel bucket
    uint8_t timer           # which timeout applies: enum Timer of flow/table.pxd
    uint8_t doubted         # 1: a RST alone does not end it, see FlowTable.doubt_resets
    TcpEnd client_end       # (two members, since memoryviews take no arrays of structs)
    TcpEnd server_end

cdef enum RowFlag:
    ROW_USED = 1
    ROW_START_SEEN = 2      # `<`
    ROW_END_SEEN = 4        # `>`
    ROW_FINISHED = 8        # the record is complete; the row lingers or waits for release()
    ROW_ESTABLISHED = 16    # TCP: the handshake is complete, or was before the capture
    ROW_DRAINED = 32        # its FINISH has been handed out and read
    ROW_RETIRED = 64        # out of the index, waits for release()

cdef enum EndFlag:          # TcpEnd.flags
    END_SEQ = 1             # next_seq is known
    END_ACK = 2             # acked is known
    END_FIN = 4             # its FIN arrived, in order; next_seq is beyond it
    END_PROVEN = 8          # it has sent a right checksum, so that wrong ones are no longer accepted
    END_SYN_WINDOW = 16     # `window` came with a SYN, whose window is never scaled
    END_ISN = 32            # client end: FlowRow.isn is known
    END_SYN = 64            # it has sent a SYN

cdef struct TokenEvent:     # 40 bytes
    int64_t ts_ns           # when the event became known (packet time, never goes back within a table)
    int64_t arrival_ns      # TOKEN: the segment's own arrival
    int64_t gap_ns          # TOKEN: arrival minus the latest arrival before it, >= 0; -1 for a flow's first
    uint32_t flow           # row
    uint32_t number         # TOKEN: 1 for the first token of the flow; else tokens so far
    int32_t size            # TOKEN: new bytes, > 0 from the client, < 0 from the server; else 0
    uint8_t kind            # enum EventKind
    uint8_t reason          # END, FINISH: enum Reason

cdef struct SegmentRecord:  # 64 bytes; see segment_batch.pyx
    int64_t ts_ns           # the packet's own stamp; of a hole, the table's clock
    int64_t offset          # of its first byte in this direction of the flow, unwrapped, see recording.pxd
    int64_t acked           # how far the peer had acknowledged this direction; NOT_ACKED: not at all, not TCP
    uint32_t flow           # row; with RECORD_OTHER, place in SegmentBatch.others
    uint32_t serial         # FlowRow.serial: tells the flows that use one row after another apart
    uint32_t packet         # place in the PacketBatch
    uint32_t at             # where the bytes are: in the PacketBatch's data, or in SegmentBatch.copies
    uint32_t length         # bytes on the wire
    uint32_t captured       # bytes of them that are there to be read
    uint32_t seq            # TCP: sequence number of the first byte
    uint16_t flags          # RECORD_*
    uint16_t window         # TCP: as in the header
    uint8_t direction       # 0 from the client, 1 from the server
    uint8_t proto
    uint8_t tcp_flags
    uint8_t ttl
    uint8_t icmp_type
    uint8_t icmp_code
    uint8_t version
    uint8_t spare

cdef enum RecordFlag:
    RECORD_NEW = 1          # brought bytes that the flow had not had
    RECORD_OLD = 2          # brought none: retransmitted
    RECORD_IN_ORDER = 4     # nothing before it is missing (or what is, was given up)
    RECORD_OVERLAP = 8      # begins below the next byte expected
    RECORD_LATE = 16        # brought bytes of a hole that had been given up
    RECORD_HOLE = 32        # no packet: [offset, offset + length) is given up
    RECORD_FAR = 64         # beyond the window: not taken
    RECORD_COPY = 128       # the bytes are in SegmentBatch.copies
    RECORD_OTHER = 256      # of no flow
    RECORD_ESTABLISHED = 512    # TCP: the handshake is complete, or was before the capture
    RECORD_ANSWERED = 1024  # both ends have been heard

cdef extern from *:
    """
    #define FL0P_NOT_ACKED INT64_MIN
    """
    const int64_t NOT_ACKED "FL0P_NOT_ACKED"
