# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The rhythm of a flow's client: is it worked by hand?

Only the client's small tokens count, and only the time that passed before them: since the latest
token of either end for *pauses* (a server's delay is none), since the client's own one, if it has the same
size, for *keys*.  A pause counts once the server has answered what came behind it: what leaves last, a
goodbye, nobody typed.
Nothing is kept of a flow before the first small token behind a pause, so that most flows cost
nothing.  In this order:

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

SAFETY: rows are the caller's, below the capacity; links come from the pool itself; arrays on the
stack are as long as what is kept.  The twin is tests/timing/twin_rhythm.py.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fl0p_py.pool import doubled
from fl0p_py.timing.shape cimport UNIT_NS, drawn, follows, middle, regular, sort, spread, swings

cdef enum:
    KEYS_ENOUGH = 12
    QUICK_LINES = 2         # typed faster than hands can: one may have been pasted
    ECHO = 16               # bytes that the echo of a key may have more: a block
    TRAIN = 12              # tokens that make a train
    LEAD = 16               # bytes that a line has more than a key: a block
    BEAT = 68               # most bytes of a request of 27 (keepalive@openssh.com) with the usual MACs,
    BEAT_LESS = 8           # and how many less its refusal has: a block
    TYPED_LINES = 2         # lines that came at once into trains: one may have been pasted
    WORK = 6                # small tokens behind a pause: a command that a program carries out, such as sftp
    FEW_KEYS = 3            # and more small tokens for each key: lines are typed, or commands
    COMMANDS = 2            # that take thinking of
    OFTEN = 6               # pauses, one of which somebody would think in
    BLOCKS = 16             # the smallest SSH packet, RFC 4253 section 6; with any MAC, sizes divide by 4
    KEY_UNIT_NS = 16000     # LONGEST_KEY_NS fits into 16 bits

cdef int64_t AWAY_NS = 600000000000     # longer: gone, not thinking
cdef int64_t THOUGHT_NS = 5000000000    # in so many pauses, one is longer
cdef int64_t NAMES_NS = 8000000000      # to think of one of several commands and to type it, with names of files
cdef int64_t USUAL_NS = 2000000000      # people's median is longer where they do not type key by key
cdef int64_t CHAFF_NS = 3200000000      # OpenSSH, clientloop.c: chaff for 1024 to 3071 ms, on the grid
cdef int64_t SLOW_NS = 2400000000       # eight keys at 239 ms, as of a password, and half a second to begin
cdef int64_t LINES_NS = 2300000000      # between people's lines and programs', on a logarithmic scale
cdef int64_t KEY_NS = 30000000          # no two keys of a hand are nearer
cdef int64_t HANDS_NS = 45000000        # nor, in the median, nearer than this
cdef int64_t LONGEST_KEY_NS = 1000000000        # longer intervals are no matter of hands
cdef int64_t CHAR_NS = 90000000         # a character of a line; fast typists need 120 ms
cdef int64_t TRAIN_GAP_NS = 60000000
cdef int64_t TRAIN_LOW_NS = 17000000, TRAIN_HIGH_NS = 25000000      # mean interval; 20 ms and some fuzz
cdef double SPREAD = 0.15       # people vary at least so much
cdef double JITTER = -0.15      # correlation of neighbours that a jittery network leaves


cdef class Rhythms:
    """The rhythms of flows, by row below `capacity`.

    The matcher drives it from its own loop; what Python can call is for tests.
    """

    def __init__(self, capacity):
        cdef Rhythm rhythm
        cdef Intervals intervals
        self.rows = np.zeros(capacity, np.uint32)
        self.of_flow = self.rows
        self.pool = np.zeros(64, np.asarray(<Rhythm[:1]>&rhythm).dtype)
        self.more = np.zeros(64, np.asarray(<Intervals[:1]>&intervals).dtype)

    cdef int open(self, uint32_t flow) except -1 nogil:
        """Begin to follow the flow, before its first small token behind a pause."""
        cdef uint32_t at = self.unused
        if at:
            self.unused = self.pool[at - 1].next
        else:
            if self.used == <uint32_t>self.pool.shape[0]:
                with gil:
                    self.pool = doubled(self.pool)
            self.used += 1
            at = self.used
        memset(&self.pool[at - 1], 0, sizeof(Rhythm))
        self.pool[at - 1].least = SMALL
        self.of_flow[flow] = at
        return 0

    cdef int turn(self, uint32_t flow) except -1 nogil:
        """From now on follow what the server types; 0 if this is done already."""
        if self.of_flow[flow] and self.pool[self.of_flow[flow] - 1].turned:
            return 0
        self.close(flow)
        self.open(flow)
        self.pool[self.of_flow[flow] - 1].turned = True
        return 1

    cdef void let_in(self, uint32_t flow) noexcept nogil:
        """The login of an opened flow is behind."""
        cdef Rhythm* one = &self.pool[self.of_flow[flow] - 1]
        if not one.stage & LET_IN:
            one.stage |= LET_IN
            one.before = <uint8_t>min(one.pauses, 255)

    cdef void pass_on(self, uint32_t flow) noexcept nogil:
        """Of an opened flow only the login counts: what follows it is another program's."""
        cdef Rhythm* one = &self.pool[self.of_flow[flow] - 1]
        if not one.stage & PASSED_ON:
            one.stage |= PASSED_ON
            if one.stage & LET_IN and one.pauses <= KEPT_PAUSES:
                one.pauses = min(one.pauses, <uint32_t>one.before)
            one.keys = one.tokens = one.echoes = one.chaff = 0
            one.unanswered = one.worked = False

    cdef void close(self, uint32_t flow) noexcept nogil:
        cdef uint32_t at = self.of_flow[flow], intervals
        if at:
            intervals = self.pool[at - 1].intervals
            if intervals:
                self.more[intervals - 1].pause[0] = self.more_unused
                self.more_unused = intervals
            self.pool[at - 1].next = self.unused
            self.unused = at
            self.of_flow[flow] = 0

    cdef int token(self, uint32_t flow, int32_t size, int64_t gap_ns, int64_t arrival_ns) except -1 nogil:
        """A token of an opened flow; members as in TokenEvent."""
        cdef Rhythm* one = &self.pool[self.of_flow[flow] - 1]
        cdef int64_t since
        cdef uint16_t before
        cdef bint alike, in_a_train, pause = gap_ns >= <int64_t>PAUSE_NS
        if one.stage & PASSED_ON:
            return 0
        if one.turned:
            size = -size
        if size < 0:
            if pause:
                one.followed = True
            if one.waits and -size <= one.size + ECHO:
                one.echoes += 1
                one.waits -= 1
            else:
                one.waits = 0
            one.unanswered = False
            if one.beat and -size <= one.size - BEAT_LESS:
                one.beats = <uint8_t>min(one.beats + 1, 255)
            one.beat = False
            return 0
        since = arrival_ns - one.client_ns
        one.client_ns = arrival_ns
        alike = size == one.size
        before, one.lead = one.lead, one.size if since < TRAIN_GAP_NS else 0
        one.size = <uint16_t>min(size, SMALL + 1)
        one.beat = pause and size <= BEAT
        if size > SMALL:
            one.train = one.waits = 0
            return 0
        one.waits += one.waits < 255
        one.tokens += 1
        if size < one.least:
            one.least = <uint16_t>size
        one.odd |= size & 3
        if pause:
            one.train = 0
            if gap_ns < AWAY_NS:
                one.worked |= one.episode >= WORK
                if one.episode == 1:
                    one.lines += 1
                    one.quick += is_quick(one, self._pauses(one))
                one.latest_bytes = <uint16_t>size
                self._keep_pause(one, gap_ns)
                one.episode_ns, one.chaffed, one.followed = arrival_ns, False, False
                one.episode = 1
                one.unanswered = True
        else:
            one.episode += 0 < one.episode < 255
        in_a_train = not pause and in_train(one, alike, since, arrival_ns, before)
        if alike and not in_a_train and since < LONGEST_KEY_NS:
            self._keep_key(one, since)
        return 0

    cdef int _make_room(self, Rhythm* one) except -1 nogil:
        """For more pauses and keys than the first ones."""
        cdef uint32_t at = self.more_unused
        cdef Intervals* room
        if at:
            self.more_unused = self.more[at - 1].pause[0]
        else:
            if self.more_used == <uint32_t>self.more.shape[0]:
                with gil:
                    self.more = doubled(self.more)
            self.more_used += 1
            at = self.more_used
        room = &self.more[at - 1]
        memcpy(room.pause, one.pause, sizeof(one.pause))
        memcpy(room.key, one.key, sizeof(one.key))
        one.intervals = at
        return 0

    cdef int _keep_pause(self, Rhythm* one, int64_t interval_ns) except -1 nogil:
        if one.pauses == FIRST and not one.intervals:
            self._make_room(one)
        self._pauses(one)[one.pauses % KEPT_PAUSES] = <uint32_t>(interval_ns // UNIT_NS)
        one.pauses += 1
        return 0

    cdef int _keep_key(self, Rhythm* one, int64_t interval_ns) except -1 nogil:
        if one.keys == FIRST and not one.intervals:
            self._make_room(one)
        self._keys(one)[one.keys % KEPT_KEYS] = <uint16_t>(max(interval_ns, KEY_UNIT_NS) // KEY_UNIT_NS)
        one.keys += 1
        return 0

    cdef uint32_t* _pauses(self, Rhythm* one) noexcept nogil:
        if one.intervals:
            return &self.more[one.intervals - 1].pause[0]
        return &one.pause[0]

    cdef uint16_t* _keys(self, Rhythm* one) noexcept nogil:
        if one.intervals:
            return &self.more[one.intervals - 1].key[0]
        return &one.key[0]

    cdef Judgement judge(self, uint32_t flow, bint over, bint wrapped) noexcept nogil:
        """What the flow's rhythm says so far.

        over    : nothing more will come, so that few pauses tell, too
        wrapped : what was typed is in something else, longer than it, so that its length tells nothing
        """
        cdef Judgement said
        cdef Rhythm* one
        cdef uint32_t ordered[KEPT_PAUSES]
        cdef int n
        memset(&said, 0, sizeof(Judgement))
        if self.of_flow[flow] == 0:
            return said
        one = &self.pool[self.of_flow[flow] - 1]
        said.pauses = one.pauses - left_out(one)
        n = answered(ordered, one, self._pauses(one))
        if n:
            said.median_cs = ordered[n // 2] // 1000
        said.hidden = one.chaff >= TRAIN
        said.why = reason(one, self._pauses(one), self._keys(one), ordered, n, wrapped)
        if said.why == QUICK_PAUSES and said.pauses < ENOUGH and not over:
            said.why = NOTHING
        if said.why:
            said.actor = 1 if said.why <= LEFT else 2
        return said

    # For tests.

    def begin(self, uint32_t flow):
        self.open(flow)

    def feed(self, uint32_t flow, tokens):
        """tokens : (size, gap_ns, arrival_ns) each"""
        for size, gap_ns, arrival_ns in tokens:
            self.token(flow, size, gap_ns, arrival_ns)

    def end(self, uint32_t flow):
        self.close(flow)

    def turned(self, uint32_t flow):
        self.turn(flow)

    def logged_in(self, uint32_t flow):
        self.let_in(flow)

    def passed_on(self, uint32_t flow):
        self.pass_on(flow)

    def judgement(self, uint32_t flow, bint over=True, bint wrapped=False):
        """(Reason, pauses, their median in hundredths of a second)"""
        cdef Judgement said = self.judge(flow, over, wrapped)
        return said.why, said.pauses, said.median_cs


cdef bint in_train(
    Rhythm* one, bint alike, int64_t since, int64_t arrival_ns, uint16_t before
) noexcept nogil:
    """Whether the token goes on with a train of equal ones.

    before : size of the token in front of the last one
    """
    if not alike or since >= TRAIN_GAP_NS:
        one.train = 0
        return False
    if one.train == 0:
        one.train_ns, one.leads = arrival_ns - since, before >= one.size + LEAD
    one.train += 1
    if one.train >= TRAIN and TRAIN_LOW_NS <= (arrival_ns - one.train_ns) // one.train <= TRAIN_HIGH_NS:
        one.chaff += 1
        if not one.chaffed:
            one.trains = <uint8_t>min(one.trains + 1, 255)
        if one.leads:
            one.led = <uint8_t>min(one.led + 1, 255)
        if one.episode and arrival_ns - one.episode_ns > CHAFF_NS:
            one.typed = True
        one.chaffed, one.leads = True, False
    return one.train > 3


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
