# What is kept of a flow with something inside, and of how its tunnel is made.

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.signature.state cimport Position

cdef enum:
    MOST_STATES = 128       # of a flow, before a run and behind it
    MOST_CLIENT = 12
    MOST_NOTED = 6          # places that a memo holds
    MOST_DEPTH = 12         # tokens in one run, and
    MOST_RECORDS = 64       # records
    MOST_PLAIN = 16384      # bytes in a record: RFC 8446 section 5.1
    USUAL_READ = 1200       # a burst of so many bytes may have been read in one more piece

cdef enum PlaceFlag:
    EXPECT_CLIENT = 1       # the run that ends the handshake has not been seen
    EXPECT_SERVER = 2       # nor has what the server still has to say of its own
    LATE = 4                # the inner flow has begun: only patterns without `<` may begin here
    ALERTED = 8             # an alert was seen: only the end may follow
    TICKETED = 16           # the server's first run was tickets: its next may begin with as many

cdef struct Carrier:        # signature/overhead.py, Carrier
    int32_t hellos          # mask of those behind which it may stand
    int32_t overhead, slack, alert, via, alone, server, low, high, clients
    int32_t client[MOST_CLIENT]

cdef struct Place:          # 8 bytes: how far an inner pattern has come
    uint32_t at             # position + 1; 0: it has not begun
    uint16_t base           # bytes at the beginning of this run that are the tunnel's own
    uint8_t carrier
    uint8_t flags           # enum PlaceFlag

cdef struct Memo:           # what came of a size at a place, when nothing was complete
    uint64_t key            # 0: nothing yet
    uint8_t found
    uint8_t more
    uint8_t flags[MOST_NOTED]
    uint32_t at[MOST_NOTED]

cdef struct Tunnel:         # what is known of one flow
    int64_t sum             # bytes of the present run
    uint32_t next           # tunnel + 1, in the free list
    uint32_t families       # mask of those that its port allows
    int32_t tickets         # bytes of the server's first run, if that may be tickets
    int32_t own             # in the run that ends the handshake: where a token and its last message may end
    int32_t passed          # thresholds that the gap before the run reached
    int8_t direction        # of the run; 0: none yet
    uint8_t befores         # how many places are in before,
    uint8_t behinds         # and in behind
    uint8_t over            # 1: the run is as long as any pattern allows; 2: longer
    uint8_t late            # its last token has not been looked at
    Place before[MOST_STATES]   # before the run,
    Place behind[MOST_STATES]   # and behind it, should it end now


cdef inline int32_t records_of(Position* position) noexcept nogil:
    """Most records of a token, or of a burst."""
    if position.slot:
        return 2 + position.exact_high // USUAL_READ
    return 1 + position.exact_high // MOST_PLAIN
