# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Adoption: a matcher takes over all open flows of another one of the same table.

What the old one has identified and is still in the new set, by id, stays so without a new result; what it
has not, and the tokens that the table has stored say, is given now, at the time reached.  Of a flow with
more tokens than stored, only what was identified is kept, and it goes on as if begun in the middle.
The rhythms of clients go over as they are; one that the new set is the first to turn is made from what is
stored.

    adoption = Adoption(new, old)
    more = True
    while more:
        more = adoption.run()
        use(new.results)

Begin and end it between two batches, with the table's lock held; the old one is not to be used any more.

SAFETY: both matchers have as many rows as the table; signatures are renumbered by their ids.
"""

import numpy as np

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memset

from fl0p_py.flow.gap cimport NS_PER_MS, UNITS_PER_MS
from fl0p_py.flow.record cimport TOKEN, TokenEvent
from fl0p_py.signature.dossier cimport Entry
from fl0p_py.signature.matcher cimport N_RESULTS, RING, ROOM, Matcher
from fl0p_py.signature.state cimport ENDED, FROM_CLIENT, STARTED, TIMED, WAITING, FlowState


cdef class Adoption:
    cdef Matcher new, old
    cdef const int64_t[::1] renamed     # our number for each of its signatures; -1: not here
    cdef int64_t adopted                # rows done
    cdef list waiting                   # (due, row, threshold, the one before) of timers to be set

    def __init__(self, Matcher new not None, Matcher old not None):
        if new.table is None or old.table is not new.table:
            raise ValueError("a matcher takes over from one of the same table")
        if old.at_event < old.n_events or old.finished or new.at_event < new.n_events:
            raise ValueError("flows are taken over between two batches, after release()")
        numbers = {name: number for number, name in enumerate(new.names())}
        self.renamed = np.array([numbers.get(name, -1) for name in old.names()], np.int64)
        self.new, self.old, self.waiting = new, old, []
        new.clock_ns = old.clock_ns
        new.dropped_before = old.overflow
        new.rhythms = new.actors.rhythms = old.rhythms

    def run(self):
        """Go on; True: use the new matcher's results, then call again."""
        cdef bint more
        self.new.n_results, self.new.delivered = 0, True
        with nogil:
            more = self._adopt()
        if more:
            return True
        for due_ns, row, threshold, before in sorted(self.waiting):     # lists of timers are in this order
            self.new.timers.arm(&self.new.states[<uint32_t>row], row, threshold, before, due_ns)
        self.new.dossiers.forget_past()
        return False

    cdef bint _adopt(self) except -1 nogil:
        """True if the room for results did not suffice."""
        cdef bint done
        while self.adopted < self.old.states.shape[0]:
            if self.old.states[self.adopted].number:
                self.new.dossiers.open_past(
                    self.old.dossiers, &self.old.states[self.adopted], self.renamed
                )
                done = self._replay(self.adopted)
                self.new.dossiers.close_past()
                if not done:
                    return True
            self.adopted += 1
        return False

    cdef bint _replay(self, uint32_t row) except -1 nogil:
        """Feed the flow's stored tokens as far as the old matcher has seen them; False: no more room."""
        cdef FlowState* was = &self.old.states[row]
        cdef FlowState* state = &self.new.states[row]
        cdef TokenEvent event
        event.flow, event.kind, event.ts_ns = row, TOKEN, self.new.clock_ns
        if was.number > self.new.stored and state.number == 0:
            event.number = 1
            self.new._begin(&event, state)
            self._inherit(row)
        while state.number < was.number:
            if self.new.n_results + ROOM > N_RESULTS:
                return False
            event.number = state.number + 1
            event.size = self.new.table.token_at(row, state.number)
            event.gap_ns = self.new.table.gap_at(row, state.number) * NS_PER_MS // UNITS_PER_MS
            event.arrival_ns = was.arrival_ns
            self.new._token(&event, state)
        self.new.actors.replayed(row, state)
        state.flags |= was.flags & TIMED
        if self.new.n_results + ROOM > N_RESULTS:
            return False
        self._resume(row)
        return True

    cdef int _inherit(self, uint32_t row) except -1 nogil:
        """Keep what was identified on a flow whose tokens are not all stored; the rest is unknown."""
        cdef FlowState* was = &self.old.states[row]
        cdef FlowState* state = &self.new.states[row]
        cdef Entry* entry = self.old.dossiers.first_entry(was)
        cdef uint32_t number = 0
        while entry:
            if entry.number != number:
                number = state.number = entry.number
                self.new.dossiers.recall_at(number)
                self.new._settle(row, state, entry.ts_ns)
            entry = self.old.dossiers.next_entry(entry)
        state.flags = state.flags & ~(STARTED | FROM_CLIENT) | was.flags & FROM_CLIENT
        state.number = was.number
        self.new._new_ring(state)
        memset(&self.new.rings[state.ring - 1, 0], 0, RING * sizeof(self.new.rings[0, 0]))
        return 0

    cdef int _resume(self, uint32_t row) except -1 nogil:
        """After the last token: the end if it was seen, else silence, and a timer for more of it."""
        cdef FlowState* was = &self.old.states[row]
        cdef FlowState* state = &self.new.states[row]
        cdef int passed = self.new._passed(self.new.clock_ns - was.arrival_ns), next
        state.arrival_ns = was.arrival_ns
        self.new.dossiers.keep_attempts(state, self.old.dossiers.attempts_of(was))
        if was.flags & ENDED:
            self.new._end_tunnel(row, state, passed, True)
            self.new.machine.end(state, passed, True)
            self.new._settle(row, state, self.new.clock_ns)
            state.flags = state.flags & ~WAITING | ENDED
        elif state.flags & WAITING:
            self.new.machine.silence(state, passed)
            self.new._settle(row, state, self.new.clock_ns)
            next = self.new.machine.awaited(state, passed)
            if next >= 0:
                with gil:
                    self.waiting.append((was.arrival_ns + self.new.thresholds[next], row, next, passed - 1))
        return 0
