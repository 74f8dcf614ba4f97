# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The matcher: token events of the flow table in, results out.

For each token: silence that has lasted until now, bursts that this token ends, threads that it moves
(`Machine`), branches that may end with it (`Filter`), these compared with the real sizes and gaps
(here), and what has completed settled facet by facet (`Dossiers`).  Silence is told by timers, which
packet time drives: the events of all flows, and `advance`.  So results do not depend on how the
packets were cut into batches, and they come in order of packet time.

    matcher.take(table.hand_over())
    more = True
    while more:
        more = matcher.run()
        use(matcher.results)    # valid until the next run()
    matcher.release()           # forgets flows whose FINISHED was given out

SAFETY: bounds checks are off in release builds.  Rows and event counts come from the flow table,
whose rows size `states` (`feed` checks them); everything else from the compiler.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset

from fl0p_py.fetch cimport fetch
from fl0p_py.flow.record cimport END, FINISH, ROW_START_SEEN, TOKEN, FlowRow, TokenEvent
from fl0p_py.flow.event_batch cimport EventBatch
from fl0p_py.flow.table cimport FlowTable
from fl0p_py.pool import doubled
from fl0p_py.signature.actor cimport Actors
from fl0p_py.signature.compiled import compile_set
from fl0p_py.signature.dossier cimport Dossiers, MOST_PENDING
from fl0p_py.signature.filter cimport Filter
from fl0p_py.signature.machine cimport Machine, Token
from fl0p_py.signature.hands import hands
from fl0p_py.signature.memory import in_lines
from fl0p_py.signature.pattern import Facets
from fl0p_py.signature.record cimport Result
from fl0p_py.signature.state cimport (
    CHASE, ENDED, FIRE, FROM_CLIENT, ICMP, LAST, OTHER_PROTOCOL, PROTOCOL, PROTOCOL_1, SEED, STARTED,
    TCP, TIMED, TUNNEL, UDP, WAITING,
    Branch, FlowState, Item, Rule,
)
from fl0p_py.signature.timer cimport Timer, Timers
from fl0p_py.signature.tunnel import carrier_table
from fl0p_py.signature.tunnels cimport Tunnels
from fl0p_py.signature.verdict import Verdict
from fl0p_py.timing.record cimport PAUSE_NS, SMALL
from fl0p_py.timing.rhythm cimport Rhythms

cdef enum:
    LONGEST_ANCHOR = 64     # an anchored branch ends at most at this token
    CHASE_WITHIN = 64       # chases begin within this many tokens of a flow
    AHEAD = 12              # events between asking for a state and using it
    NEAR = 4                # and for what it points to


