# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# SAFETY of boundscheck=False: tails are indexed by rows of the table and a direction; joints are written
# into a buffer for which `take` has reserved twice the tail for each chunk, all own bytes, and SHORT more;
# chunks' bytes were checked by the StreamSet that made them, and SHORT bytes behind them in `join`.
"""Joints: where in a step a match could span two segments, in all flows, as one buffer.

A joint is the last `width` - 1 bytes of what a direction of a flow has said and the first `width` - 1 of what
follows; where held bytes went on, all of them.  So every match of up to `width` bytes in a stream lies
inside of a segment or inside of a joint (both, if it lies in the part of a joint that is of one segment).  A
gap ends what can be joined.

Memory: width - 1 bytes and 16 more for each direction of a row of the table, touched when used.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy, memmove

import numpy as np

from fl0p_py.fetch cimport fetch
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.stream.record cimport (
    CHUNK_COPY,
    CHUNK_DATA,
    CHUNK_DATAGRAM,
    CHUNK_OWN,
    Chunk,
)

from fl0p_py.stream.joint_batch import JointBatch

WIDEST = 4096

cdef enum:
    AHEAD = 8               # chunks from asking for a tail to using it
    SHORT = 16              # bytes that are copied by one instruction


cdef struct Tail:
    int64_t next            # offset behind the tail's last byte
    uint32_t mark           # the flow's serial + 1; 0: unused
    uint32_t length


cdef struct Joint:
    int64_t offset          # of its first byte in the stream
    uint32_t start          # place of its first byte in the buffer
    uint32_t chunk          # the chunk that it leads to
    uint32_t tail           # how many of its bytes were there before that chunk
    uint32_t spare


def _dtypes():
    cdef Tail tail
    cdef Joint joint
    return np.asarray(<Tail[:1]> &tail).dtype, np.asarray(<Joint[:1]> &joint).dtype


TAIL_DTYPE, JOINT_DTYPE = _dtypes()


cdef inline void copy(uint8_t* to, const uint8_t* source, size_t length, bint short) noexcept nogil:
    """memcpy; short: of SHORT bytes, which are there and have room; nobody reads those beyond `length`."""
    if short:
        memcpy(to, source, SHORT)
    else:
        memcpy(to, source, length)


@cython.final
cdef class Joints:
    """Joints of the flows of one table.

    width : bytes of the longest match that is to be seen whole, 2 to WIDEST
    """

    cdef Tail[:, ::1] tail                  # [row, direction]
    cdef uint8_t[:, :, ::1] last            # [row, direction, width - 1]: `length` bytes, to the left
    cdef readonly Py_ssize_t width
    cdef object joint_array, out_array
    cdef Joint[::1] joint
    cdef uint8_t[::1] out
    cdef Py_ssize_t n, used

    def __init__(self, FlowTable table not None, Py_ssize_t width):
        if width < 2 or width > WIDEST:
            raise ValueError(f"width is {width}, expected 2 to {WIDEST}")
        rows = len(table.rows)
        self.width = width
        self.tail = np.zeros((rows, 2), TAIL_DTYPE)
        self.last = np.zeros((rows, 2, max(width - 1, SHORT)), np.uint8)
        self._reserve(1024, 1 << 16)

    def _reserve(self, joints, size):
        self.joint_array = self.joint = np.empty(joints, JOINT_DTYPE)
        self.out_array = self.out = np.empty(size + SHORT, np.uint8)

    def take(self, chunks):
        """JointBatch of a ChunkBatch: of each in turn, and none left out."""
        cdef const Chunk[::1] chunk = chunks.chunks
        cdef const uint8_t[::1] data = chunks.data
        cdef const uint8_t[::1] copies = chunks.copies
        cdef const uint8_t[::1] own = chunks.own
        cdef Py_ssize_t n = chunk.shape[0]
        size = 2 * (self.width - 1) * n + len(own)
        if n > self.joint.shape[0] or size + SHORT > self.out.shape[0]:
            self._reserve(max(n, self.joint.shape[0]), max(size, self.out.shape[0]))
        with nogil:
            self.run(chunk, data, copies, own)
        return JointBatch(self.joint_array[: self.n], self.out_array[: self.used], chunks)

    cdef void run(self, const Chunk[::1] chunk, const uint8_t[::1] data, const uint8_t[::1] copies,
                  const uint8_t[::1] own) noexcept nogil:
        cdef Py_ssize_t i, n = chunk.shape[0]
        cdef const Chunk* c
        self.n = self.used = 0
        for i in range(n):
            if i + AHEAD < n and self.joins(&chunk[i + AHEAD]):
                self.prefetch(&chunk[i + AHEAD], data)
            c = &chunk[i]
            if not self.joins(c):
                continue
            if c.flags & CHUNK_OWN:
                self.join(c, <uint32_t>i, own)
            elif c.flags & CHUNK_COPY:
                self.join(c, <uint32_t>i, copies)
            else:
                self.join(c, <uint32_t>i, data)

    cdef inline bint joins(self, const Chunk* c) noexcept nogil:
        return c.flags & (CHUNK_DATA | CHUNK_DATAGRAM) == CHUNK_DATA

    cdef inline void prefetch(self, const Chunk* c, const uint8_t[::1] data) noexcept nogil:
        fetch(&self.tail[c.flow, c.direction])
        fetch(&self.last[c.flow, c.direction, 0])
        if not c.flags & (CHUNK_OWN | CHUNK_COPY):
            fetch(&data[c.at])
            fetch(&data[c.at + c.length - 1])

    cdef inline void join(self, const Chunk* c, uint32_t number, const uint8_t[::1] data) noexcept nogil:
        """Write the joint before a chunk whose bytes are in `data`, and keep its tail."""
        cdef Tail* t = &self.tail[c.flow, c.direction]
        cdef bint short = self.width <= SHORT + 1 and <Py_ssize_t>c.at + c.length + SHORT <= data.shape[0]
        cdef uint8_t* last = &self.last[c.flow, c.direction, 0]
        cdef uint32_t most = <uint32_t>(self.width - 1)
        cdef uint32_t head = c.length if c.flags & CHUNK_OWN or c.length < most else most
        cdef uint32_t stays
        cdef Joint* j
        if t.mark != c.serial + 1 or t.next != c.offset:
            t.mark, t.length = c.serial + 1, 0
        if t.length or c.flags & CHUNK_OWN:
            j = &self.joint[self.n]
            self.n += 1
            j.offset, j.start, j.chunk = c.offset - t.length, <uint32_t>self.used, number
            j.tail, j.spare = t.length, 0
            copy(&self.out[self.used], last, t.length, short)
            copy(&self.out[self.used + t.length], &data[c.at], head, short and not c.flags & CHUNK_OWN)
            self.used += t.length + head
        t.next = c.offset + c.length
        if c.length >= most:
            copy(last, &data[c.at + c.length - most], most, short)
            t.length = most
            return
        stays = min(t.length, most - c.length)
        if stays < t.length:
            memmove(last, last + (t.length - stays), stays)
        memcpy(last + stays, &data[c.at], c.length)
        t.length = stays + c.length
