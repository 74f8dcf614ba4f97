# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Paths: the automata of inner patterns, followed along a run of an encrypted flow.

How many records are in a run, and how many tokens of the inner flow were read into each, does not show; so
it is explained by a path of positions of its direction without a pause between them, if for some number of
records, at most one for each token, the rest of the bytes lies within the path's bounds:

    run = overhead * records + sum of the tokens      path c16 c44 in TLS 1.3: 60 + 22 or 60 + 44

Where a record is padded to a block, the overhead is what it has at least, and `slack` what may come to it;
the sizes of all records are as far from whole blocks as that of an alert.
The positions are those of the machine, which patterns that begin alike share.  What came of a size at a
place is remembered, since sizes repeat.

Bounds: MOST_STATES places behind a run, MOST_VISITS positions for a size at a place, MOST_DEPTH of a path;
what is dropped is counted in `overflow`.

SAFETY: positions, edges, entries and variants come from the compiler, which numbers them.
"""

import numpy as np

from libc.string cimport memcpy

from fl0p_py.signature.place cimport (
    ALERTED, EXPECT_CLIENT, EXPECT_SERVER, LATE, MOST_DEPTH, MOST_NOTED, MOST_PLAIN, MOST_RECORDS,
    MOST_STATES, records_of,
)
from fl0p_py.signature.state cimport ANY_GAP, AT_END, AT_SILENT_END, AT_TOKEN, NO_GAP, SOME_GAP

from fl0p_py.signature.memory import multiplier

cdef enum:
    MEMO_BITS = 15          # of the place of a memo
    MOST_VISITS = 2048


def _to_end(positions, edges, entries):
    """uint8[positions + 1, 2]: 1 where a run of the client, or the server, behind a place can lead to
    where `>` completes a pattern.  Nowhere else is it asked whether the run ends with an alert."""
    client = positions["direction"] > 0
    ends = (positions["final"] & (AT_END | AT_SILENT_END)) != 0
    first, count = positions["edge"].astype(np.int64), positions["edges"].astype(np.int64)
    begin = np.repeat(np.arange(len(positions)), count)
    to = edges["to"][np.arange(len(begin)) + (first + count - np.cumsum(count))[begin]]
    in_run = client[begin] == client[to]
    for _ in range(MOST_DEPTH):
        ends[begin[in_run & ends[to]]] = True
    found = np.zeros((len(positions) + 1, 2), np.uint8)
    for side, of_side in enumerate((client, ~client)):
        found[0, side] = np.any((ends & of_side)[np.asarray(entries)[:, 0]])
        found[1 + begin[(ends & of_side)[to]], side] = 1
    return found


cdef class Paths:
    """positions, edges, rules, ports : the machine's; entries, variants : see paths.pxd

    carriers : tunnel.carrier_table()
    """

    def __init__(
        self, positions, edges, rules, ports, Dossiers dossiers, entries, variants, Gates gates, carriers
    ):
        cdef Carrier carrier
        self.positions, self.edges, self.rules, self.ports = positions, edges, rules, ports
        self.dossiers, self.entries, self.variants, self.gates = dossiers, entries, variants, gates
        row = np.asarray(<Carrier[:1]>&carrier).dtype
        self.carriers = np.ascontiguousarray(carriers, np.int32).reshape(-1).view(row)
        for (_, _, start, _), family in zip(entries.tolist(), gates.family_of):
            self.loose |= 0 if start else 1 << family
        self._set_loose_high()
        self.to_end = _to_end(positions, edges, self.entries)
        self.memory = np.zeros((1 << MEMO_BITS, sizeof(Memo)), np.uint8)
        self.spread = multiplier()

    def _set_loose_high(self):
        """Patterns without `<` are looked for in every run: its size tells somebody who types from a page."""
        carriers = np.asarray(self.carriers)
        overhead = max((carriers["overhead"] + carriers["slack"]).tolist(), default=0)
        self.loose_high = [0, 0]
        for at, _, start, _ in np.asarray(self.entries).tolist():
            if not start:
                side = self.positions[<uint32_t>at].direction < 0
                self.loose_high[side] = max(self.loose_high[side], self._most(at, overhead, 0, {}))

    def _most(self, uint32_t at, int32_t overhead, int depth, known):
        """Most bytes of a run that goes by this position and those of its direction behind it."""
        cdef Position* here = &self.positions[at]
        if (at, depth) not in known:
            known[at, depth] = max([
                self._most(self.edges[one].to, overhead, depth + 1, known)
                for one in range(here.edge, here.edge + here.edges)
                if depth < MOST_DEPTH and not here.slot and not self.edges[one].extend
                and self.positions[self.edges[one].to].direction == here.direction
            ], default=0) + here.exact_high + min(records_of(here), MOST_RECORDS) * overhead
        return known[at, depth]

    cdef int explain(self, int64_t size, uint8_t flags) except -1 nogil:
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
               | <uint64_t>flags << 50 | <uint64_t>passed << 56 | <uint64_t>(self.tunnel.direction < 0) << 63)
        memo = <Memo*>&self.memory[key * self.spread >> (64 - MEMO_BITS), 0]
        if memo.key == key:
            for i in range(memo.found):
                self.add(memo.at[i], memo.flags[i])
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
        cdef int32_t slack = self.carriers[self.place.carrier].slack
        self.visits += 1
        if self.visits > MOST_VISITS:
            self.overflow += 1
            self.noting = False
            return 0
        low += here.exact_low
        high += here.exact_high
        records += records_of(here)
        if records > MOST_RECORDS:
            records = MOST_RECORDS
        if self.size <= high + records * (overhead + slack):
            self.more = True
        if self.size < low + overhead:
            return 0
        fits = self._fits(low, high, records)
        if fits:
            if not self.flags & ALERTED or here.final & (AT_END | AT_SILENT_END):
                self.add(at + 1, self.flags)
            if here.final & AT_TOKEN and not self.flags & ALERTED:
                self.complete(at, self.place.carrier)
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
        cdef Carrier* carrier = &self.carriers[self.place.carrier]
        cdef int64_t most, least        # bytes in so many records
        cdef int32_t n
        for n in range(1, records + 1):
            most = self.size - n * <int64_t>carrier.overhead
            if most < low:
                return False
            if carrier.slack and (self.size - n * carrier.alert) % (carrier.slack + 1):
                continue    # as many more than alerts as make up whole blocks
            least = most - n * carrier.slack
            if least <= high and max(least, low) <= n * <int64_t>MOST_PLAIN:
                return True
        return False

    cdef void add(self, uint32_t at, uint8_t flags) noexcept nogil:
        """A place behind the run."""
        cdef Tunnel* tunnel = self.tunnel
        cdef Place new
        cdef uint64_t wanted, there     # places as a whole, which are compared in one step
        cdef int i
        new.at, new.base, new.carrier, new.flags = at, 0, self.place.carrier, flags
        memcpy(&wanted, &new, sizeof(Place))
        if self.noting:
            if self.note.found < MOST_NOTED:
                self.note.at[self.note.found], self.note.flags[self.note.found] = at, flags
                self.note.found += 1
            else:
                self.noting = False
        for i in range(tunnel.behinds):
            memcpy(&there, &tunnel.behind[i], sizeof(Place))
            if there == wanted:
                return
        if tunnel.behinds == MOST_STATES:
            self.overflow += 1
            return
        tunnel.behind[tunnel.behinds] = new
        tunnel.behinds += 1

    cdef int complete(self, uint32_t at, uint8_t carrier) except -1 nogil:
        """The inner pattern is complete: its variant has matched, if it has one and the port is right."""
        cdef int32_t variant = self.variants[self.positions[at].signature, self.carriers[carrier].via]
        self.noting = False
        if variant < 0 or self.dossiers.matched(self.state, variant):
            return 0
        if not self.port_fits(&self.rules[variant], self.state.port):
            return 0
        return self.dossiers.complete(variant, self.number, 0, 0)

    cdef bint port_fits(self, Rule* rule, uint16_t port) noexcept nogil:
        cdef uint32_t one
        for one in range(rule.port, rule.port + rule.ports):
            if self.ports[one, 0] <= port <= self.ports[one, 1]:
                return True
        return rule.ports == 0
