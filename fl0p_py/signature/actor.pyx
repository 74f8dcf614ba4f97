# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Who works a flow: what signatures say of it, overruled by the rhythm of its client.

The rhythm is followed from the first small token behind a pause on, of TCP only, and asked only where
somebody may be typing (`hands.py`).  It overrules once it has seen enough pauses, or when all of the flow was
seen and no signature speaks of the actor, or none that can be trusted.

SAFETY: rows are the matcher's.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from fl0p_py.flow.record cimport FlowRow, TokenEvent
from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.record cimport Result
from fl0p_py.signature.state cimport ENDED, PROTOCOL, PROTOCOL_1, STARTED, TCP, TIMED, FlowState
from fl0p_py.timing.reason import MOST_PAUSES, Reason, words
from fl0p_py.timing.rhythm cimport ENOUGH, NO_PAUSE, PAUSE_NS, Judgement, Rhythms

cdef enum:
    A_DIALOGUE = 7          # tokens of a flow that is more than a greeting and an answer
    BOT = 2                 # Result.actor


cdef class Actors:
    """Of a matcher's flows, by row."""

    def __init__(self, Dossiers dossiers not None, Rhythms rhythms not None):
        self.dossiers, self.rhythms = dossiers, rhythms

    cdef int follow(self, TokenEvent* event, FlowState* state) except -1 nogil:
        """The first small token behind a pause, of TCP: where people may be at work."""
        if event.number > 1 and state.flags & PROTOCOL == TCP * PROTOCOL_1:
            self.rhythms.open(event.flow)
            self.rhythms.token(event.flow, event.size, event.gap_ns, event.arrival_ns)
            state.flags |= TIMED
        return 0

    cdef int turn(self, uint32_t flow, FlowState* state) except -1 nogil:
        """Something was identified: if it is worked from the server's end, follow that one from now on."""
        if self.dossiers.from_server(state):
            state.flags |= TIMED
            self.rhythms.turn(flow)
        return 0

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
        if over and not said.why and not said.hidden and said.pauses == 0 and self._never_paused(state, row):
            said.why, said.actor = NO_PAUSE, BOT
        if said.pauses < ENOUGH and not said.hidden and self.dossiers.knows_actor(state):
            said.why = 0
        return said

    cdef bint _never_paused(self, FlowState* state, FlowRow* row) noexcept nogil:
        """Whether nobody took the time to read or to type anything, of a finished flow.

        In a short one, a pause before the last token or before the end may be all that a person did.
        """
        if state.flags & PROTOCOL != TCP * PROTOCOL_1:
            return False
        if state.number >= A_DIALOGUE:
            return True
        return not state.flags & TIMED and row.last_ns - state.arrival_ns < PAUSE_NS
