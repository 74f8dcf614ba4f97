# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# SAFETY of boundscheck=False: shelves are indexed by rows of the table, blocks by numbers that the pool gave
# out; chunks' bytes were checked by the StreamSet that made them.
"""Spool: what flows have said so far, for who wants a flow only after its beginning has passed.

Keeps the DATA, GAP and LATE chunks of each flow from its first on, up to `limit` bytes a flow and `total` in
all.  When there is no room left, the flow that began first loses what is kept of it.  A flow's shelf says
whether it has all from the beginning.  At the flow's end its shelf is emptied.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

import struct

import numpy as np

from fl0p_py.flow.table cimport FlowTable
from fl0p_py.stream.record cimport (
    CHUNK_COPY,
    CHUNK_DATA,
    CHUNK_END,
    CHUNK_GAP,
    CHUNK_LATE,
    CHUNK_OTHER,
    CHUNK_OWN,
    Chunk,
)

from fl0p_py.stream.history import History, Spooled

LIMIT = 1 << 20
TOTAL = 256 << 20

cdef enum:
    BLOCK = 1024
    HEADER = 24


cdef enum State:
    EMPTY = 0
    KEEPS                   # everything from the beginning
    FULL                    # the beginning, up to the limit
    LOST                    # nothing: its room was needed
    TAKEN                   # somebody has it and follows the flow himself


cdef struct Shelf:
    uint32_t mark           # the flow's serial + 1
    uint32_t state
    uint32_t size           # bytes, headers too
    int32_t first, last     # blocks
    int32_t older, newer    # rows + 1, in the order in which flows began; 0: none


cdef struct Header:         # before each chunk's bytes; Spool._spooled reads it
    int64_t ts_ns
    int64_t offset
    uint32_t length
    uint16_t flags
    uint8_t direction
    uint8_t spare


LAYOUT = struct.Struct("=qqIHBx")


def _dtype():
    cdef Shelf shelf
    return np.asarray(<Shelf[:1]> &shelf).dtype


SHELF_DTYPE = _dtype()


@cython.final
cdef class Spool:
    """What flows of one table have said so far.

    limit : bytes kept of a flow, 24 more counted for each chunk
    total : bytes kept of all
    """

    cdef Shelf[::1] shelf
    cdef uint8_t[:, ::1] memory
    cdef int32_t[::1] link                  # next block of a chain, or next free one; -1: none
    cdef int32_t free_block, unused_block
    cdef int32_t oldest, newest             # rows + 1
    cdef uint32_t limit
    cdef readonly Py_ssize_t blocks_left
    cdef readonly long long evicted         # flows that lost what was kept of them
    cdef readonly long long cut             # flows longer than the limit

    def __init__(self, FlowTable table not None, *, Py_ssize_t limit=LIMIT, Py_ssize_t total=TOTAL):
        if limit < HEADER or limit > 1 << 30:
            raise ValueError(f"limit is {limit}, expected {HEADER} to {1 << 30}")
        if total < limit + 2 * BLOCK:
            raise ValueError(f"total is {total}, expected more than the limit of {limit} a flow")
        blocks = total // BLOCK
        self.shelf = np.zeros(len(table.rows), SHELF_DTYPE)
        self.memory = np.empty((blocks, BLOCK), np.uint8)
        self.link = np.empty(blocks, np.int32)
        self.free_block, self.unused_block, self.blocks_left = -1, 0, blocks
        self.limit = <uint32_t>limit

    def add(self, chunks):
        """Keep what a ChunkBatch says."""
        cdef const Chunk[::1] chunk = chunks.chunks
        cdef const uint8_t[::1] data = chunks.data
        cdef const uint8_t[::1] copies = chunks.copies
        cdef const uint8_t[::1] own = chunks.own
        cdef Py_ssize_t i
        cdef const Chunk* c
        with nogil:
            for i in range(chunk.shape[0]):
                c = &chunk[i]
                if c.flags & CHUNK_OTHER or not c.flags & (CHUNK_DATA | CHUNK_GAP | CHUNK_LATE):
                    continue
                if c.flags & CHUNK_OWN:
                    self.keep(c, own)
                elif c.flags & CHUNK_COPY:
                    self.keep(c, copies)
                else:
                    self.keep(c, data)

    def sweep(self, chunks):
        """Empty the shelves of flows that end in this ChunkBatch; call it after add() and the last take()."""
        cdef const Chunk[::1] chunk = chunks.chunks
        cdef Py_ssize_t i
        with nogil:
            for i in range(chunk.shape[0]):
                if chunk[i].flags & CHUNK_END and self.shelf[chunk[i].flow].mark == chunk[i].serial + 1:
                    self.clear(chunk[i].flow, EMPTY)

    def take(self, uint32_t flow, uint32_t serial):
        """History of the flow, up to the last add(); nothing is kept of it from here on."""
        cdef Shelf* s = &self.shelf[flow]
        if s.mark != serial + 1:
            self.begin(s, flow, serial)
        complete = s.state == KEEPS or s.state == EMPTY
        spooled = self._spooled(flow)
        self.clear(flow, TAKEN)
        return History(complete, spooled)

    def _spooled(self, uint32_t flow):
        cdef Shelf* s = &self.shelf[flow]
        cdef int32_t block = s.first
        if s.size == 0:
            return []
        parts = []
        while block >= 0:
            parts.append(bytes(self.memory[block]))
            block = self.link[block] if block != s.last else -1
        kept, at, found = b"".join(parts)[: s.size], 0, []
        while at < len(kept):
            ts_ns, offset, length, flags, direction = LAYOUT.unpack_from(kept, at)
            at += LAYOUT.size
            size = 0 if flags & CHUNK_GAP else length
            found.append(Spooled(ts_ns, direction, offset, length, flags, kept[at : at + size]))
            at += size
        return found

    cdef void begin(self, Shelf* s, uint32_t flow, uint32_t serial) noexcept nogil:
        if s.mark:
            self.clear(flow, EMPTY)
        s.mark, s.state, s.size, s.first, s.last = serial + 1, EMPTY, 0, -1, -1
        s.older = s.newer = 0

    cdef void keep(self, const Chunk* c, const uint8_t[::1] data) noexcept nogil:
        cdef Shelf* s = &self.shelf[c.flow]
        cdef Header header
        cdef uint32_t length = 0 if c.flags & CHUNK_GAP else c.length
        cdef Py_ssize_t needed
        if s.mark != c.serial + 1:
            self.begin(s, c.flow, c.serial)
        if s.state > KEEPS:
            return
        if <int64_t>s.size + HEADER + length > self.limit:
            self.cut += 1
            s.state = FULL
            return
        needed = (<Py_ssize_t>(s.size % BLOCK) + HEADER + length) // BLOCK + 1
        while self.blocks_left < needed and self.oldest:
            self.evicted += 1
            self.clear(<uint32_t>(self.oldest - 1), LOST)
        if s.state > KEEPS:
            return
        if s.state == EMPTY:
            s.state = KEEPS
            self.enlist(s, c.flow)
        header.ts_ns, header.offset, header.length = c.ts_ns, c.offset, c.length
        header.flags, header.direction, header.spare = c.flags, c.direction, 0
        self.write(s, <const uint8_t*>&header, HEADER)
        if length:
            self.write(s, &data[c.at], length)

    cdef void write(self, Shelf* s, const uint8_t* bytes, Py_ssize_t length) noexcept nogil:
        """Append to the chain; there are blocks enough."""
        cdef Py_ssize_t done = 0, size
        cdef uint32_t used
        while done < length:
            used = s.size % BLOCK
            if used == 0:
                self.lengthen(s)
            size = min(length - done, BLOCK - <Py_ssize_t>used)
            memcpy(&self.memory[s.last, used], &bytes[done], size)
            done += size
            s.size += <uint32_t>size

    cdef void lengthen(self, Shelf* s) noexcept nogil:
        cdef int32_t block = self.free_block
        if block >= 0:
            self.free_block = self.link[block]
        else:
            block = self.unused_block
            self.unused_block += 1
        self.blocks_left -= 1
        self.link[block] = -1
        if s.first < 0:
            s.first = block
        else:
            self.link[s.last] = block
        s.last = block

    cdef void enlist(self, Shelf* s, uint32_t flow) noexcept nogil:
        s.older, s.newer = self.newest, 0
        if self.newest:
            self.shelf[self.newest - 1].newer = <int32_t>flow + 1
        else:
            self.oldest = <int32_t>flow + 1
        self.newest = <int32_t>flow + 1

    cdef void clear(self, uint32_t flow, State state) noexcept nogil:
        """Empty the shelf."""
        cdef Shelf* s = &self.shelf[flow]
        if s.first >= 0:
            if s.older:
                self.shelf[s.older - 1].newer = s.newer
            else:
                self.oldest = s.newer
            if s.newer:
                self.shelf[s.newer - 1].older = s.older
            else:
                self.newest = s.older
            self.blocks_left += (s.size + BLOCK - 1) // BLOCK
            self.link[s.last] = self.free_block
            self.free_block = s.first
        s.first = s.last = -1
        s.size, s.state = 0, state
        s.older = s.newer = 0
