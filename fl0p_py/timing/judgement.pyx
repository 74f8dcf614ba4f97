# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Is a client worked by hand?  What its rhythm says.

In this order:

    trains of equal tokens every 20 ms      a terminal whose keystrokes OpenSSH hides: human
                                            if somebody typed for longer than chaff goes
                                            on, and paused, and did not send whole lines;
                                            never a bot
    echoed keys, twelve or more, and half
        of the small tokens                 too fast, regular, drawn at random: bot; else human
    pauses alike                            bot
    no long pause                           bot, if there are three, or nothing more will come
    nothing but what keeps SSH alive        nothing is said
    commands for SSH to carry out, or two
        and more behind the login, each
        sooner than they can be typed       bot
    two lines faster than hands             bot
    three pauses and more, no keys, and
        half of the pauses short, before
        lines short in the middle           bot
        none of six that is for thinking    bot
        lines, drawn at random              bot
    else                                    human

Retransmissions and slow machines make pauses too, but no long ones.  What a person sends in one go, a line
or a password, took reading the question, thinking of the answer and typing it.

    Dhakal et al., Observations on Typing from 136 Million Keystrokes, CHI 2018: intervals of 120 to 480 ms
    González et al., On the shape of timings distributions in free-text keystroke dynamics profiles,
    Heliyon 7 (2021) e08413: log-normal intervals fit well, log-logistic ones a little better
    OpenSSH 9.5 release notes, ssh_config(5) ObscureKeystrokeTiming: 20 ms, with chaff after the last key

SAFETY: arrays on the stack are as long as what is kept.  The twin is tests/timing/twin_rhythm.py.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from fl0p_py.timing.record cimport (
    DRAWN_KEYS, DRAWN_PAUSES, ENOUGH, FAST_KEYS, FAST_LINES, KEPT_KEYS, KEPT_PAUSES, KEY_UNIT_NS, LEFT,
    LET_IN, LONGEST_KEY_NS, NOTHING, PARTIAL, PAUSE_NS, QUICK_PAUSES, REGULAR_KEYS, REGULAR_PAUSES, THINKING,
    TRAIN, TRAINS, TYPED,
    Judgement, Rhythm,
)
from fl0p_py.timing.shape cimport UNIT_NS, drawn, follows, middle, regular, sort, spread, swings

cdef enum:
    KEYS_ENOUGH = 12
    QUICK_LINES = 2         # typed faster than hands can: one may have been pasted
    TYPED_LINES = 2         # lines that came at once into trains: one may have been pasted
    FEW_KEYS = 3            # and more small tokens for each key: lines are typed, or commands
    COMMANDS = 2            # that take thinking of
    OFTEN = 6               # pauses, one of which somebody would think in
    BLOCKS = 16             # the smallest SSH packet, RFC 4253 section 6; with any MAC, sizes divide by 4

cdef int64_t THOUGHT_NS = 5000000000    # in so many pauses, one is longer
cdef int64_t NAMES_NS = 8000000000      # to think of one of several commands and to type it, with file names
cdef int64_t USUAL_NS = 2000000000      # people's median is longer where they do not type key by key
cdef int64_t SLOW_NS = 2400000000       # eight keys at 239 ms, as of a password, and half a second to begin
cdef int64_t LINES_NS = 2300000000      # between people's lines and programs', on a logarithmic scale
cdef int64_t KEY_NS = 30000000          # no two keys of a hand are nearer
cdef int64_t HANDS_NS = 45000000        # nor, in the median, nearer than this
cdef int64_t CHAR_NS = 90000000         # a character of a line; fast typists need 120 ms
cdef double SPREAD = 0.15       # people vary at least so much
cdef double JITTER = -0.15      # correlation of neighbours that a jittery network leaves


