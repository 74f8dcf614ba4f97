# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Who works a flow: what signatures say of it, overruled by the rhythm of its client.

The rhythm is followed from the first small token behind a pause on, of TCP only, and asked only where
somebody may be typing (`hands.py`).  It overrules once it has seen enough pauses, or when all of the flow was
seen and no signature speaks of the actor, or none that can be trusted.

A shell that is worked from the server's end is known as one only after a while: what the table has stored of
it is gone through once more, from the login on, or whatever was known before.  The first pause there is none:
it tells when the shell was opened, not that something was typed into it.  Where more was seen than is stored,
the beginning is known, and what follows; that nobody paused is not said of it.

SAFETY: rows are the matcher's; the table has stored as many tokens as it says.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from fl0p_py.flow.gap cimport NS_PER_MS, UNITS_PER_MS
from fl0p_py.flow.record cimport FlowRow, TokenEvent
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.record cimport Result
from fl0p_py.signature.state cimport ENDED, FROM_CLIENT, PROTOCOL, PROTOCOL_1, STARTED, TCP, TIMED, FlowState
from fl0p_py.timing.reason import MOST_PAUSES, Reason, words
from fl0p_py.timing.record cimport ENOUGH, LEFT, NO_PAUSE, PAUSE_NS, QUICK_PAUSES, SMALL, Judgement
from fl0p_py.timing.rhythm cimport Rhythms

cdef enum:
    A_DIALOGUE = 7          # tokens of a flow that is more than a greeting and an answer
    HUMAN = 1               # Result.actor
    BOT = 2

cdef int64_t LEAVING_NS = 1000000000    # a lost FIN comes again sooner
cdef int64_t GRACE_NS = 60000000000     # servers end what lasts longer: sshd_config(5) LoginGraceTime, 120 s


cdef class Actors:
    """Of a matcher's flows, by row."""

    def __init__(self, Dossiers dossiers not None, Rhythms rhythms not None, FlowTable table):
        self.dossiers, self.rhythms, self.table = dossiers, rhythms, table
        self.stored = table.depth if table is not None else 0

    cdef int follow(self, TokenEvent* event, FlowState* state) except -1 nogil:
        """The first small token behind a pause, of TCP: where people may be at work."""
        if event.number == 1 or state.flags & PROTOCOL != TCP * PROTOCOL_1 or self.dossiers.passed_on(state):
            return 0
        self.rhythms.open(event.flow)
        if self.dossiers.logged_in(state):
            self.rhythms.let_in(event.flow)
        self.rhythms.token(event.flow, event.size, event.gap_ns, event.arrival_ns)
        state.flags |= TIMED
        return 0

    cdef int learn(self, uint32_t flow, FlowState* state) except -1 nogil:
        """Something was identified: it may tell who is to be followed, and how far.

        1: from now on it is the server's end, and the tokens so far are told to its rhythm.
        """
        if self.dossiers.from_server(state):
            state.flags |= TIMED
            if self.rhythms.turn(flow):
                self.turned, self.begin = flow + 1, self.dossiers.known_before(state)
                self._recall(flow, state)
                return 1
        elif state.flags & TIMED:
            if self.dossiers.logged_in(state):
                self.rhythms.let_in(flow)
            if self.dossiers.passed_on(state):
                self.rhythms.pass_on(flow)
        return 0

    cdef int replayed(self, uint32_t flow, FlowState* state) except -1 nogil:
        """The matcher alone has gone through what is stored: tell the rhythm what came behind a turn."""
        if self.turned == flow + 1:
            self.rhythms.close(flow)
            self.rhythms.turn(flow)
            self._recall(flow, state)
        return 0

    cdef int _recall(self, uint32_t flow, FlowState* state) except -1 nogil:
        """Follow the server's end from where it may have begun to type."""
        cdef uint32_t i, end = min(state.number, self.stored)
        cdef bint opening = self.begin > 0
        cdef int64_t gap_ns, arrival_ns = state.arrival_ns
        cdef int32_t size
        for i in range(self.begin + 1, end):
            arrival_ns -= self._gap_ns(flow, i)
        for i in range(self.begin, end):
            size, gap_ns = self.table.token_at(flow, i), self._gap_ns(flow, i)
            arrival_ns += gap_ns if i > self.begin else 0
            if not opening:
                self.rhythms.token(flow, size, gap_ns, arrival_ns)
            elif -SMALL <= size < 0 and gap_ns >= PAUSE_NS:
                opening = False
        if end < state.number:
            self.rhythms.miss(flow)
        return 0

    cdef int64_t _gap_ns(self, uint32_t flow, uint32_t i) noexcept nogil:
        return self.table.gap_at(flow, i) * NS_PER_MS // UNITS_PER_MS

    cdef void forget(self, uint32_t flow, FlowState* state) noexcept nogil:
        if state.flags & TIMED:
            self.rhythms.close(flow)

    cdef void tell(
        self, uint32_t flow, FlowState* state, FlowRow* row, Result* results, int64_t n
    ) noexcept nogil:
        """Where the rhythm knows better, put what it says into n results of the flow."""
        cdef Judgement said = self._judgement(flow, state, row)
        cdef int64_t one
        if said.why or said.hidden:
            for one in range(n):
                results[one].actor, results[one].why = said.actor, said.why
                results[one].pauses = <uint8_t>min(said.pauses, 255)
                results[one].median_cs = <uint16_t>said.median_cs

    cdef tuple who(self, uint32_t flow, FlowState* state, FlowRow* row, object unless):
        """(actor, why in words); `unless` the rhythm knows better, (what signatures say, "")."""
        cdef Judgement said = self._judgement(flow, state, row)
        if said.why == 0:
            return None if said.hidden else unless, ""
        why = words(said.why, min(said.pauses, MOST_PAUSES), said.median_cs)
        return Reason(said.why).actor, why

    cdef Judgement _judgement(self, uint32_t flow, FlowState* state, FlowRow* row) noexcept nogil:
        """What the rhythm says, if it is to be heard."""
        cdef Judgement said
        cdef bint over = state.flags & (STARTED | ENDED) == (STARTED | ENDED)
        memset(&said, 0, sizeof(Judgement))
        if not (state.flags & TIMED or over) or not self.dossiers.by_hand(state):
            return said
        if state.flags & TIMED:
            said = self.rhythms.judge(flow, over, self.dossiers.in_tunnel(state))
        if over and not (said.why or said.hidden or said.partial or said.pauses):
            if self._never_paused(state, row):
                said.why, said.actor = NO_PAUSE, BOT
        if over and said.why == QUICK_PAUSES and self._left(state, row):
            said.why, said.actor = LEFT, HUMAN
        if said.pauses < ENOUGH and not said.hidden and self.dossiers.knows_actor(state):
            said.why = 0
        return said

    cdef bint _left(self, FlowState* state, FlowRow* row) noexcept nogil:
        """Whether somebody who was asked for a password once more took time to leave, of a finished flow."""
        cdef int64_t pause_ns = row.last_ns - state.arrival_ns
        if state.flags & FROM_CLIENT or not self.dossiers.asked_again(state):
            return False
        return LEAVING_NS <= pause_ns < GRACE_NS

    cdef bint _never_paused(self, FlowState* state, FlowRow* row) noexcept nogil:
        """Whether nobody took the time to read or to type anything, of a finished flow.

        In a short one, a pause before the last token or before the end may be all that a person did.
        """
        if state.flags & PROTOCOL != TCP * PROTOCOL_1:
            return False
        if state.number >= A_DIALOGUE:
            return True
        return not state.flags & TIMED and row.last_ns - state.arrival_ns < PAUSE_NS
