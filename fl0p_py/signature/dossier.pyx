# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What the signatures that completed say of each flow: identifications, facets, attempts.

Several signatures may complete at one event.  They are taken in this order: those without edits,
the more specific, the better score, the earlier in the files.  Each may set the facets that it
speaks for:

    facet        held by nobody    held since an earlier event           set at this event already
    outcome      set               another value: set                    kept
    others       set               another value, more specific: set     kept

("set" at this event: spoken for by a signature before it in that order.)
A match with edits never replaces one without; one without always replaces one with.  A match with
edits that could set nothing is not even noted.  A signature that sets nothing is *lost*, unless it
counts an attempt.  A signature that speaks for no facet speaks for itself: it is lost only if
another one completed before it at the same event.  Several counting signatures at one event count
one attempt.

Bounds: MOST_ENTRIES identifications a flow (then only counting goes on) and MOST_PENDING a event;
what is dropped is counted in `overflow`.

SAFETY: indices into the pools come from the pools' own links; signatures from the compiler.
"""

import numpy as np

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

from fl0p_py.pool import doubled
from fl0p_py.signature.pattern import FACETS
from fl0p_py.signature.record cimport FINISHED, IDENTIFIED, Result
from fl0p_py.signature.state cimport OPENS, FlowState, Rule
from fl0p_py.signature.verdict import Identification

cdef enum:
    N_FACETS = 6
    CLASS = 0
    OUTCOME = 1
    ACTIVITY = 2
    ACTOR = 3
    TUNNEL = 4
    MOST_ENTRIES = 32
    TOLERANCE_COST = 20     # hundredths of an item for a size that needed tolerance
    EDIT_COST = 100         # for a token too many, missing, or with another gap
    FROM_SERVER = 2         # see hands.py
    PASSED_ON = 3
    LOGGED_IN = 1
    ASKED_AGAIN = 2
    ITSELF = 1 << N_FACETS  # in a mask of facets: the signature itself

assert FACETS == ("class", "outcome", "activity", "actor", "tunnel", "prompt")


cdef class Dossiers:
    """rules : the compiled signatures, in file order; hands : see hands.py."""

    def __init__(self, rules, hands):
        cdef Dossier dossier
        cdef Entry entry
        self.rules, self.hands = rules, hands
        self.hello = np.argmax(rules["count"] == OPENS) if len(rules) else 0
        self.known = np.zeros(len(rules), np.uint8)
        self.pool = np.zeros(256, np.asarray(<Dossier[:1]>&dossier).dtype)
        self.entries = np.zeros(256, np.asarray(<Entry[:1]>&entry).dtype)

    cdef int complete(
        self, uint32_t signature, uint32_t consumed, uint32_t cost, uint32_t edits
    ) except -1 nogil:
        """Note that a signature has completed; `judge` decides what it is worth.

        cost : tokens or bursts whose size needed tolerance
        """
        cdef Rule* rule = &self.rules[signature]
        cdef uint32_t penalty = (cost * TOLERANCE_COST + edits * EDIT_COST) // rule.items
        cdef Completion done
        if rule.count == OPENS:
            self.opened |= <uint32_t>1 << (signature - self.hello)
            return 0
        if self.recalling and self.known[signature]:
            return 0    # it comes by `recall`, when its time has come
        done.ts_ns, done.signature, done.consumed, done.edits = 0, signature, consumed, edits
        done.fuzzy = cost > 0 or edits > 0
        done.score = 100 if not done.fuzzy else 99 if penalty < 1 else 1 if penalty > 98 else 100 - penalty
        return self._note(&done)

    cdef int open_past(self, Dossiers past, FlowState* was, const int64_t[::1] renamed) except -1 nogil:
        """Until `close_past`: the tokens of a flow come again, of which another set's dossiers know.

        renamed : this set's number for each of the other's signatures; -1: it is not here
        """
        with gil:
            self.past, self.renamed = past, renamed
        self.was = was
        self.recalling = True
        self._set_known(1)
        return 0

    cdef int close_past(self) except -1 nogil:
        self._set_known(0)
        self.recalling = False
        return 0

    cdef forget_past(self):
        """After the last flow: let go of the other set's dossiers, which hold on to those before them."""
        self.past = self.renamed = None
        self.was = NULL

    cdef int _set_known(self, uint8_t known) except -1 nogil:
        """Say which signatures were identified on the flow."""
        cdef Entry* entry = self.past.first_entry(self.was)
        while entry:
            if self.renamed[entry.signature] >= 0:
                self.known[self.renamed[entry.signature]] = known
            entry = self.past.next_entry(entry)
        return 0

    cdef int recall_at(self, uint32_t number) except -1 nogil:
        """Note what was identified at this token."""
        cdef Entry* entry = self.past.first_entry(self.was)
        while entry:
            if entry.number == number and self.renamed[entry.signature] >= 0:
                self.recall(entry, <uint32_t>self.renamed[entry.signature])
            entry = self.past.next_entry(entry)
        return 0

    cdef int recall(self, Entry* entry, uint32_t signature) except -1 nogil:
        """Note what another matcher has identified; it is judged, but gives no result."""
        cdef Completion done
        done.ts_ns, done.signature, done.consumed = entry.ts_ns, signature, entry.consumed
        done.score, done.fuzzy, done.edits = <uint8_t>entry.score, <uint8_t>entry.fuzzy, <uint8_t>entry.edits
        return self._note(&done)

    cdef void keep_attempts(self, FlowState* state, uint32_t attempts) noexcept nogil:
        """There were as many attempts before, of which a full dossier does not know each."""
        cdef Dossier* dossier
        if state.dossier:
            dossier = &self.pool[state.dossier - 1]
            if dossier.entries == MOST_ENTRIES and dossier.attempts and dossier.attempts < attempts:
                dossier.attempts = attempts

    cdef int _note(self, Completion* done) except -1 nogil:
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].signature == done.signature:
                if not better(done, &self.pending[i]):
                    return 0
                self.n_pending -= 1
                while i < self.n_pending:
                    self.pending[i] = self.pending[i + 1]
                    i += 1
                break
        if self.n_pending == MOST_PENDING:
            self.overflow += 1
            if not self._before(done, &self.pending[MOST_PENDING - 1]):
                return 0
            self.n_pending -= 1
        i = self.n_pending
        self.n_pending += 1
        while i > 0 and self._before(done, &self.pending[i - 1]):
            self.pending[i] = self.pending[i - 1]
            i -= 1
        self.pending[i] = done[0]
        return 0

    cdef bint _before(self, Completion* one, Completion* other) noexcept nogil:
        """Whether `one` is taken before `other`."""
        cdef double bits = self.rules[one.signature].bits, others = self.rules[other.signature].bits
        if (one.edits == 0) != (other.edits == 0):
            return one.edits == 0
        if bits != others:
            return bits > others
        if one.score != other.score:
            return one.score > other.score
        return one.signature < other.signature

    cdef bint is_pending(self, uint32_t signature) noexcept nogil:
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].signature == signature:
                return True
        return False

    cdef int64_t barrier(self, FlowState* state, uint32_t signature) except -1 nogil:
        """The last token that a new match without edits must not use; NEVER if it may not match again."""
        cdef int64_t consumed = -1
        cdef uint32_t at
        cdef int i
        for i in range(self.n_pending):
            if self.pending[i].signature == signature and not self.pending[i].edits:
                consumed = self.pending[i].consumed
        if self._may_have(state, signature):
            at = self.pool[state.dossier - 1].first
            while at:
                if self.entries[at - 1].signature == signature and self.entries[at - 1].consumed > consumed:
                    consumed = self.entries[at - 1].consumed
                at = self.entries[at - 1].next
        if consumed < 0:
            return 0
        return consumed if self.rules[signature].count else NEVER

    cdef bint matched(self, FlowState* state, uint32_t signature) noexcept nogil:
        """Whether the signature has matched the flow at an earlier event."""
        cdef uint32_t at
        if self._may_have(state, signature):
            at = self.pool[state.dossier - 1].first
            while at:
                if self.entries[at - 1].signature == signature:
                    return True
                at = self.entries[at - 1].next
        return False

    cdef inline bint _may_have(self, FlowState* state, uint32_t signature) noexcept nogil:
        """Whether the flow may have an entry of the signature; mostly not, and then none is looked at."""
        return state.dossier and self.pool[state.dossier - 1].matched >> (signature % 64) & 1

    cdef int64_t judge(
        self, FlowState* state, uint32_t flow, int64_t ts_ns, Result[::1] results, int64_t at
    ) except -1 nogil:
        """Settle what is pending; write the results from index `at` on, and return the index after them.

        The caller has left room for MOST_PENDING results, and forgets what is pending afterwards.
        """
        cdef uint32_t taken = 0     # facets spoken for at this event
        cdef int64_t begin = at, one
        cdef Dossier* dossier
        cdef Completion* done
        cdef Result* result
        cdef bint lost, counted = False
        cdef int i
        if self.n_pending == 0:
            return at
        if not state.dossier:
            self._open(state)
        dossier = &self.pool[state.dossier - 1]
        for i in range(self.n_pending):
            done = &self.pending[i]
            if done.edits and self._unwanted(dossier, done.signature, taken):
                continue
            if dossier.entries >= MOST_ENTRIES and not self._again(dossier, done):
                self.overflow += 1
                continue
            lost = not self._claim(dossier, done, taken)
            taken |= self._facets(done.signature) | ITSELF
            if self.rules[done.signature].count and not counted:
                counted = True
                lost = False
                if dossier.attempts < 0xFFFF:
                    dossier.attempts += 1
            if not done.edits:
                dossier.sure = 1
            if dossier.entries < MOST_ENTRIES:
                self._enter(dossier, done, done.ts_ns or ts_ns, state.number, lost)
            if done.ts_ns:
                continue
            result = &results[at]
            at += 1
            result.ts_ns, result.flow, result.signature = ts_ns, flow, done.signature
            result.number, result.kind, result.score = state.number, IDENTIFIED, done.score
            result.fuzzy, result.lost, result.identified = done.fuzzy, lost, 1
        for one in range(begin, at):
            results[one].attempts = dossier.attempts
            results[one].actor = <uint8_t>dossier.value[ACTOR]
            results[one].why, results[one].pauses, results[one].median_cs = 0, 0, 0
        if dossier.entries == 0:
            self.free(state)
        return at

    cdef bint by_hand(self, FlowState* state) noexcept nogil:
        """Whether the flow, by what is known of it, may be worked by hand."""
        cdef Dossier* dossier
        cdef uint8_t activity
        if not state.dossier:
            return False
        dossier = &self.pool[state.dossier - 1]
        if self.hands[TUNNEL, dossier.value[TUNNEL]]:
            return True
        if dossier.value[CLASS]:
            return self.hands[CLASS, dossier.value[CLASS]]
        activity = self.hands[ACTIVITY, dossier.value[ACTIVITY]]
        return activity and activity != PASSED_ON

    cdef bint in_tunnel(self, FlowState* state) noexcept nogil:
        """Whether what is known of the flow is inside of something else."""
        return state.dossier and self.pool[state.dossier - 1].value[TUNNEL]

    cdef bint from_server(self, FlowState* state) noexcept nogil:
        """Whether it is the server's end of the flow that may be worked by hand."""
        if not state.dossier:
            return False
        return self.hands[ACTIVITY, self.pool[state.dossier - 1].value[ACTIVITY]] == FROM_SERVER

    cdef bint logged_in(self, FlowState* state) noexcept nogil:
        """Whether whoever works the flow has been let in."""
        return self._outcome(state) == LOGGED_IN

    cdef bint asked_again(self, FlowState* state) noexcept nogil:
        """Whether what was refused last may be tried again."""
        return self._outcome(state) == ASKED_AGAIN

    cdef uint8_t _outcome(self, FlowState* state) noexcept nogil:
        return self.hands[OUTCOME, self.pool[state.dossier - 1].value[OUTCOME]] if state.dossier else 0

    cdef bint passed_on(self, FlowState* state) noexcept nogil:
        """Whether what goes through the flow is another program's."""
        if not state.dossier:
            return False
        return self.hands[ACTIVITY, self.pool[state.dossier - 1].value[ACTIVITY]] == PASSED_ON

    cdef uint32_t known_before(self, FlowState* state) noexcept nogil:
        """Number of the token at which something was identified last, before the present one; 0: nothing."""
        cdef Entry* entry = self.first_entry(state)
        cdef uint32_t number = 0
        while entry:
            if entry.number < state.number:
                number = max(number, entry.number)
            entry = self.next_entry(entry)
        return number

    cdef bint knows_actor(self, FlowState* state) noexcept nogil:
        """Whether a signature has said who works the flow."""
        return state.dossier and self.pool[state.dossier - 1].value[ACTOR]

    cdef uint32_t _facets(self, uint32_t signature) noexcept nogil:
        """Mask of the facets that it speaks for."""
        cdef uint32_t mask = 0
        cdef int facet
        for facet in range(N_FACETS):
            if self.rules[signature].facets[facet]:
                mask |= <uint32_t>1 << facet
        return mask

    def chase(self, speak):
        """speak : bool[n, facets], what each signature that can match with edits speaks for."""
        self.chasing = int(speak.any(axis=0) @ (1 << np.arange(N_FACETS)))
        if not speak.any(axis=1).all():
            self.chasing |= ITSELF

    cdef bint chased(self, FlowState* state) noexcept nogil:
        """Whether no match with edits could set anything any more."""
        cdef Dossier* dossier
        cdef int facet
        if not state.dossier:
            return False
        dossier = &self.pool[state.dossier - 1]
        if self.chasing & ITSELF and not dossier.sure:
            return False
        for facet in range(N_FACETS):
            if self.chasing >> facet & 1 and (dossier.value[facet] == 0 or dossier.edited >> facet & 1):
                return False
        return True

    cdef bint hopeless(self, FlowState* state, uint32_t signature) noexcept nogil:
        """Whether a match with edits could set nothing by now."""
        return state.dossier and self._unwanted(&self.pool[state.dossier - 1], signature, 0)

    cdef bint _unwanted(self, Dossier* dossier, uint32_t signature, uint32_t taken) noexcept nogil:
        """Whether a match with edits can set nothing: a match without holds all that it speaks for."""
        cdef uint32_t mask = self._facets(signature)
        cdef int facet
        if mask == 0:
            return dossier.sure or taken != 0
        for facet in range(N_FACETS):
            if mask >> facet & 1 and not taken >> facet & 1:
                if dossier.value[facet] == 0 or dossier.edited >> facet & 1:
                    return False
        return True

    cdef bint _claim(self, Dossier* dossier, Completion* done, uint32_t taken) noexcept nogil:
        """Set the facets that it speaks for where the table above says so; whether any was set."""
        cdef Rule* rule = &self.rules[done.signature]
        cdef uint32_t mask = self._facets(done.signature)
        cdef bint won = mask == 0 and taken == 0, wins, edited
        cdef int facet
        for facet in range(N_FACETS):
            if not mask >> facet & 1 or taken >> facet & 1:
                continue
            edited = dossier.edited >> facet & 1
            if dossier.value[facet] == 0:
                wins = True
            elif edited != (done.edits > 0):
                wins = edited
            elif dossier.value[facet] == rule.facets[facet]:
                wins = False
            else:
                wins = facet == OUTCOME or rule.bits > self.rules[dossier.holder[facet]].bits
            if wins:
                won = True
                dossier.value[facet] = rule.facets[facet]
                dossier.holder[facet] = done.signature
                dossier.edited &= ~(1 << facet)
                dossier.edited |= (done.edits > 0) << facet
        return won

    cdef bint _again(self, Dossier* dossier, Completion* done) except -1 nogil:
        """For a full dossier: whether the signature counts and is noted already; notes how far it got."""
        cdef uint32_t at = dossier.first, found = 0
        while at:
            if self.entries[at - 1].signature == done.signature:
                found = at
            at = self.entries[at - 1].next
        if not found or not self.rules[done.signature].count:
            return False
        self.entries[found - 1].consumed = done.consumed
        return True

    cdef int _enter(
        self, Dossier* dossier, Completion* done, int64_t ts_ns, uint32_t number, bint lost
    ) except -1 nogil:
        cdef uint32_t at = self.free_entry
        cdef Entry* entry
        if at:
            self.free_entry = self.entries[at - 1].next
        else:
            if self.used_entries == <uint32_t>self.entries.shape[0]:
                with gil:
                    self.entries = doubled(self.entries)
            self.used_entries += 1
            at = self.used_entries
        entry = &self.entries[at - 1]
        entry.ts_ns, entry.signature = ts_ns, done.signature
        entry.number, entry.consumed = number, done.consumed
        entry.score, entry.fuzzy, entry.edits, entry.lost = done.score, done.fuzzy, done.edits, lost
        entry.next = 0
        if dossier.last:
            self.entries[dossier.last - 1].next = at
        else:
            dossier.first = at
        dossier.last = at
        dossier.entries += 1
        dossier.matched |= <uint64_t>1 << (done.signature % 64)
        return 0

    cdef int _open(self, FlowState* state) except -1 nogil:
        cdef uint32_t at = self.free_dossier
        if at:
            self.free_dossier = self.pool[at - 1].first
        else:
            if self.used_dossiers == <uint32_t>self.pool.shape[0]:
                with gil:
                    self.pool = doubled(self.pool)
            self.used_dossiers += 1
            at = self.used_dossiers
        memset(&self.pool[at - 1], 0, sizeof(Dossier))
        state.dossier = at
        return 0

    cdef int free(self, FlowState* state) except -1 nogil:
        """Forget the flow."""
        cdef Dossier* dossier
        if state.dossier:
            dossier = &self.pool[state.dossier - 1]
            if dossier.last:
                self.entries[dossier.last - 1].next = self.free_entry
                self.free_entry = dossier.first
            dossier.first = self.free_dossier
            self.free_dossier = state.dossier
            state.dossier = 0
        return 0

    cdef int finished(self, FlowState* state, Result* result) except -1 nogil:
        """Complete the FINISHED result of a flow."""
        result.signature, result.score, result.fuzzy, result.lost = 0, 0, 0, 0
        result.kind = FINISHED
        result.identified = state.dossier != 0
        result.attempts, result.actor = 0, 0
        result.why, result.pauses, result.median_cs = 0, 0, 0
        if state.dossier:
            result.attempts = self.pool[state.dossier - 1].attempts
            result.actor = <uint8_t>self.pool[state.dossier - 1].value[ACTOR]
        return 0

    cdef tuple values(self, uint32_t dossier):
        """(interned value of each facet, attempts) of a dossier, given by index + 1."""
        cdef Dossier* found = &self.pool[dossier - 1]
        cdef int facet
        return tuple([found.value[facet] for facet in range(N_FACETS)]), found.attempts

    cdef list identifications(self, uint32_t dossier):
        """The `Identification`s of a dossier, given by index + 1, in the order in which they happened."""
        cdef uint32_t at = self.pool[dossier - 1].first
        cdef Entry* entry
        found = []
        while at:
            entry = &self.entries[at - 1]
            found.append(
                Identification(
                    entry.signature, entry.number, entry.ts_ns,
                    entry.score, bool(entry.fuzzy), entry.edits, bool(entry.lost),
                )
            )
            at = entry.next
        return found


cdef bint better(Completion* one, Completion* other) noexcept nogil:
    """Of two completions of one signature at one event: one without edits, then the earlier, then the one
    with fewer edits."""
    if (one.edits == 0) != (other.edits == 0):
        return one.edits == 0
    if one.consumed != other.consumed:
        return one.consumed < other.consumed
    if one.edits != other.edits:
        return one.edits < other.edits
    return one.score > other.score
