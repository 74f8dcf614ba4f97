# The chunk: what is said of a stream.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef struct Chunk:          # 40 bytes
    int64_t ts_ns           # when it became known
    int64_t offset          # in its direction of the stream, as SegmentRecord.offset
    uint32_t flow           # as SegmentRecord.flow, .serial
    uint32_t serial
    uint32_t record         # place of the record that brought it; of an end, NO_RECORD
    uint32_t at             # where the bytes are: see CHUNK_COPY, CHUNK_OWN
    uint32_t length
    uint16_t flags          # CHUNK_*
    uint8_t direction
    uint8_t proto

cdef enum ChunkFlag:
    CHUNK_DATA = 1          # bytes of the stream, behind the DATA or GAP before
    CHUNK_GAP = 2           # `length` bytes that are not there
    CHUNK_LATE = 4          # bytes for a gap told before, out of order; may reach beyond it
    CHUNK_CONFLICT = 8      # bytes that were sent as well, and are not what the stream has there
    CHUNK_UNACKED = 16      # at the end: these were never acknowledged, though the peer was heard
    CHUNK_END = 32          # nothing more comes of this flow
    CHUNK_CUT = 64          # GAP: on the wire, but not captured; DATA of a datagram: its rest was not
    CHUNK_LOST = 128        # GAP: had come, but there was no memory to hold it
    CHUNK_DATAGRAM = 256    # DATA: a whole datagram
    CHUNK_OTHER = 512       # of no flow: `flow` is a place in SegmentBatch.others
    CHUNK_FIN = 1024        # this direction ends here, no bytes follow
    CHUNK_COPY = 2048       # the bytes are in SegmentBatch.copies
    CHUNK_OWN = 4096        # the bytes are in ChunkBatch.own; else they are in the PacketBatch's data

cdef enum:
    NO_RECORD = 0xFFFFFFFF
