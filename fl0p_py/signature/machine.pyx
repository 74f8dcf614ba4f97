# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The machine: threads that follow a flow where a signature cannot be decided from its last tokens.

A thread stands at a position of a signature's automaton and is stepped by every token, by silence,
and by the end.  Threads are started by branches of the filter: where the plain beginning of a pattern
has matched, where the whole of it has and only a trailing `+` or `>` is left, or where the first two
items have and the next token is one of those behind them (the thread then *chases*: it stands at an
item, and the rest may be found with edits).

Pike, in Thompson's tradition: all threads of a flow go forward together, two that have come to the
same place become one, so a step costs at most the number of positions, never a power of it.  Bounds:
MOST_THREADS a flow, MOST_POOL in all; threads beyond are dropped and counted in `overflow`.

Edits, of which a branch has a small budget: a token too many is passed over, a missing item is
skipped, a gap that should (not) be there is accepted.  The first two items and the last are never
edited, nor is a token passed over between the first two and what follows them.  A chase that is
complete waits while another chase of the same branch with fewer edits goes on, so that nothing is
called fuzzy that turns out exact a token later.

SAFETY: positions, edges, items and branches come from the compiler, which numbers them itself; links
come from the pool.
"""

import numpy as np

from libc.stdint cimport int32_t, uint8_t, uint32_t

from fl0p_py.pool import doubled
from fl0p_py.signature.dossier cimport Dossiers
from fl0p_py.signature.state cimport (
    AFTER_ANY, AFTER_GROUP, ANY_GAP, AT_CLOSE, AT_END, AT_SILENCE, AT_SILENT_END, AT_TOKEN, CHASE, NO_GAP,
    ROUNDS, Branch, Edge, FlowState, Item, Position, Rule,
)

cdef enum:
    CHASING = 0x80000000
    MOST_THREADS = 256      # a flow; ten thousand signatures with bursts start fewer at a token
    MOST_POOL = 1 << 21     # 50 MB


cdef class Machine:
    """positions, edges, items, branches, rules : the compiled signatures, see state.pxd."""

    def __init__(self, positions, edges, items, branches, rules, Dossiers dossiers):
        cdef Thread thread
        self.positions, self.edges, self.items = positions, edges, items
        self.branches, self.rules, self.dossiers = branches, rules, dossiers
        self.pool = np.zeros(256, np.asarray(<Thread[:1]>&thread).dtype)
        self.mark_epoch = np.zeros(len(positions) + 1, np.uint32)
        self.mark_thread = np.zeros(len(positions) + 1, np.uint32)

    # Steps.  Each takes the flow's list apart and makes a new one.

    cdef int token(self, FlowState* state, Token* token) except -1 nogil:
        """Step all threads of the flow by a token; `begin` was called before, `seed` may be called after."""
        cdef uint32_t at = state.threads, next
        cdef bint same_run = token.passed == 0 and token.before == token.direction
        cdef Thread thread
        while at:
            next = self.pool[at - 1].next
            if same_run and self._stays(&self.pool[at - 1]):
                self._go_on(at, token)
            else:
                thread = self.pool[at - 1]
                self._release(at)   # so that its place, which is in the cache, is the next one taken
                if thread.at & CHASING:
                    self._chase(&thread, token)
                else:
                    self._step(state, &thread, token)
            at = next
        state.threads = self.head
        if self.done:
            self._settle(state)
        return 0

    cdef int seed(self, FlowState* state, uint32_t branch, Token* token, uint32_t cost) except -1 nogil:
        """Start a thread where a branch has matched, its last token being `token`."""
        cdef Branch* seed = &self.branches[branch]
        cdef Position* position
        cdef int32_t sums[2]
        sums[0] = sums[1] = 0
        self.head = state.threads
        if seed.action == CHASE:
            self._follow(seed.argument, cost, 0, token)
        else:
            position = &self.positions[seed.argument]
            if position.final & AT_TOKEN:
                self.dossiers.complete(position.signature, token.number, cost, 0)
            if position.slot:
                sums[position.slot - 1] = token.size
            if position.edges or position.final & ~AT_TOKEN:
                self._push(seed.argument, sums, cost, 0, token.before)
        state.threads = self.head
        return 0

    cdef int close(self, FlowState* state, Token* token) except -1 nogil:
        """A token has come, which may end bursts; what that completes was complete before the token."""
        cdef uint32_t at = state.threads
        cdef Position* position
        cdef Thread* thread
        while at:
            thread = &self.pool[at - 1]
            at = thread.next
            if thread.at & CHASING:
                continue
            position = &self.positions[thread.at]
            if position.final & AT_CLOSE and self._over(
                position, position.open, token, token.passed > position.threshold
            ):
                self._finish(state, thread, position, state.number)
        return 0

    cdef int silence(self, FlowState* state, int passed) except -1 nogil:
        """The first `passed` thresholds have passed since the last token."""
        cdef uint32_t at = state.threads
        cdef Position* position
        cdef Thread* thread
        while at:
            thread = &self.pool[at - 1]
            at = thread.next
            if thread.at & CHASING:
                continue
            position = &self.positions[thread.at]
            if position.final & (AT_SILENCE | AT_CLOSE) and position.threshold < passed:
                self._finish(state, thread, position, state.number)
        return 0

    cdef int end(self, FlowState* state, int passed, bint seen) except -1 nogil:
        """Nothing more will come, which ends bursts; `seen` if the flow's end was, too."""
        cdef uint32_t at = state.threads
        cdef Position* position
        cdef Thread* thread
        cdef uint8_t wanted
        while at:
            thread = &self.pool[at - 1]
            at = thread.next
            if thread.at & CHASING:
                self._complete_chase(thread)
                continue
            position = &self.positions[thread.at]
            wanted = AT_CLOSE
            if seen:
                wanted |= AT_END
                if position.threshold < passed:
                    wanted |= AT_SILENT_END
            if position.final & wanted:
                self._finish(state, thread, position, state.number)
        return self.free(state)

    cdef int awaited(self, FlowState* state, int passed) except -2 nogil:
        """The lowest threshold above the first `passed` for whose silence a thread waits; -1 if none does."""
        cdef uint32_t at = state.threads
        cdef int lowest = -1, threshold
        cdef Position* position
        while at:
            if not self.pool[at - 1].at & CHASING:
                position = &self.positions[self.pool[at - 1].at]
                if position.final & (AT_SILENCE | AT_CLOSE):
                    threshold = position.threshold
                    if threshold >= passed and (lowest < 0 or threshold < lowest):
                        lowest = threshold
            at = self.pool[at - 1].next
        return lowest

    cdef int drop(self, FlowState* state) except -1 nogil:
        """Free the threads of signatures whose completion is pending, and chases that could set nothing
        any more."""
        cdef uint32_t at = state.threads, next
        state.threads = 0
        while at:
            next = self.pool[at - 1].next
            if self._ends_with(state, &self.pool[at - 1]):
                self._release(at)
            else:
                self.pool[at - 1].next = state.threads
                state.threads = at
            at = next
        return 0

    cdef int free(self, FlowState* state) except -1 nogil:
        """Free all threads of the flow."""
        cdef uint32_t at = state.threads, next
        while at:
            next = self.pool[at - 1].next
            self._release(at)
            at = next
        state.threads = 0
        return 0

    # One thread.

    cdef int _step(self, FlowState* state, Thread* thread, Token* token) except -1 nogil:
        """Follow the edges of the thread's position that take the token."""
        cdef Position* here = &self.positions[thread.at]
        cdef Position* there
        cdef Edge* edge
        cdef uint32_t one, begin = here.edge, end = here.edge + here.client_edges
        cdef bint gap = token.passed > here.threshold
        cdef int32_t sums[2]
        cdef int cost, slot, before
        if token.direction < 0:
            begin, end = end, here.edge + here.edges
        for one in range(begin, end):
            edge = &self.edges[one]
            if not edge.low <= token.size <= edge.high:
                continue
            if edge.condition != ANY_GAP and gap != (edge.condition != NO_GAP):
                continue
            there = &self.positions[edge.to]
            cost = thread.cost
            sums[0], sums[1] = thread.sums[0], thread.sums[1]
            if edge.extend:
                slot = there.slot - 1
                if there.open_high[slot] - sums[slot] < token.size:
                    continue
                sums[slot] += token.size
            else:
                if edge.close:
                    if not self._over(here, edge.close, token, gap):
                        continue
                    slot = self._sums_fit(here, edge.close, sums)
                    if slot < 0:
                        continue
                    cost += slot
                    for slot in range(2):
                        if edge.close >> slot & 1:
                            sums[slot] = 0
                if there.slot == 0:
                    cost += not there.exact_low <= token.size <= there.exact_high
                else:
                    if not gap and not self._begins(edge.begin, thread.before, token):
                        continue
                    sums[there.slot - 1] = token.size
            if here.shared and not there.shared and self._may_not_again(state, there.signature):
                continue    # it begins at the flow's start
            if there.final & AT_TOKEN:
                self.dossiers.complete(there.signature, token.number, cost, thread.edits)
            if there.edges or there.final & ~AT_TOKEN:
                before = token.before if edge.enters else thread.before
                self._push(edge.to, sums, cost, thread.edits, before)
        return 0

    cdef bint _may_not_again(self, FlowState* state, uint32_t signature) noexcept nogil:
        """Whether the signature has matched, and may not do so from the same beginning."""
        return self.rules[signature].count != ROUNDS and self.dossiers.matched(state, signature)

    cdef bint _stays(self, Thread* thread) noexcept nogil:
        """Whether a token of the same run can but lengthen the burst that is open."""
        return not thread.at & CHASING and self.positions[thread.at].goes_on

    cdef int _go_on(self, uint32_t at, Token* token) except -1 nogil:
        """Most tokens of a long flow do nothing but lengthen bursts: the thread stays where it is.

        No other thread can come to its place by such a token, so there is nothing to compare it with.
        """
        cdef Thread* thread = &self.pool[at - 1]
        cdef Position* here = &self.positions[thread.at]
        cdef int slot = here.slot - 1
        if here.open_high[slot] - thread.sums[slot] < token.size:
            return self._release(at)
        thread.sums[slot] += token.size
        thread.next = self.head
        self.head = at
        self.n_threads += 1
        self.finals |= here.final
        return 0

    cdef bint _begins(self, uint8_t rule, int before, Token* token) noexcept nogil:
        """Whether a token without a gap before it may begin a burst, by the token that it follows."""
        if rule == AFTER_ANY:
            return token.before != token.direction
        return rule == AFTER_GROUP and before != token.direction

    cdef bint _over(self, Position* here, uint8_t slots, Token* token, bint gap) noexcept nogil:
        """Whether the bursts of these slots cannot go on with the token."""
        cdef int slot
        for slot in range(2):
            if slots >> slot & 1 and here.open_direction[slot] == token.direction and not gap:
                return False
        return True

    cdef int _sums_fit(self, Position* here, uint8_t slots, int32_t* sums) noexcept nogil:
        """-1 if the sum of one of these slots is out of its bounds, else how many needed tolerance."""
        cdef int slot, cost = 0
        for slot in range(2):
            if slots >> slot & 1:
                if not here.open_low[slot] <= sums[slot] <= here.open_high[slot]:
                    return -1
                cost += not here.open_exact_low[slot] <= sums[slot] <= here.open_exact_high[slot]
        return cost

    cdef int _finish(
        self, FlowState* state, Thread* thread, Position* position, uint32_t number
    ) except -1 nogil:
        """Complete the signature if the sums of the bursts that are open are right."""
        cdef int cost = self._sums_fit(position, position.open, thread.sums)
        if cost >= 0:
            self.dossiers.complete(position.signature, number, thread.cost + cost, thread.edits)
        return 0

    cdef int _chase(self, Thread* thread, Token* token) except -1 nogil:
        """Compare the token with the next items of the branch, or pass over it, as the budget allows."""
        cdef uint32_t here = thread.at & ~<uint32_t>CHASING
        if self.items[here].behind == 0:
            self.done = True
            return self._push_chase(here, thread.cost, thread.edits, thread.sums[0])
        self._follow(here, thread.cost, thread.edits, token)
        if thread.edits < self.items[here].budget:
            self._push_chase(here, thread.cost, thread.edits + 1, 0)
        return 0

    cdef int _follow(self, uint32_t here, uint32_t cost, uint32_t edits, Token* token) except -1 nogil:
        """Go from an item that has matched to those behind it that the token matches."""
        cdef Item* item = &self.items[here]
        cdef uint32_t budget = item.budget, last = here + item.behind, there, new_edits, new_cost
        cdef bint gap = token.passed > item.threshold
        cdef int32_t size = token.size * token.direction
        cdef Branch* branch
        cdef int32_t sums[2]
        for there in range(here + 1, min(last, here + 1 + budget - edits) + 1):
            item = &self.items[there]
            if not item.low <= size <= item.high:
                continue
            new_edits = edits + (there - here - 1)
            if item.condition != ANY_GAP and gap != (item.condition != NO_GAP):
                new_edits += 1
                if there == last or new_edits > budget:
                    continue
            new_cost = cost + (not item.exact_low <= size <= item.exact_high)
            if there < last:
                self._push_chase(there, new_cost, new_edits, 0)
            elif new_edits:
                branch = &self.branches[item.branch]
                if branch.trailing:
                    sums[0] = sums[1] = 0
                    self._push(branch.wait, sums, new_cost, new_edits, 0)
                else:
                    self.done = True
                    self._push_chase(there, new_cost, new_edits, token.number)
        return 0

    cdef int _settle(self, FlowState* state) except -1 nogil:
        """Complete the chases that have come to their last item, unless one of the same branch with
        fewer edits is under way."""
        cdef uint32_t at = state.threads, other, branch
        cdef bint waits
        while at:
            if self._is_done(&self.pool[at - 1]):
                branch = self.items[self.pool[at - 1].at & ~<uint32_t>CHASING].branch
                waits = False
                other = state.threads
                while other and not waits:
                    waits = (
                        self.pool[other - 1].at & CHASING
                        and self.items[self.pool[other - 1].at & ~<uint32_t>CHASING].branch == branch
                        and self.pool[other - 1].edits < self.pool[at - 1].edits
                        and not self._is_done(&self.pool[other - 1])
                    )
                    other = self.pool[other - 1].next
                if not waits:
                    self._complete_chase(&self.pool[at - 1])
            at = self.pool[at - 1].next
        return 0

    cdef bint _is_done(self, Thread* thread) noexcept nogil:
        return thread.at & CHASING and self.items[thread.at & ~<uint32_t>CHASING].behind == 0

    cdef int _complete_chase(self, Thread* thread) except -1 nogil:
        cdef uint32_t item = thread.at & ~<uint32_t>CHASING
        if self._is_done(thread):
            self.dossiers.complete(
                self.branches[self.items[item].branch].signature, thread.sums[0], thread.cost, thread.edits
            )
        return 0

    cdef bint _ends_with(self, FlowState* state, Thread* thread) noexcept nogil:
        """Whether the thread has nothing left to do once what is pending has completed."""
        cdef uint32_t signature
        if thread.at & CHASING:
            signature = self.branches[self.items[thread.at & ~<uint32_t>CHASING].branch].signature
            if self.dossiers.hopeless(state, signature):
                return True
        elif self.positions[thread.at].shared:
            return False
        else:
            signature = self.positions[thread.at].signature
        return self.rules[signature].count != ROUNDS and self.dossiers.is_pending(signature)

    cdef bint is_shared(self, uint32_t position) noexcept nogil:
        """Whether a thread that starts there works for several signatures."""
        return self.positions[position].shared

    # The list being made, and the pool.

    cdef void _forget_epochs(self) noexcept nogil:
        """The count went round: marks of long ago would look new."""
        cdef Py_ssize_t item
        self.epoch = 1
        self.mark_epoch[:] = 0
        for item in range(self.items.shape[0]):
            self.items[item].epoch = 0

    cdef int _push(
        self, uint32_t at, int32_t* sums, uint32_t cost, uint32_t edits, int before
    ) except -1 nogil:
        """Add a thread to the new list; where one like it stands, the better of the two remains."""
        cdef uint32_t thread
        cdef Thread* found
        self.finals |= self.positions[at].final
        if self.mark_epoch[at] == self.epoch:
            found = &self.pool[self.mark_thread[at] - 1]
            if found.sums[0] == sums[0] and found.sums[1] == sums[1] and found.before == before:
                if edits < found.edits or (edits == found.edits and cost < found.cost):
                    found.edits, found.cost = edits, cost
                return 0
        thread = self._new(at, cost, edits)
        if thread:
            found = &self.pool[thread - 1]
            found.sums[0], found.sums[1], found.before = sums[0], sums[1], before
            self.mark_epoch[at], self.mark_thread[at] = self.epoch, thread
        return 0

    cdef int _push_chase(self, uint32_t item, uint32_t cost, uint32_t edits, uint32_t number) except -1 nogil:
        """The same for a chase; number : of the token at which it was complete, or 0."""
        cdef Item* here = &self.items[item]
        cdef uint32_t thread
        cdef Thread* found
        if here.epoch == self.epoch:
            found = &self.pool[here.thread - 1]
            if edits < found.edits or (edits == found.edits and cost < found.cost):
                found.edits, found.cost, found.sums[0] = edits, cost, number
            return 0
        thread = self._new(item | CHASING, cost, edits)
        if thread:
            self.pool[thread - 1].sums[0] = number
            here.epoch, here.thread = self.epoch, thread
        return 0

    cdef uint32_t _new(self, uint32_t at, uint32_t cost, uint32_t edits) except? 0 nogil:
        """Put a thread from the pool on the new list; its index + 1, or 0 if a bound is reached."""
        cdef uint32_t thread = self.free_thread
        cdef Thread* new
        if self.n_threads == MOST_THREADS or (thread == 0 and self.used == MOST_POOL):
            self.overflow += 1
            return 0
        if thread:
            self.free_thread = self.pool[thread - 1].next
        else:
            if self.used == <uint32_t>self.pool.shape[0]:
                with gil:
                    self.pool = doubled(self.pool)
            self.used += 1
            thread = self.used
        new = &self.pool[thread - 1]
        new.at, new.cost, new.edits, new.next = at, cost, edits, self.head
        self.head = thread
        self.n_threads += 1
        return thread

    cdef int _release(self, uint32_t thread) noexcept nogil:
        self.pool[thread - 1].next = self.free_thread
        self.free_thread = thread
        return 0


def _dtypes():
    cdef Item item
    cdef Branch branch
    cdef Rule rule
    cdef Position position
    cdef Edge edge
    return {
        "Item": np.asarray(<Item[:1]>&item).dtype,
        "Branch": np.asarray(<Branch[:1]>&branch).dtype,
        "Rule": np.asarray(<Rule[:1]>&rule).dtype,
        "Position": np.asarray(<Position[:1]>&position).dtype,
        "Edge": np.asarray(<Edge[:1]>&edge).dtype,
    }


DTYPES = _dtypes()
"""numpy dtypes of the compiled signatures' records (state.pxd), by name."""