cdef void judged(
    Judgement* said, Rhythm* one, uint32_t* pauses, uint16_t* keys, bint over, bint wrapped
) noexcept nogil:
    """What the rhythm says so far, put into what is all 0.

    pauses, keys : as they are kept; over, wrapped : see Rhythms
    """
    cdef uint32_t ordered[KEPT_PAUSES]
    cdef int n = answered(ordered, one, pauses)
    said.pauses = one.pauses - left_out(one)
    if n:
        said.median_cs = ordered[n // 2] // 1000
    said.hidden = one.chaff >= TRAIN
    said.why = reason(one, pauses, keys, ordered, n, wrapped)
    said.partial = (one.stage & PARTIAL) != 0
    if said.why == QUICK_PAUSES and said.pauses < ENOUGH and (said.partial or not over):
        said.why = NOTHING
    if said.why:
        said.actor = 1 if said.why <= LEFT else 2


cdef uint32_t left_out(Rhythm* one) noexcept nogil:
    """How many of the latest pauses do not count: what leaves last, nobody typed.

    Of a shell that is worked from the server's end, the connection's own end gets an answer, too.
    """
    return one.unanswered > 0 or (one.turned > 0 and one.pauses > 0 and not one.followed)


cdef bint is_quick(Rhythm* one, uint32_t* pauses) noexcept nogil:
    """Whether the token behind the latest pause came sooner than hands can type it."""
    return pauses[(one.pauses - 1) % KEPT_PAUSES] * <int64_t>UNIT_NS < one.latest_bytes * CHAR_NS


cdef bint in_haste(Rhythm* one, uint32_t* pauses) noexcept nogil:
    """Whether of several commands behind the login none took as long as it takes people."""
    cdef uint32_t end = one.pauses - left_out(one), begin = one.before, i
    if not one.stage & LET_IN or one.turned:
        return False
    if one.pauses > KEPT_PAUSES:
        begin = max(begin, one.pauses - KEPT_PAUSES)
    if end < begin + COMMANDS:
        return False
    for i in range(begin, end):
        if pauses[i % KEPT_PAUSES] * <int64_t>UNIT_NS >= NAMES_NS:
            return False
    return True


cdef int answered(uint32_t* ordered, Rhythm* one, uint32_t* pauses) noexcept nogil:
    """The latest pauses that led to an answer, in ascending order; how many."""
    cdef uint32_t values[KEPT_PAUSES]
    cdef int n = min(one.pauses, <uint32_t>KEPT_PAUSES)
    unroll(values, pauses, one.pauses, KEPT_PAUSES)
    n -= left_out(one)
    sort(ordered, values, n)
    return n


cdef uint8_t reason(
    Rhythm* one, uint32_t* all_pauses, uint16_t* all_keys, uint32_t* pauses, int n, bint wrapped
) noexcept nogil:
    """all_pauses, all_keys : as they are kept; pauses : those that led to an answer by size, n of them"""
    cdef uint32_t lines = one.lines, quick = one.quick
    cdef bint alike = regular(pauses, n)
    cdef bint slow = n > 0 and pauses[n - 1] * <int64_t>UNIT_NS >= SLOW_NS
    cdef uint8_t by_keys
    cdef bint in_lines, keyed = <uint64_t>one.keys * 2 >= one.tokens > 0
    if one.chaff >= TRAIN:
        if alike or not one.typed or (one.led >= TYPED_LINES and one.led * 2 > one.trains):
            return NOTHING
        return TRAINS if slow or (n >= ENOUGH and spread(pauses, n) >= SPREAD) else NOTHING
    if keyed and <uint64_t>one.echoes * 2 >= one.tokens and one.keys >= KEYS_ENOUGH:
        by_keys = typed(one, all_keys)
        if by_keys != FAST_KEYS or n == 0 or pauses[n // 2] * <int64_t>UNIT_NS < SLOW_NS:
            return by_keys
    if n == 0:
        return NOTHING
    if alike:
        return REGULAR_PAUSES
    if not slow:
        return QUICK_PAUSES
    if one.episode == 1 and not one.unanswered:
        lines += 1
        quick += is_quick(one, all_pauses)
    if one.least < BLOCKS or one.odd:
        if quick >= QUICK_LINES and not wrapped:
            return FAST_LINES
    elif not wrapped and n >= 2:
        if one.beats >= <uint32_t>n:
            return NOTHING
        if one.worked and not keyed and pauses[n - 1] * <int64_t>UNIT_NS < NAMES_NS:
            return QUICK_PAUSES
        if <uint64_t>one.keys * FEW_KEYS <= one.tokens and in_haste(one, all_pauses):
            return QUICK_PAUSES
    if n < ENOUGH or one.keys >= KEYS_ENOUGH or keyed:
        return THINKING
    in_lines = <uint64_t>lines * 5 >= <uint64_t>n * 3
    if in_lines:
        if middle(pauses, n) * UNIT_NS < LINES_NS:
            return QUICK_PAUSES
    elif pauses[n // 2] * <int64_t>UNIT_NS < USUAL_NS:
        return QUICK_PAUSES
    if n >= OFTEN and pauses[n - 1] * <int64_t>UNIT_NS < THOUGHT_NS:
        return QUICK_PAUSES
    if in_lines and drawn(pauses, n, PAUSE_NS // UNIT_NS):
        return DRAWN_PAUSES
    return THINKING


cdef uint8_t typed(Rhythm* one, uint16_t* all_keys) noexcept nogil:
    """What the intervals between echoed keys say."""
    cdef uint32_t keys[KEPT_KEYS]       # in the order in which they came,
    cdef uint32_t ordered[KEPT_KEYS]    # by size
    cdef int m = min(one.keys, <uint32_t>KEPT_KEYS), quick = 0
    unroll_keys(keys, all_keys, one.keys)
    sort(ordered, keys, m)
    while quick < m and ordered[quick] * <int64_t>UNIT_NS < KEY_NS:
        quick += 1
    if ordered[m // 2] * <int64_t>UNIT_NS < HANDS_NS:
        return FAST_KEYS
    if regular(&ordered[quick], m - quick) or swings(keys, m):
        return REGULAR_KEYS
    if ordered[m * 7 // 8] * <int64_t>UNIT_NS > LONGEST_KEY_NS // 2:
        return TYPED        # slower than programs play hands; what is longer is cut off, which looks even
    if drawn(&ordered[quick], m - quick, 0) or (quick * 6 >= m and follows(keys, m) > JITTER):
        return DRAWN_KEYS
    return TYPED


cdef void unroll(uint32_t* values, uint32_t* ring, uint32_t count, uint32_t kept) noexcept nogil:
    """What a ring holds, the oldest first."""
    cdef uint32_t n = min(count, kept), i
    for i in range(n):
        values[i] = ring[(count - n + i) % kept]


cdef void unroll_keys(uint32_t* keys, uint16_t* ring, uint32_t count) noexcept nogil:
    """The keys that are kept, the oldest first, in units of UNIT_NS."""
    cdef uint32_t n = min(count, KEPT_KEYS), i
    for i in range(n):
        keys[i] = ring[(count - n + i) % KEPT_KEYS] * <uint32_t>KEY_UNIT_NS // UNIT_NS
