# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Tunnels: the flows in which there may be another one.

A hello (overhead.py), told by the machine, opens a tunnel: where its flow's handshake ends, an inner flow
begins, whose patterns are followed along the runs of the outer one (runs.pyx).  That is dear, and nearly
every encrypted flow is no tunnel; so before it the tokens of a flow are only kept, until it passes a gate
(gates.pyx).  Behind MOST_KEPT tokens without one, only patterns that may begin anywhere are looked for.

SAFETY: entries and variants come from the compiler, which numbers them; rows are below the capacity.
"""

import numpy as np

from libc.string cimport memset

from fl0p_py.pool import doubled
from fl0p_py.signature.gates cimport FULL, OPEN, SHUT, Gate


cdef class Tunnels:
    """positions, edges, rules, ports : the machine's; entries, variants : see paths.pxd
    gates : see cuts.tables

    carriers : tunnel.carrier_table(); capacity : rows
    """

    def __init__(
        self, positions, edges, rules, ports, Dossiers dossiers, entries, variants, gates, carriers, capacity
    ):
        self.gates = Gates(*gates)
        self.paths = Paths(positions, edges, rules, ports, dossiers, entries, variants, self.gates, carriers)
        self.runs = Runs(self.paths, positions, self.paths.carriers)
        self.rules = rules
        rule_of = np.full(len(self.gates.bits), -1, np.int32)
        for (_, _, _, signature), family in zip(entries.tolist(), self.gates.family_of):
            rule_of[family] = max(variants[signature])
        self.rule_of = rule_of
        self.of_flow = np.zeros(capacity, np.uint32)
        self.beginnings = np.zeros((16, sizeof(Beginning)), np.uint8)
        self.pool = np.zeros((4, sizeof(Tunnel)), np.uint8)

    @property
    def overflow(self):
        """Places that were dropped at a bound."""
        return self.paths.overflow

    cdef int open(self, uint32_t flow, uint16_t port, uint32_t hellos) except -1 nogil:
        """The next token told of may begin the run that ends a handshake; hellos : mask of those seen."""
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
        self.beginning(flow).hellos = <uint8_t>hellos
        self._allow(self.beginning(flow), port)
        return 0

    cdef void _allow(self, Beginning* beginning, uint16_t port) noexcept nogil:
        """Note which families are looked for at a server's port."""
        cdef int family
        for family in range(<int>self.gates.bits.shape[0]):
            if self.rule_of[family] >= 0 and self.paths.port_fits(&self.rules[self.rule_of[family]], port):
                beginning.families |= <uint32_t>1 << family
                beginning.bits |= self.gates.bits[family]

    cdef int _look(self, Beginning* beginning, bint late) except -1 nogil:
        """From now on, look into the tunnel; late : only for patterns without `<`."""
        cdef uint32_t at = self.unused
        cdef Tunnel* tunnel
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
        self.runs.open(tunnel, beginning.hellos, late)
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
        return self.runs.close(self.row(at), state, passed) if at else 0

    cdef bint token(self, uint32_t flow, FlowState* state, Token* token) except -1 nogil:
        """A token of the flow; False: nothing can come of the tunnel any more, and it is forgotten."""
        cdef Beginning* beginning = self.beginning(flow)
        cdef Gate gate
        cdef bint goes_on
        if beginning.tunnel:
            goes_on = self.runs.token(self.row(beginning.tunnel), state, token)
        else:
            gate = self.gates.take(beginning, token.size * token.direction, token.passed)
            if gate == SHUT:
                return True
            goes_on = gate == OPEN or beginning.families & self.paths.loose
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
                self.runs.close(tunnel, state, one.passed)
            if not self.runs.token(tunnel, state, &one):
                return False
        return True

    cdef int end(self, uint32_t flow, FlowState* state, int passed, bint seen) except -1 nogil:
        """Nothing more will come."""
        cdef uint32_t at = self.beginning(flow).tunnel
        if at:
            self.runs.end(self.row(at), state, passed, seen)
        self.free(flow)
        return 0
