# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Tunnels: the automata of inner patterns, followed along the runs of an encrypted flow.

A *run* is a burst of the outer flow: what one side sends until the other speaks or a pause comes.  How
many records are in it, and how many tokens of the inner flow were read into each, does not show; so a run
is explained by a path of positions of the run's direction without a pause between them, if for some
number of records, at most one for each token, the rest of the bytes lies within the path's bounds:

    run = overhead * records + sum of the tokens      path c16 c44 in TLS 1.3: 60 + 22 or 60 + 44

A hello (overhead.py), told by the machine, opens the tunnel: from then on each carrier that is still
possible has a *place* in front of all patterns.  The run that ends the handshake and what the server
says of its own (tickets, its Finished) are taken off; a run of the server is cut behind them where a
token ends.  Since all of that is done once for all patterns, and the positions are those of the machine,
which patterns that begin alike share, a flow without anything inside loses its places after a few runs.
What came of a size at a place is remembered, since sizes repeat.

Before all that, the tokens of a flow are only kept, until it passes a gate (gates.pyx).  Behind MOST_KEPT
tokens without one, only patterns that may begin anywhere are looked for.

Bounds: MOST_STATES places a flow, MOST_VISITS positions for a size at a place, MOST_DEPTH of a path; what is
dropped is counted in `overflow`.

