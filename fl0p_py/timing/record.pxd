# What is kept of a client's rhythm, and what is said of it.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

cdef enum:
    SMALL = 320             # bytes of a token that a person may have made: a key, a line, a padded password
    ENOUGH = 3              # pauses that say something while more may come
    FIRST = 3               # pauses and keys that a rhythm holds itself; most flows have no more
    KEPT_PAUSES = 32        # the latest ones, for the shape of their distribution
    KEPT_KEYS = 64
    PAUSE_NS = 400000000    # shorter ones are typing, or a network
    LONGEST_KEY_NS = 1000000000     # longer intervals are no matter of hands
    KEY_UNIT_NS = 16000     # so that they fit into 16 bits
    TRAIN = 12              # tokens that make a train

cdef enum Why:              # timing/reason.py has the same in words
    NOTHING = 0
    TYPED
    TRAINS
    THINKING
    LEFT                    # said by signature/actor.pyx
    REGULAR_PAUSES
    DRAWN_PAUSES
    QUICK_PAUSES
    FAST_LINES
    REGULAR_KEYS
    DRAWN_KEYS
    FAST_KEYS
    NO_PAUSE                # said by signature/actor.pyx

cdef enum Stage:
    LET_IN = 1              # the login is behind
    PASSED_ON = 2           # what follows is another program's, and not looked at
    PARTIAL = 4             # not all of it was seen

cdef struct Rhythm:         # of one flow's client; pauses in units of 10 us, keys in units of 16 us
    int64_t client_ns       # arrival of its latest token
    int64_t train_ns        # beginning of the train of equal tokens
    int64_t episode_ns      # of the small tokens behind the latest pause
    uint32_t pause[FIRST]   # the first; the only ones, as long as `intervals` is 0
    uint16_t key[FIRST]
    uint32_t pauses, keys
    uint32_t tokens         # small ones
    uint32_t echoes         # of these, answered by one small token of the server
    uint32_t chaff          # in trains with the interval of OpenSSH
    uint32_t train          # tokens in the present one
    uint32_t lines          # tokens alone between two pauses,
    uint32_t quick          # of these, typed faster than hands can
    uint32_t intervals      # row + 1 in the pool of Intervals
    uint32_t next           # rhythm + 1, in the list of free ones
    uint16_t latest_bytes   # size of the token behind the latest pause
    uint16_t size           # of the client's latest token; SMALL + 1: more
    uint16_t least          # smallest token
    uint16_t lead           # size of the client's token just before the latest one; 0: not in a row
    uint8_t odd             # the two lowest bits of all sizes, or-ed
    uint8_t episode         # small tokens since the pause, itself included; at most 255; 0: none yet
    uint8_t waits           # small tokens that no small one of the server has answered yet; at most 255
    uint8_t unanswered      # the latest pause has not led to an answer yet
    uint8_t turned          # it is the server that types
    uint8_t chaffed         # there is a train in this episode
    uint8_t leads           # the present train begins with a longer token, and is not counted yet
    uint8_t trains          # episodes with one,
    uint8_t led             # trains that begin with a longer token, both at most 255
    uint8_t typed           # one went on for longer than chaff alone does
    uint8_t beats           # pauses behind which the client sent what keeps a connection alive; at most 255
    uint8_t beat            # the latest pause may be one
    uint8_t followed        # the server has paused since the latest pause
    uint8_t before          # pauses before the login,
    uint8_t lines_before    # and lines,
    uint8_t quick_before    # quick ones,
    uint8_t beats_before    # and beats; all at most 255
    uint8_t stage           # enum Stage
    uint8_t worked          # an episode of many small tokens was over when the next pause came

cdef struct Intervals:      # the latest ones
    uint32_t pause[KEPT_PAUSES]     # pause i (from 0) at i % KEPT_PAUSES; of a free row, [0] is the next + 1
    uint16_t key[KEPT_KEYS]

cdef struct Judgement:
    uint32_t median_cs      # of the pauses, hundredths of a second
    uint32_t pauses         # that led to an answer
    uint8_t why             # enum Why
    uint8_t actor           # 0 unset, 1 human, 2 bot
    uint8_t hidden          # trains hide the keys: what looks like typed ones is chaff as well
    uint8_t partial         # not all of it was seen: there may have been more pauses
