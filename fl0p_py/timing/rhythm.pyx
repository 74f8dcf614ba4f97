# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The rhythm of a flow's client: when it paused, before what, and what it typed in between.

Only the client's small tokens count, and only the time that passed before them: since the latest
token of either end for *pauses* (a server's delay is none), since the client's own one, if it has the same
size, for *keys*.  A pause counts once the server has answered what came behind it: what leaves last, a
goodbye, nobody typed.  Nothing is kept of a flow before the first small token behind a pause, so that most
flows cost nothing.  What is made of it is `judgement.pyx`.

    OpenSSH 9.5 release notes, ssh_config(5) ObscureKeystrokeTiming: 20 ms, with chaff after the last key

SAFETY: rows are the caller's, below the capacity; links come from the pool itself.  The twin is
tests/timing/twin_rhythm.py.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fl0p_py.pool import doubled
from fl0p_py.timing.judgement cimport is_quick, judged
from fl0p_py.timing.record cimport (
    FIRST, KEPT_KEYS, KEPT_PAUSES, KEY_UNIT_NS, LET_IN, LONGEST_KEY_NS, PARTIAL, PASSED_ON, PAUSE_NS, SMALL,
    TRAIN,
    Intervals, Judgement, Rhythm,
)
from fl0p_py.timing.shape cimport UNIT_NS

cdef enum:
    ECHO = 16               # bytes that the echo of a key may have more: a block
    LEAD = 16               # bytes that a line has more than a key: a block
    BEAT = 68               # most bytes of a request of 27 (keepalive@openssh.com) with the usual MACs,
    BEAT_LESS = 8           # and how many less its refusal has: a block
    WORK = 6                # small tokens behind a pause: a command that a program carries out, such as sftp

cdef int64_t AWAY_NS = 600000000000     # longer: gone, not thinking
cdef int64_t CHAFF_NS = 3200000000      # OpenSSH, clientloop.c: chaff for 1024 to 3071 ms, on the grid
cdef int64_t TRAIN_GAP_NS = 60000000
cdef int64_t TRAIN_LOW_NS = 17000000, TRAIN_HIGH_NS = 25000000      # mean interval; 20 ms and some fuzz


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

    cdef void miss(self, uint32_t flow) noexcept nogil:
        """Of an opened flow, what follows does not join what came before: tokens in between are unknown."""
        cdef Rhythm* one = &self.pool[self.of_flow[flow] - 1]
        one.stage |= PARTIAL
        one.size = one.lead = one.episode = one.waits = one.beat = 0
        one.train = 0

    cdef void let_in(self, uint32_t flow) noexcept nogil:
        """The login of an opened flow is behind."""
        cdef Rhythm* one = &self.pool[self.of_flow[flow] - 1]
        cdef bint line = one.episode == 1
        if not one.stage & LET_IN:
            one.stage |= LET_IN
            one.before = <uint8_t>min(one.pauses, 255)
            one.lines_before = <uint8_t>min(one.lines + line, 255)
            one.quick_before = <uint8_t>min(one.quick + (line and is_quick(one, self._pauses(one))), 255)
            one.beats_before = one.beats

    cdef void pass_on(self, uint32_t flow) noexcept nogil:
        """Of an opened flow only the login counts: what follows it is another program's.

        Of a login with more pauses than are kept by now, the first ones count.
        """
        cdef Rhythm* one = &self.pool[self.of_flow[flow] - 1]
        if not one.stage & PASSED_ON:
            one.stage |= PASSED_ON
            if one.stage & LET_IN:
                if one.pauses > KEPT_PAUSES:
                    memcpy(self._pauses(one), one.pause, sizeof(one.pause))
                    one.pauses = FIRST
                one.pauses = min(one.pauses, <uint32_t>one.before)
                one.lines, one.quick, one.beats = one.lines_before, one.quick_before, one.beats_before
                one.episode = 0
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
        if one.pauses < FIRST:
            one.pause[one.pauses] = <uint32_t>(interval_ns // UNIT_NS)      # stays; see pass_on
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
        memset(&said, 0, sizeof(Judgement))
        if self.of_flow[flow]:
            one = &self.pool[self.of_flow[flow] - 1]
            judged(&said, one, self._pauses(one), self._keys(one), over, wrapped)
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

    def missed(self, uint32_t flow):
        self.miss(flow)

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