SAFETY: positions, edges, entries and variants come from the compiler, which numbers them; rows are below
the capacity.
"""

import numpy as np

from libc.string cimport memcpy, memset

from fl0p_py.pool import doubled
from fl0p_py.signature.gates cimport FULL, OPEN, SHUT, Gate
from fl0p_py.signature.state cimport (
    ANY_GAP, AT_CLOSE, AT_END, AT_SILENCE, AT_SILENT_END, AT_TOKEN, NO_GAP, SOME_GAP,
)

cdef enum:
    MEMOS = 4096            # a power of two
    MOST_VISITS = 2048
    MOST_DEPTH = 12         # tokens in one run
    MOST_RECORDS = 64       # in one run
    MOST_PLAIN = 16384      # RFC 8446 section 5.1
    USUAL_READ = 1200       # a burst of so many bytes may have been read in one more piece


cdef class Tunnels:
    """positions, edges, rules, ports : the machine's; entries, variants : see tunnels.pxd
    gates : see cuts.tables

    carriers : tunnel.carrier_table(); capacity : rows
    """

    def __init__(
        self, positions, edges, rules, ports, Dossiers dossiers, entries, variants, gates, carriers, capacity
    ):
        cdef Carrier carrier
        self.positions, self.edges, self.rules, self.ports = positions, edges, rules, ports
        self.dossiers, self.entries, self.variants = dossiers, entries, variants
        row = np.asarray(<Carrier[:1]>&carrier).dtype
        self.carriers = np.ascontiguousarray(carriers, np.int32).reshape(-1).view(row)
        self.gates = Gates(*gates)
        rule_of = np.full(len(self.gates.bits), -1, np.int32)
        for (_, _, start, signature), family in zip(entries.tolist(), self.gates.family_of):
            rule_of[family] = max(variants[signature])
            self.loose |= 0 if start else 1 << family
        self.rule_of = rule_of
        self._set_loose_high()
        self.of_flow = np.zeros(capacity, np.uint32)
        self.beginnings = np.zeros((16, sizeof(Beginning)), np.uint8)
        self.pool = np.zeros((4, sizeof(Tunnel)), np.uint8)
        self.memory = np.zeros((MEMOS, sizeof(Memo)), np.uint8)

    def _set_loose_high(self):
        """Patterns without `<` are looked for in every run: its size tells somebody who types from a page."""
        overhead = max(np.asarray(self.carriers)["overhead"].tolist(), default=0)
        self.loose_high = [0, 0]
        for at, _, start, _ in np.asarray(self.entries).tolist():
            if not start:
                side = self.positions[at].direction < 0
                self.loose_high[side] = max(self.loose_high[side], self._most(at, overhead, 0, {}))

    def _most(self, uint32_t at, int32_t overhead, int depth, known):
        """Most bytes of a run that goes by this position and those of its direction behind it."""
        cdef Position* here = &self.positions[at]
        cdef int32_t records = 1 + here.exact_high // MOST_PLAIN
        if here.slot:
            records = 2 + here.exact_high // USUAL_READ
        if (at, depth) not in known:
            known[at, depth] = max([
                self._most(self.edges[one].to, overhead, depth + 1, known)
                for one in range(here.edge, here.edge + here.edges)
                if depth < MOST_DEPTH and not here.slot and not self.edges[one].extend
                and self.positions[self.edges[one].to].direction == here.direction
            ], default=0) + here.exact_high + min(records, MOST_RECORDS) * overhead
        return known[at, depth]

    cdef int open(self, uint32_t flow, uint16_t port) except -1 nogil:
        """The next token told of may begin the run that ends a handshake."""
        cdef uint32_t at
        self.free(flow)
        self.begun += 1
        at = self.unused_beginnings
        if at:
            self.unused_beginnings = (<Beginning*>&self.beginnings[at - 1, 0]).tunnel
        else:
            if self.used_beginnings == <uint32_t>self.beginnings.shape[0]:
                with gil:
                    self.beginnings = doubled(self.beginnings)
            self.used_beginnings += 1
            at = self.used_beginnings
        self.of_flow[flow] = at
        memset(self.beginning(flow), 0, sizeof(Beginning))
        self._allow(self.beginning(flow), port)
        return 0

    cdef void _allow(self, Beginning* beginning, uint16_t port) noexcept nogil:
        """Note which families are looked for at a server's port."""
        cdef int family
        for family in range(<int>self.gates.bits.shape[0]):
            if self.rule_of[family] >= 0 and self._port(&self.rules[self.rule_of[family]], port):
                beginning.families |= <uint32_t>1 << family
                beginning.bits |= self.gates.bits[family]

    cdef bint _port(self, Rule* rule, uint16_t port) noexcept nogil:
        cdef uint32_t one
        for one in range(rule.port, rule.port + rule.ports):
            if self.ports[one, 0] <= port <= self.ports[one, 1]:
                return True
        return rule.ports == 0

    cdef int _look(self, Beginning* beginning, bint late) except -1 nogil:
        """Put a place for each carrier in front of all patterns, or (late) of those without `<`."""
        cdef uint32_t at = self.unused
        cdef Tunnel* tunnel
        cdef int i
        if at:
            self.unused = self.row(at).next
        else:
            if self.used == <uint32_t>self.pool.shape[0]:
                with gil:
                    self.pool = doubled(self.pool)
            self.used += 1
            at = self.used
        beginning.tunnel = at
        tunnel = self.row(at)
        memset(tunnel, 0, sizeof(Tunnel))
        tunnel.families = beginning.families
        for i in range(self.carriers.shape[0]):
            tunnel.before[i].carrier = <uint8_t>i
            tunnel.before[i].flags = EXPECT_CLIENT | LATE if late else EXPECT_CLIENT
            if self.carriers[i].server or self.carriers[i].high:
                tunnel.before[i].flags |= EXPECT_SERVER
        tunnel.befores = <uint8_t>self.carriers.shape[0]
        return 0

    cdef void free(self, uint32_t flow) noexcept nogil:
        cdef uint32_t at = self.of_flow[flow]
        cdef Beginning* beginning
        if at:
            beginning = self.beginning(flow)
            if beginning.tunnel:
                self.row(beginning.tunnel).next = self.unused
                self.unused = beginning.tunnel
            beginning.tunnel = self.unused_beginnings
            self.unused_beginnings = at
            self.of_flow[flow] = 0

    cdef int close_run(self, uint32_t flow, FlowState* state, int passed) except -1 nogil:
        """The present run is over, by a token of the other direction, or by a gap of `passed` thresholds."""
        cdef uint32_t at = self.beginning(flow).tunnel
        return self._close_run(self.row(at), state, passed) if at else 0

    cdef bint token(self, uint32_t flow, FlowState* state, Token* token) except -1 nogil:
        """A token of the flow; False: nothing can come of the tunnel any more, and it is forgotten."""
        cdef Beginning* beginning = self.beginning(flow)
        cdef Gate gate
        cdef bint goes_on
        if beginning.tunnel:
            goes_on = self._token(self.row(beginning.tunnel), state, token)
        else:
            gate = self.gates.take(beginning, token.size * token.direction, token.passed)
            if gate == SHUT:
                return True
            goes_on = gate == OPEN or beginning.families & self.loose
            goes_on = goes_on and self._repeat(beginning, state, token, gate == FULL)
        if not goes_on:
            self.free(flow)
        return goes_on

    cdef bint _repeat(self, Beginning* beginning, FlowState* state, Token* token, bint late) except -1 nogil:
        """Look into the tunnel, from its first token on; False if nothing can come of it."""
        cdef Token one = token[0]
        cdef Tunnel* tunnel
        cdef int i
        self.looked_into += 1
        self._look(beginning, late)
        tunnel = self.row(beginning.tunnel)
        for i in range(beginning.kept):
            one.direction = 1 if beginning.sizes[i] > 0 else -1
            one.size, one.passed = beginning.sizes[i] * one.direction, beginning.gaps[i]
            if tunnel.direction and (one.passed or one.direction != tunnel.direction):
                self._close_run(tunnel, state, one.passed)
            if not self._token(tunnel, state, &one):
                return False
        return True

    cdef int _close_run(self, Tunnel* tunnel, FlowState* state, int passed) except -1 nogil:
        cdef uint8_t wanted = AT_CLOSE
        if tunnel.direction == 0:
            return 0
        self.tunnel, self.state, self.number = tunnel, state, state.number
        self._catch_up()
        if passed:
            wanted |= AT_SILENCE
        self._finals(tunnel.behind, tunnel.behinds, wanted, passed)
        memcpy(tunnel.before, tunnel.behind, sizeof(tunnel.before))
        tunnel.befores = tunnel.behinds
        tunnel.direction, tunnel.sum, tunnel.over, tunnel.behinds = 0, 0, 0, 0
        return 0

    cdef bint _token(self, Tunnel* tunnel, FlowState* state, Token* token) except -1 nogil:
        if tunnel.direction == 0:
            tunnel.direction, tunnel.passed = <int8_t>token.direction, token.passed
        tunnel.sum += token.size
        if tunnel.over:
            return tunnel.over != 1 or self._only_late(tunnel)
        self.tunnel, self.state, self.number = tunnel, state, token.number
        tunnel.late = token.size >= USUAL_READ
        if tunnel.late:
            return True     # more of the same will follow, or the run is over: then there is time enough
        self._evaluate()
        tunnel.over = not self.more
        return tunnel.behinds > 0 or self.more

    cdef int end(self, uint32_t flow, FlowState* state, int passed, bint seen) except -1 nogil:
        """Nothing more will come."""
        cdef uint32_t at = self.beginning(flow).tunnel
        cdef uint8_t wanted = AT_CLOSE
        if not at:
            self.free(flow)
            return 0
        if seen:
            wanted |= AT_END
            if passed:
                wanted |= AT_SILENCE | AT_SILENT_END
        self.tunnel, self.state, self.number = self.row(at), state, state.number
        if self.tunnel.direction:
            self._catch_up()
            self._finals(self.tunnel.behind, self.tunnel.behinds, wanted, passed)
        self.free(flow)
        return 0

    cdef int _catch_up(self) except -1 nogil:
        """Evaluate a run whose last token was not worth it when it came."""
        if self.tunnel.late:
            self.tunnel.late = False
            self._evaluate()
        return 0

    cdef bint _only_late(self, Tunnel* tunnel) noexcept nogil:
        """The run is longer than any pattern allows: what is left may only begin behind it.  Is there any?"""
        cdef int i, n = 0
        for i in range(tunnel.behinds):
            if tunnel.behind[i].at == 0 and tunnel.behind[i].flags & LATE:
                tunnel.behind[n] = tunnel.behind[i]
                n += 1
        tunnel.behinds, tunnel.over = <uint8_t>n, 2
        return n > 0

    # A run.

    cdef int _evaluate(self) except -1 nogil:
        """Find the places behind the run as it is now."""
        cdef Tunnel* tunnel = self.tunnel
        cdef Carrier* carrier
        cdef uint8_t flags
        cdef int i, n = tunnel.befores
        tunnel.behinds = 0
        self.more = False
        if not tunnel.own:
            self._look_for_end()
        for i in range(n):
            self.place = &tunnel.before[i]
            carrier = &self.carriers[self.place.carrier]
            if self.place.flags & EXPECT_CLIENT:
                self._first_run(carrier)
            elif self.place.flags & EXPECT_SERVER and tunnel.direction < 0:
                self._servers_own(carrier)
            elif not (self.place.flags & EXPECT_SERVER and carrier.server):     # the client has to wait
                flags = self.place.flags
                if flags & TICKETED and tunnel.direction < 0:
                    flags &= ~TICKETED
                    if tunnel.sum <= tunnel.tickets:
                        self.more = True
                    if tunnel.sum == tunnel.tickets:
                        self._add(self.place.at, flags)
                self._data(tunnel.sum - self.place.base, flags)
        if tunnel.direction < 0:
            for i in range(n):
                self.place = &tunnel.before[i]
                if self.place.flags & EXPECT_SERVER or (
                    self.place.flags & TICKETED and tunnel.sum == tunnel.tickets
                ):
                    self._cut(&self.carriers[self.place.carrier])
        return 0

    cdef void _look_for_end(self) noexcept nogil:
        """Note if the handshake may be over where this token ends: then it is, for all carriers."""
        cdef Tunnel* tunnel = self.tunnel
        cdef Carrier* carrier
        cdef int i, j
        for i in range(tunnel.befores):
            carrier = &self.carriers[tunnel.before[i].carrier]
            if tunnel.before[i].flags & EXPECT_CLIENT:
                for j in range(carrier.clients):
                    if tunnel.sum == carrier.client[j]:
                        tunnel.own = carrier.client[j]

    cdef int _first_run(self, Carrier* carrier) except -1 nogil:
        """The client's run that ends the handshake, and what it may have written behind that."""
        cdef uint8_t flags = self.place.flags & ~EXPECT_CLIENT
        cdef int64_t rest
        cdef int i
        for i in range(carrier.clients):
            rest = self.tunnel.sum - carrier.client[i]
            if self.tunnel.own and carrier.client[i] != self.tunnel.own:
                continue
            if rest == 0:
                self._add(0, flags)
            if rest <= 0:
                self.more = True
            elif not carrier.alone:
                self._data(rest, flags)
        return 0

    cdef int _servers_own(self, Carrier* carrier) except -1 nogil:
        """The server's first run: tickets, its Finished, and what it may have written behind that."""
        cdef uint8_t flags = self.place.flags & ~EXPECT_SERVER
        cdef int64_t rest = self.tunnel.sum - carrier.server
        if rest <= carrier.high:
            self.more = True
        if not carrier.server and carrier.low <= rest <= carrier.high:
            self.tunnel.tickets = <int32_t>rest
            self._add(self.place.at, flags | TICKETED)
        elif carrier.server and rest == 0 or carrier.low <= rest <= carrier.high:
            self._add(self.place.at, flags)
        if carrier.server and rest > 0:
            self._data(rest, flags)
        elif not carrier.server and (self.place.at or not carrier.low <= rest <= carrier.high):
            self._data(rest, flags)     # without tickets; a first word of that size would be taken for them
        return 0

    cdef void _cut(self, Carrier* carrier) noexcept nogil:
        """Behind this token the server's own part may be over: let data begin there, in the same run."""
        cdef Tunnel* tunnel = self.tunnel
        cdef int64_t rest = tunnel.sum - carrier.server
        cdef Place* new
        if carrier.low <= rest <= carrier.high:
            if tunnel.befores == MOST_STATES:
                self.overflow += 1
                return
            new = &tunnel.before[tunnel.befores]
            tunnel.befores += 1
            new[0] = self.place[0]
            new.flags &= ~(EXPECT_SERVER | TICKETED)
            new.base = <uint16_t>tunnel.sum

    cdef int _data(self, int64_t size, uint8_t flags) except -1 nogil:
        """Explain so many bytes as records, the last of which may be an alert."""
        cdef Carrier* carrier = &self.carriers[self.place.carrier]
        if size == carrier.alert and self._may_end():
            self._add(self.place.at, flags | ALERTED)
        if size <= carrier.alert:
            self.more = True
        if self.loose & self.tunnel.families and self.place.at == 0 and size > 0 and not flags & ALERTED:
            self._add(0, flags | LATE)
        if flags & ALERTED:
            return 0
        if self.place.at == 0 and flags & LATE and size > self.loose_high[self.tunnel.direction < 0]:
            return 0
        self._explain(size, flags)
        if size > carrier.alert:
            self._explain(size - carrier.alert, flags | ALERTED)
        return 0

    cdef bint _may_end(self) noexcept nogil:
        """Whether a pattern is complete at the place if the flow's end comes."""
        cdef uint32_t at = self.place.at
        return at and self.positions[at - 1].final & (AT_END | AT_SILENT_END)

    cdef int _explain(self, int64_t size, uint8_t flags) except -1 nogil:
        """Find the places behind all paths from the place that may be a run of this size."""
        cdef int passed = 0 if self._behind_own() else self.tunnel.passed
        cdef uint64_t key, at = self.place.at
        cdef Memo* memo
        cdef bint more
        cdef int i
        if not 0 < size < 1 << 20 or at >= 1 << 23 or not 0 <= passed < 1 << 7:
            return self._follow(size, flags, passed)
        if at == 0:
            at = 1 << 23 | self.tunnel.families
        key = (<uint64_t>size | at << 20 | <uint64_t>self.place.carrier << 44
               | <uint64_t>flags << 48 | <uint64_t>passed << 56 | <uint64_t>(self.tunnel.direction < 0) << 63)
        # multiplied by 2^64 over the golden ratio (Knuth, The Art of Computer Programming 3, 6.4)
        memo = <Memo*>&self.memory[(key * <uint64_t>0x9E3779B97F4A7C15ULL >> 40) & (MEMOS - 1), 0]
        if memo.key == key:
            for i in range(memo.found):
                self._add(memo.at[i], memo.flags[i])
            if memo.more:
                self.more = True
            return 0
        more, self.more = self.more, False
        self.noting, self.note.found = True, 0
        self._follow(size, flags, passed)
        if self.noting:
            self.note.key, self.note.more = key, self.more
            memo[0] = self.note
        self.noting = False
        self.more |= more
        return 0

    cdef bint _behind_own(self) noexcept nogil:
        """Whether the run begins with messages of the tunnel's own: the gap was before them."""
        if self.place.flags & EXPECT_CLIENT or self.place.base:
            return True
        return self.place.flags & EXPECT_SERVER and self.carriers[self.place.carrier].server

    cdef int _follow(self, int64_t size, uint8_t flags, int passed) except -1 nogil:
        """Follow the paths; what cannot be noted down ends `noting`."""
        cdef Position* here
        cdef Edge* edge
        cdef uint32_t one, begin, end
        cdef bint gap
        self.size, self.flags, self.visits = size, flags, 0
        if self.place.at == 0:
            for one in range(<uint32_t>self.entries.shape[0]):
                here = &self.positions[self.entries[one, 0]]
                if here.direction != self.tunnel.direction or (self.entries[one, 2] and flags & LATE):
                    continue
                if not self.tunnel.families >> self.gates.family_of[one] & 1:
                    continue
                if not self.gates.leads_on[self.entries[one, 0]]:
                    continue
                if self.entries[one, 1] == SOME_GAP and passed <= here.threshold:
                    continue
                self._visit(self.entries[one, 0], 0, 0, 0, 0)
            return 0
        here = &self.positions[self.place.at - 1]
        gap = passed > here.threshold
        begin, end = here.edge, here.edge + here.client_edges
        if self.tunnel.direction < 0:
            begin, end = end, here.edge + here.edges
        for one in range(begin, end):
            edge = &self.edges[one]
            if edge.extend or (edge.condition != ANY_GAP and gap != (edge.condition != NO_GAP)):
                continue
            if not self.gates.leads_on[edge.to]:
                continue
            self._visit(edge.to, 0, 0, 0, 0)
        return 0

    cdef int _visit(self, uint32_t at, int64_t low, int64_t high, int32_t records, int depth) except -1 nogil:
        """Take one more token of the path; low, high, records : of those before it."""
        cdef Position* here = &self.positions[at]
        cdef Position* there
        cdef Edge* edge
        cdef uint32_t one, begin, end
        cdef bint fits
        cdef int32_t overhead = self.carriers[self.place.carrier].overhead
        self.visits += 1
        if self.visits > MOST_VISITS:
            self.overflow += 1
            self.noting = False
            return 0
        low += here.exact_low
        high += here.exact_high
        records += 2 + here.exact_high // USUAL_READ if here.slot else 1 + here.exact_high // MOST_PLAIN
        if records > MOST_RECORDS:
            records = MOST_RECORDS
        if self.size <= high + records * overhead:
            self.more = True
        if self.size < low + overhead:
            return 0
        fits = self._fits(low, high, records)
        if fits:
            if not self.flags & ALERTED or here.final & (AT_END | AT_SILENT_END):
                self._add(at + 1, self.flags)
            if here.final & AT_TOKEN and not self.flags & ALERTED:
                self._complete(at, self.place.carrier)
        if here.slot or depth == MOST_DEPTH:
            return 0
        begin, end = here.edge, here.edge + here.client_edges
        if here.direction < 0:
            begin, end = end, here.edge + here.edges
        for one in range(begin, end):
            edge = &self.edges[one]
            there = &self.positions[edge.to]
            if edge.extend or edge.condition == SOME_GAP or there.slot or not self.gates.leads_on[edge.to]:
                continue
            # of a row of like tokens, as few as will do
            if fits and there.exact_low == here.exact_low and there.exact_high == here.exact_high:
                continue
            self._visit(edge.to, low, high, records, depth + 1)
        return 0

    cdef bint _fits(self, int64_t low, int64_t high, int32_t records) noexcept nogil:
        """Whether the bytes are some number of records with so much in them."""
        cdef int32_t overhead = self.carriers[self.place.carrier].overhead, n
        cdef int64_t inner
        for n in range(1, records + 1):
            inner = self.size - n * <int64_t>overhead
            if inner < low:
                return False
            if inner <= high and inner <= n * <int64_t>MOST_PLAIN:
                return True
        return False

    cdef void _add(self, uint32_t at, uint8_t flags) noexcept nogil:
        """A place behind the run."""
        cdef Tunnel* tunnel = self.tunnel
        cdef Place* one
        cdef int i
        if self.noting:
            if self.note.found < MOST_NOTED:
                self.note.at[self.note.found], self.note.flags[self.note.found] = at, flags
                self.note.found += 1
            else:
                self.noting = False
        for i in range(tunnel.behinds):
            one = &tunnel.behind[i]
            if one.at == at and one.carrier == self.place.carrier and one.flags == flags:
                return
        if tunnel.behinds == MOST_STATES:
            self.overflow += 1
            return
        one = &tunnel.behind[tunnel.behinds]
        tunnel.behinds += 1
        one.at, one.base, one.carrier, one.flags = at, 0, self.place.carrier, flags

    # Completions.

    cdef int _finals(self, Place* places, int n, uint8_t wanted, int passed) except -1 nogil:
        """Complete what a run's end, silence or the flow's end complete."""
        cdef Position* position
        cdef uint8_t final
        cdef int i
        for i in range(n):
            if places[i].at == 0:
                continue
            position = &self.positions[places[i].at - 1]
            final = position.final & wanted
            if position.threshold >= passed:
                final &= ~(AT_SILENCE | AT_SILENT_END)
            if places[i].flags & ALERTED:
                final &= AT_END | AT_SILENT_END
            if final:
                self._complete(places[i].at - 1, places[i].carrier)
        return 0

    cdef int _complete(self, uint32_t at, uint8_t carrier) except -1 nogil:
        """The inner pattern is complete: its variant has matched, if it has one and the port is right."""
        cdef int32_t variant = self.variants[self.positions[at].signature, self.carriers[carrier].via]
        self.noting = False
        if variant < 0 or self.dossiers.matched(self.state, variant):
            return 0
        if not self._port(&self.rules[variant], self.state.port):
            return 0
        return self.dossiers.complete(variant, self.number, 0, 0)
