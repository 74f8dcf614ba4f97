# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# A stored token in 5 bytes, since there are 64 of them to a flow.

from libc.stdint cimport int8_t, int32_t, uint8_t, uint16_t, uint32_t

cdef enum:
    LARGEST_TOKEN = 0x7FFFFF    # bytes; larger ones are stored as that.  No signature can name more than 2^20

cdef packed struct Cell:
    uint16_t gap                # before it, see gap.pxd; 0 for the first
    uint16_t low                # of the bytes, > 0 from the client
    int8_t high


cdef inline int32_t cell_token(const Cell* cell) noexcept nogil:
    return <int32_t>cell.high * 0x10000 + cell.low


cdef inline void set_cell(Cell* cell, int32_t token, uint16_t gap) noexcept nogil:
    token = max(-LARGEST_TOKEN, min(LARGEST_TOKEN, token))
    cell.gap = gap
    cell.low = <uint16_t>(token & 0xFFFF)
    cell.high = <int8_t>(token >> 16)


# A cell that is not in use holds a link: 32 bits.

cdef inline uint32_t cell_link(const Cell* cell) noexcept nogil:
    return <uint32_t>cell.low << 16 | cell.gap


cdef inline void set_link(Cell* cell, uint32_t link) noexcept nogil:
    cell.gap = link & 0xFFFF
    cell.low = link >> 16
