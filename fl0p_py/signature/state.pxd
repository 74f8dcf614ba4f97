# What the matcher keeps for each flow row, and the compiled signatures as the kernels read them.
# The records have no gaps between their members, nor behind them (hence `spare`).

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum StateFlag:
    STARTED = 1             # `<` was seen
    WAITING = 2             # a thread waits for silence, or for its burst to close
    FROM_CLIENT = 4         # the last token's direction
    ENDED = 32              # END has come: no token will follow
    TIMED = 64              # its client's rhythm is followed
    TUNNEL = 128            # something may be inside of it
    PROTOCOL = 24           # enum Protocol, in these bits
    PROTOCOL_1 = 8          # the lowest of them

cdef enum:
    LAST = 4                # sizes that a state holds itself; a power of 2

cdef struct FlowState:      # 64 bytes, one cache line; all zero for a row without tokens
    uint64_t recent         # classes of the last 8 tokens, the latest in the low byte
    uint64_t gaps           # bit i: the gap before the i-th last token reached the lowest threshold
    int64_t arrival_ns      # latest arrival of a token
    uint32_t number         # tokens so far
    int32_t last[LAST]      # token i (from 0), signed by direction, at i % LAST
    uint32_t ring           # row + 1 in the pool of the last 64 sizes; 0 none
    uint32_t threads        # first thread + 1 in the machine's pool; 0 none
    uint32_t dossier        # row + 1 in the pool of verdicts; 0 nothing identified
    uint32_t timer          # node + 1 in the pool of timers; 0 none
    uint16_t port           # the server's
    uint8_t port_class      # of the port, see filter.pyx
    uint8_t flags           # enum StateFlag

cdef enum Protocol:
    TCP = 0
    UDP
    ICMP
    OTHER_PROTOCOL

cdef enum Condition:        # what is asked of the gap before a token
    NO_GAP = 0
    ANY_GAP
    SOME_GAP

cdef enum Action:           # what a branch does where it has matched
    FIRE = 0                # the signature is complete
    SEED                    # a thread starts at position `argument`
    CHASE                   # the rest is compared with edits allowed, from item `argument` (the second) on

cdef struct Item:           # one token of a branch; sizes signed by direction
    int32_t low, high       # with tolerance
    int32_t exact_low, exact_high
    uint32_t branch         # the CHASE branch that goes over it
    uint8_t condition       # enum Condition
    uint8_t behind          # of that branch: items behind this one,
    uint8_t budget          # most edits,
    uint8_t threshold       # its signature's threshold
    uint32_t epoch          # the step in which a thread last came here, and
    uint32_t thread         # that thread (see machine.pyx)

cdef struct Branch:         # tokens in a row, the last of them the one just seen
    uint64_t gap_want       # bit i: a gap before the i-th last token
    uint64_t gap_care       # bit i: the condition is not ANY_GAP
    uint32_t signature
    uint32_t item           # its first; the others follow
    uint32_t argument       # see Action
    uint32_t wait           # CHASE: position that waits behind the last item, if `trailing`
    uint8_t length
    uint8_t action          # enum Action
    uint8_t run_start       # the last token must begin a run (it may begin a burst)
    uint8_t whole           # CHASE: items to the end of the pattern
    uint8_t budget          # CHASE: most edits
    uint8_t trailing        # CHASE: the pattern has a trailing `+` or `>`
    uint8_t threshold       # the signature's
    uint8_t port_ranges     # how many; more than one are looked up in the rule
    uint16_t port_low, port_high    # the range if there is just one; else 0-65535
    uint32_t spare

cdef struct Rule:           # a signature
    double bits             # its specificity
    uint32_t port, ports    # its port ranges: first, how many; 0 any port
    uint32_t items          # of its shortest sequence
    uint16_t facets[6]      # interned values; 0 says nothing
    int32_t threshold       # index into the thresholds of the set, ascending
    uint32_t count          # enum Count

cdef enum Count:            # how often it fires
    ONCE = 0
    APART                   # at every completion that does not overlap the one before
    OPENS                   # never: it opens a tunnel
    ROUNDS                  # at every round of the repeat at its end

cdef enum Final:            # how a position completes its signature
    AT_TOKEN = 1            # as soon as it is reached
    AT_CLOSE = 2            # when its burst is over
    AT_SILENCE = 4          # when the threshold has passed
    AT_END = 8              # at `>`
    AT_SILENT_END = 16      # at `>` if the threshold has passed by then

cdef struct Position:
    int32_t low, high       # bounds for the token, or for the sum of its burst; with tolerance
    int32_t exact_low, exact_high
    int32_t open_low[2]     # for each slot: bounds of the burst that is open here
    int32_t open_high[2]
    int32_t open_exact_low[2]
    int32_t open_exact_high[2]
    uint32_t signature
    uint32_t edge, edges    # first, how many
    uint32_t client_edges   # of these, how many take a token from the client; they come first
    int8_t open_direction[2]
    int8_t direction        # of the token that leads here: 1 client, -1 server
    uint8_t slot            # 0 a single token; 1, 2: adds to that slot's sum
    uint8_t open            # mask of the slots that are open
    uint8_t final           # mask of Final
    uint8_t goes_on         # 1: a token of its direction, without a gap, can only go on with its burst
    uint8_t shared          # 1: stands for all signatures that begin so; `signature` is one of them
    uint8_t threshold       # its signature's
    uint8_t spare[3]

cdef enum Begin:            # a burst begins at a token without a gap before it if
    AFTER_ANY = 0           # the token before it has another direction, or there is none
    AFTER_GROUP             # the token before the group has another direction, or there is none
    AFTER_OWN               # never: the side's own direction was last

cdef struct Edge:           # what rules most tokens out is here, so that the position need not be fetched
    uint32_t to
    int32_t low, high       # sizes of a token that may take it
    uint8_t condition       # enum Condition
    uint8_t extend          # goes on with the burst of that position's slot
    uint8_t close           # mask of the slots that must be over
    uint8_t begin           # enum Begin
    uint8_t enters          # leads into `( a & b )` from outside
    uint8_t spare[3]