cdef class Matcher:
    """Matches the flows of a table against a set of signatures.

    signatures   : SignatureSet
    table        : FlowTable whose events are given to `take`; None: they are given to `feed`, with rows
    threshold_ms : of `+`, for signatures that do not set their own
    fuzzy        : tolerance and edits
    results      : structured array of Result, valid until the next run()
    """

    def __init__(self, signatures, FlowTable table=None, *, threshold_ms=400, fuzzy=True, capacity=0):
        cdef FlowState state
        cdef Result result
        compiled = compile_set(signatures, threshold_ms=threshold_ms, fuzzy=fuzzy)
        self.dropped_before = {}
        self.signatures, self.compiled, self.table = signatures, compiled, table
        chases = compiled.branches["action"] == CHASE
        self.filter = Filter(
            compiled.class_of, compiled.lane_low, compiled.lane_high, compiled.others,
            compiled.class_of_port, compiled.port_classes, compiled.groups, chases,
        )
        anchored = np.flatnonzero(np.diff(compiled.groups)) % (LONGEST_ANCHOR + 1)
        self.longest_anchor = int(np.max(anchored, initial=0))
        items = compiled.items.copy()           # the machine leaves marks in them
        self.items, self.branches, self.rules = items, compiled.branches, compiled.rules
        self.ports, self.thresholds = compiled.ports, compiled.thresholds
        self.n_thresholds = len(compiled.thresholds)
        self.dossiers = Dossiers(compiled.rules, hands(compiled.facet_names))
        self.dossiers.chase(compiled.rules["facets"][compiled.branches["signature"][chases]] != 0)
        self.machine = Machine(
            compiled.positions, compiled.edges, items, compiled.branches, compiled.rules,
            self.dossiers,
        )
        self.timers = Timers()
        self.tunnels = Tunnels(
            compiled.positions, compiled.edges, compiled.rules, compiled.ports, self.dossiers,
            compiled.entries, compiled.variants, compiled.gates, carrier_table(),
            len(self.table.rows) if table else capacity,
        )
        if table is not None:
            capacity = len(self.table.rows)  # ended rows wait for release() beyond the capacity
            self.rows, self.stored = self.table.row, self.table.depth
        self.rhythms = Rhythms(capacity)
        self.actors = Actors(self.dossiers, self.rhythms, table)
        self.states = in_lines(capacity, np.asarray(<FlowState[:1]>&state).dtype)
        asked = compiled.branches["threshold"][compiled.branches["gap_care"] != 0]
        self.registers = 1 + int(np.max(asked, initial=0))
        self.more_gaps = np.zeros((capacity if self.registers > 1 else 0, self.registers), np.uint64)
        self.rings = np.zeros((64, RING), np.int32)
        self.all_results = np.zeros(N_RESULTS, np.asarray(<Result[:1]>&result).dtype)
        self.buffer = self.all_results

    # What Python calls.

    @property
    def results(self):
        return self.all_results[: self.n_results]

    @property
    def overflow(self):
        """What was dropped at a bound, by where; by those that this one has taken over from, too."""
        own = {
            "candidates": self.filter.overflow,
            "threads": self.machine.overflow,
            "identifications": self.dossiers.overflow,
            "tunnels": self.tunnels.overflow,
        }
        return {where: count + self.dropped_before.get(where, 0) for where, count in own.items()}

    @property
    def tunnels_sought(self):
        """(flows that began like a tunnel's, those of them into which patterns were followed)"""
        return self.tunnels.begun, self.tunnels.looked_into

    def feed(self, events, rows):
        """Take events from an array instead of a table; run() then works on them."""
        if len(events) and int(np.max(events["flow"])) >= len(self.states):
            raise ValueError("an event's row is beyond the matcher's capacity")
        self.rows, self.events = rows, events
        self.n_events, self.at_event = len(events), 0

    def take(self, EventBatch batch not None):
        """Take events that the table has handed over; run() then works on them."""
        self.events, self.n_events, self.at_event = batch.event, batch.n, 0

    def run(self):
        """Work on the events at hand until they or the room for results are used up; True: call again."""
        cdef bint more
        if self.delivered:
            self.n_results = 0
        self.delivered = True
        with nogil:
            more = self._run()
        if self.n_events and not more:
            self.clock_ns = max(self.clock_ns, self.events[self.n_events - 1].ts_ns)
        return more

    def advance(self, int64_t now_ns):
        """Packet time is at least `now_ns`: tell silence that has lasted until then.  Follow with run()."""
        if self.delivered:
            self.n_results = 0
            self.delivered = False
        self.clock_ns = max(self.clock_ns, now_ns)
        with nogil:
            while self.timers.next_due <= now_ns and self.n_results + MOST_PENDING <= N_RESULTS:
                self._fire_timer()

    def release(self):
        """Forget the flows whose FINISHED result was given out; call before the table releases their rows."""
        cdef uint32_t row = self.finished
        cdef FlowState* state
        while row:
            state = &self.states[row - 1]
            self.actors.forget(row - 1, state)
            row = state.threads
            self.dossiers.free(state)
            memset(state, 0, sizeof(FlowState))
        self.finished = 0

    def names(self):
        """What each signature is known by, in the order of its numbers."""
        return [(signature.id, signature.via) for signature in self.signatures.signatures]

    def verdict(self, uint32_t row):
        """The `Verdict` on the flow in a row."""
        if not self.states[row].dossier:
            return Verdict(Facets(), 0)
        values, attempts = self.dossiers.values(self.states[row].dossier)
        names = self.compiled.facet_names
        facets = Facets(*[names[i][value] for i, value in enumerate(values)])
        actor, why = self.actors.who(row, &self.states[row], &self.rows[row], facets.actor)
        return Verdict(facets._replace(actor=actor), attempts, why)

    def identifications(self, uint32_t row):
        """The `Identification`s of the flow in a row, in the order in which they happened."""
        if not self.states[row].dossier:
            return []
        return self.dossiers.identifications(self.states[row].dossier)

    # The loop.

    cdef bint _run(self) except -1 nogil:
        """Handle events; True if the room for results did not suffice."""
        cdef TokenEvent* event
        cdef FlowState* state
        while self.at_event < self.n_events:
            if self.n_results + ROOM > N_RESULTS:
                return True
            event = &self.events[self.at_event]
            if self.timers.next_due <= event.ts_ns:
                self._fire_timer()
                continue
            self._prefetch()
            state = &self.states[event.flow]
            if event.kind == TOKEN:
                if state.flags & TIMED:
                    self.rhythms.token(event.flow, event.size, event.gap_ns, event.arrival_ns)
                elif 0 < event.size <= SMALL and event.gap_ns >= PAUSE_NS:
                    self.actors.follow(event, state)
                self._token(event, state)
            elif event.kind == END:
                self._end(event, state)
            elif event.kind == FINISH:
                self._finish(event, state)
            self.at_event += 1
        return False

    cdef void _prefetch(self) noexcept nogil:
        """Ask for what events to come will need."""
        cdef TokenEvent* event
        cdef FlowState* state
        cdef uint32_t group
        if self.at_event + AHEAD < self.n_events:
            event = &self.events[self.at_event + AHEAD]
            fetch(&self.states[event.flow])
            if self.registers > 1:
                fetch(&self.more_gaps[event.flow, 1])
            if event.number == 1:
                fetch(&self.rows[event.flow].sport)
        if self.at_event + NEAR < self.n_events:
            event = &self.events[self.at_event + NEAR]
            state = &self.states[event.flow]
            self.machine.prefetch(state)
            self.dossiers.prefetch(state)
            if self.filter.remembers and event.kind == TOKEN:
                group = (state.flags & PROTOCOL) // PROTOCOL_1 * (LONGEST_ANCHOR + 1)
                if state.flags & STARTED and event.number <= self.longest_anchor:
                    group += event.number
                self.filter.prefetch(group, state.recent, state.port_class, event.size)
            if state.flags & TIMED:
                self.rhythms.prefetch(event.flow)
            if state.flags & TUNNEL:
                self.tunnels.prefetch(event.flow)

    cdef int _token(self, TokenEvent* event, FlowState* state) except -1 nogil:
        cdef Token token
        cdef uint32_t protocol, group, other
        cdef int64_t found
        cdef bint chases
        if event.number == 1:
            self._begin(event, state)
        token.number = event.number
        token.direction = 1 if event.size > 0 else -1
        token.size = event.size * token.direction
        token.before = 0
        token.passed = 0
        if event.number > 1:
            token.before = 1 if state.flags & FROM_CLIENT else -1
            token.passed = self._passed(event.gap_ns)
        if state.flags & WAITING:
            if token.passed:
                self.machine.silence(state, token.passed)
                self._settle_before(event, state)
            self.machine.close(state, &token)
            self._settle_before(event, state)
        if state.flags & TUNNEL and (token.passed or token.before != token.direction):
            self.tunnels.close_run(event.flow, state, token.passed)
            self._settle_before(event, state)
        self._remember(event, state, token.passed)
        self.machine.begin()
        if state.threads:
            self.machine.token(state, &token)
            if self.dossiers.n_pending:
                self.machine.drop(state)
        if self.dossiers.recalling:
            self.dossiers.recall_at(event.number)
        protocol = (state.flags & PROTOCOL) // PROTOCOL_1
        if protocol != OTHER_PROTOCOL:
            group = other = protocol * (LONGEST_ANCHOR + 1)
            if state.flags & STARTED and event.number <= self.longest_anchor:
                other += event.number
            chases = token.number <= CHASE_WITHIN and not self.dossiers.chased(state)
            found = self.filter.walk(group, other, state.recent, state.port_class, chases)
            if found:
                self._branches(found, event.flow, state, &token)
        if self.dossiers.opened:
            self.tunnels.open(event.flow, state.port, self.dossiers.opened)
            self.dossiers.opened = 0
            state.flags |= TUNNEL
        if state.flags & TUNNEL and not self.tunnels.token(event.flow, state, &token):
            state.flags &= ~TUNNEL
        if self.dossiers.n_pending:
            self._settle(event.flow, state, event.ts_ns)
        if self.machine.waits() or state.flags & WAITING:
            self._arm(event, state)
        return 0

    cdef int _begin(self, TokenEvent* event, FlowState* state) except -1 nogil:
        cdef FlowRow* row = &self.rows[event.flow]
        cdef int threshold, protocol
        state.port = row.sport
        state.port_class = self.filter.classify_port(row.sport)
        if row.proto == 6:
            protocol = TCP
        elif row.proto == 17:
            protocol = UDP
        else:
            protocol = ICMP if row.proto == 1 or row.proto == 58 else OTHER_PROTOCOL
        state.flags = protocol * PROTOCOL_1
        if row.flags & ROW_START_SEEN:
            state.flags |= STARTED
        for threshold in range(1, self.registers):
            self.more_gaps[event.flow, threshold] = 0
        return 0

    cdef int _remember(self, TokenEvent* event, FlowState* state, int passed) except -1 nogil:
        """Shift the token into what is known of the flow's last ones."""
        cdef uint64_t* gaps
        cdef int threshold
        state.recent = state.recent << 8 | <uint64_t>self.filter.classify(event.size)
        state.gaps = state.gaps << 1 | (passed > 0)
        for threshold in range(1, self.registers):
            gaps = &self.more_gaps[event.flow, threshold]
            gaps[0] = gaps[0] << 1 | (passed > threshold)
        state.number = event.number
        if event.number == 1 or event.arrival_ns > state.arrival_ns:
            state.arrival_ns = event.arrival_ns
        state.flags = state.flags & ~FROM_CLIENT | (FROM_CLIENT if event.size > 0 else 0)
        state.last[(event.number - 1) % LAST] = event.size
        if event.number > self.stored:
            if state.ring == 0:
                self._new_ring(state)
            self.rings[state.ring - 1, (event.number - 1) % RING] = event.size
        return 0

    cdef int _branches(self, int64_t n, uint32_t flow, FlowState* state, Token* token) except -1 nogil:
        """Handle the branches that may end with the token, as the filter has found them."""
        cdef int64_t one, barrier
        cdef uint32_t found
        cdef Branch* branch
        cdef int cost
        cdef bint far = self.filter.blocks > 1      # a small set is in the cache
        if far:
            for one in range(1, n):
                fetch(&self.branches[self.filter.found[one]])
        for one in range(n):
            found = self.filter.found[one]
            branch = &self.branches[found]
            if far and one + 1 < n:
                fetch(&self.items[self.branches[self.filter.found[one + 1]].item])
            if branch.action == CHASE:
                if token.number > CHASE_WITHIN or self.dossiers.hopeless(state, branch.signature):
                    continue
            cost = self._verify(branch, flow, state, token)
            if cost < 0:
                continue
            if branch.action == SEED and self.machine.is_shared(branch.argument):
                pass    # it is not for this signature alone; the machine looks when they part
            elif state.dossier or self.dossiers.n_pending:
                barrier = self.dossiers.barrier(state, branch.signature)
                if <int64_t>token.number - branch.length < barrier:
                    continue
            if branch.action == FIRE:
                self.dossiers.complete(branch.signature, token.number, cost, 0)
            else:
                self.machine.seed(state, found, token, cost)
        return 0

    cdef int _verify(self, Branch* branch, uint32_t flow, FlowState* state, Token* token) except -2 nogil:
        """-1 if the branch does not end here, else how many of its sizes needed tolerance."""
        cdef uint64_t gaps
        cdef Item* item
        cdef uint32_t back
        cdef int size, cost = 0
        if branch.length > token.number:
            return -1
        if branch.gap_care:
            gaps = state.gaps if branch.threshold == 0 else self.more_gaps[flow, branch.threshold]
            if (gaps ^ branch.gap_want) & branch.gap_care:
                return -1
        if branch.run_start and token.before == token.direction and token.passed <= branch.threshold:
            return -1
        if not branch.port_low <= state.port <= branch.port_high:
            return -1
        if branch.port_ranges > 1 and not self._port(&self.rules[branch.signature], state):
            return -1
        for back in range(branch.action == CHASE, branch.length):
            item = &self.items[branch.item + branch.length - 1 - back]
            size = self._size_at(flow, state, back)
            if not item.low <= size <= item.high:
                return -1
            cost += not item.exact_low <= size <= item.exact_high
        return cost

    cdef int _size_at(self, uint32_t flow, FlowState* state, uint32_t back) except? 0 nogil:
        """Signed size of the flow's token `back` tokens before the last."""
        cdef uint32_t index = state.number - 1 - back
        if back < LAST:
            return state.last[index % LAST]
        if index < self.stored:
            return self.table.token_at(flow, index)
        return self.rings[state.ring - 1, index % RING]

    cdef bint _port(self, Rule* rule, FlowState* state) noexcept nogil:
        cdef uint32_t one
        for one in range(rule.port, rule.port + rule.ports):
            if self.ports[one, 0] <= state.port <= self.ports[one, 1]:
                return True
        return False

    cdef int _passed(self, int64_t gap_ns) noexcept nogil:
        """How many thresholds a gap reaches."""
        cdef int passed = 0
        while passed < self.n_thresholds and gap_ns >= self.thresholds[passed]:
            passed += 1
        return passed

    cdef int _settle(self, uint32_t flow, FlowState* state, int64_t ts_ns) except -1 nogil:
        """Turn what has completed into results; 1: it has turned the flow's rhythm (see Actors.learn)."""
        cdef int64_t begin
        cdef int turned = 0
        if self.dossiers.n_pending:
            begin = self.n_results
            self.n_results = self.dossiers.judge(state, flow, ts_ns, self.buffer, begin)
            if state.threads:
                self.machine.drop(state)
            self.dossiers.n_pending = 0
            if self.n_results > begin:
                turned = self.actors.learn(flow, state)
                self.actors.tell(flow, state, &self.rows[flow], &self.buffer[begin], self.n_results - begin)
        return turned

    cdef int _settle_before(self, TokenEvent* event, FlowState* state) except -1 nogil:
        """Turn into results what the token has ended; a rhythm that this turns is told of it as well."""
        if self._settle(event.flow, state, event.ts_ns):
            self.rhythms.token(event.flow, event.size, event.gap_ns, event.arrival_ns)
        return 0

    cdef int _arm(self, TokenEvent* event, FlowState* state) except -1 nogil:
        """Set the flow's timer if a thread waits for silence after this token."""
        cdef int threshold = self.machine.awaited(state, 0)
        if threshold < 0:
            state.flags &= ~WAITING
            return self.timers.disarm(state)
        state.flags |= WAITING
        if self.dossiers.recalling:
            return 0    # see Adoption
        return self.timers.arm(state, event.flow, threshold, -1, event.ts_ns + self.thresholds[threshold])

    cdef int _fire_timer(self) except -1 nogil:
        """Tell the flow whose timer is due first that it has been silent."""
        cdef Timer* timer = self.timers.first()
        cdef int64_t due_ns = timer.due_ns
        cdef uint32_t flow = timer.flow
        cdef int threshold = timer.threshold, next
        cdef FlowState* state = &self.states[flow]
        self.timers.disarm(state)
        self.machine.silence(state, threshold + 1)
        self._settle(flow, state, due_ns)
        next = self.machine.awaited(state, threshold + 1)
        if next >= 0:
            due_ns += self.thresholds[next] - self.thresholds[threshold]
            self.timers.arm(state, flow, next, threshold, due_ns)
        return 0

    cdef int _end(self, TokenEvent* event, FlowState* state) except -1 nogil:
        cdef int passed = self._passed(event.ts_ns - state.arrival_ns)
        self._end_tunnel(event.flow, state, passed, True)
        if state.threads:
            if state.flags & WAITING and passed:
                self.machine.silence(state, passed)
                self._settle(event.flow, state, event.ts_ns)
            self.machine.end(state, passed, True)
            self._settle(event.flow, state, event.ts_ns)
        self._settle(event.flow, state, event.ts_ns)
        state.flags = state.flags & ~WAITING | ENDED
        return self.timers.disarm(state)

    cdef int _end_tunnel(self, uint32_t flow, FlowState* state, int passed, bint seen) except -1 nogil:
        """What is inside of the flow ends with it."""
        if state.flags & TUNNEL:
            self.tunnels.end(flow, state, passed, seen)
            state.flags &= ~TUNNEL
        return 0

    cdef int _finish(self, TokenEvent* event, FlowState* state) except -1 nogil:
        """The flow's record is complete; what is known of it stays until release()."""
        cdef Result* result
        self._end_tunnel(event.flow, state, 0, False)
        if state.threads:
            self.machine.end(state, 0, False)
        self._settle(event.flow, state, event.ts_ns)
        self.timers.disarm(state)
        if state.ring:
            self.rings[state.ring - 1, 0] = <int32_t>self.free_ring
            self.free_ring = state.ring
            state.ring = 0
        result = &self.buffer[self.n_results]
        self.n_results += 1
        self.dossiers.finished(state, result)
        result.ts_ns, result.flow, result.number = event.ts_ns, event.flow, event.number
        self.actors.tell(event.flow, state, &self.rows[event.flow], result, 1)
        state.threads = self.finished
        self.finished = event.flow + 1
        return 0

    cdef int _new_ring(self, FlowState* state) except -1 nogil:
        if self.free_ring:
            state.ring = self.free_ring
            self.free_ring = <uint32_t>self.rings[state.ring - 1, 0]
            return 0
        if self.used_rings == <uint32_t>self.rings.shape[0]:
            with gil:
                self.rings = doubled(self.rings)
        self.used_rings += 1
        state.ring = self.used_rings
        return 0


def _dtypes():
    cdef TokenEvent event
    cdef FlowRow row
    cdef Result result
    return (
        np.asarray(<TokenEvent[:1]>&event).dtype,
        np.asarray(<FlowRow[:1]>&row).dtype,
        np.asarray(<Result[:1]>&result).dtype,
    )


EVENT_DTYPE, ROW_DTYPE, RESULT_DTYPE = _dtypes()
"""numpy dtypes of TokenEvent, FlowRow and Result."""
