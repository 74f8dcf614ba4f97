# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    MOST_OVERHEADS = 8      # different ones
    MOST_AFTER = 8          # runs before one are counted up to here
    MOST_KEPT = 48          # tokens of a beginning
    EXACT = 512             # bytes of a run up to which each size has a class of its own
    COARSE = 4              # behind that, 2 to this power have one;
    SIZES = 768             # the last class is of all that are longer
    MOST_FAMILIES = 22      # what a mask of them in a memo of place.pxd has room for

cdef enum Gate:
    SHUT = 0                # nothing can be complete
    OPEN                    # something might
    FULL                    # no more tokens can be kept, and nothing was complete until now

cdef struct Beginning:      # of a flow that may be a tunnel, and into which nobody has looked yet
    uint64_t bits           # of the families that its port allows
    int64_t sum, before     # bytes of the present run, and of the one before
    int64_t tickets         # of the server's first run
    uint32_t tunnel         # index + 1 once it is looked into; in the free list, of the next
    uint32_t families       # mask of those
    int8_t direction        # of the present run; 0: none yet
    int8_t direction_before
    uint8_t gap             # there was one before the run
    uint8_t runs            # before this one, up to MOST_AFTER - 1
    uint8_t unclear         # the run may hold messages of the tunnel's own
    uint8_t unclear_before  # so may the one before
    uint8_t answered        # runs of the server, up to 3
    uint8_t overheads       # mask of those that are possible, and
    uint8_t finals          # of those whose handshake may have ended with a token
    uint8_t hellos          # mask of those that it began with
    uint8_t kept            # tokens
    uint8_t gaps[MOST_KEPT]     # thresholds that the gap before each reached
    int32_t sizes[MOST_KEPT]    # signed by direction


cdef inline int class_of(int64_t size) noexcept nogil:
    """Of a run of so many bytes."""
    return <int>size if size < EXACT else <int>min(EXACT + (size - EXACT >> COARSE), SIZES - 1)


@cython.final
cdef class Gates:
    cdef const uint64_t[:, :, :, ::1] now, at_most
    cdef const uint64_t[:, :, ::1] earlier
    cdef const uint64_t[::1] after, bits
    cdef const int32_t[::1] family_of
    cdef const uint8_t[::1] leads_on
    cdef const int32_t[:, ::1] finals

    cdef Gate take(self, Beginning* beginning, int32_t size, int passed) noexcept nogil
    cdef void _begin_run(self, Beginning* beginning, int direction, int passed) noexcept nogil
    cdef void _note_final(self, Beginning* beginning) noexcept nogil
