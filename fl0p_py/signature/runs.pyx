# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Runs: what is sent through a tunnel, taken apart.

A *run* is a burst of the outer flow: what one side sends until the other speaks or a pause comes.  The one
that ends the handshake and what the server says of its own (tickets, its Finished) are taken off; a run of
the server is cut behind them where a token ends.  The rest is data, explained by the paths (paths.pyx), the
last record of which may be an alert.

A carrier that is still possible has a *place* in front of all patterns from the tunnel's opening on.  All of
that is done once for all patterns, and they share positions, so a flow without anything inside loses its
places after a few runs.
"""

from libc.string cimport memcpy

from fl0p_py.signature.place cimport (
    ALERTED, EXPECT_CLIENT, EXPECT_SERVER, LATE, MOST_STATES, TICKETED, USUAL_READ,
)
from fl0p_py.signature.state cimport AT_CLOSE, AT_END, AT_SILENCE, AT_SILENT_END


cdef class Runs:
    """positions : the machine's; carriers : the paths'"""

    def __init__(self, Paths paths, positions, carriers):
        self.paths, self.positions, self.carriers = paths, positions, carriers

    cdef void open(self, Tunnel* tunnel, uint32_t hellos, bint late) noexcept nogil:
        """Put a place for each of the carriers before all patterns, or (late) those without `<`."""
        cdef Place* place
        cdef int i
        for i in range(<int>self.carriers.shape[0]):
            if not self.carriers[i].hellos & hellos:
                continue
            place = &tunnel.before[tunnel.befores]
            tunnel.befores += 1
            place.carrier, place.flags = <uint8_t>i, EXPECT_CLIENT | LATE if late else EXPECT_CLIENT
            if self.carriers[i].server or self.carriers[i].high:
                place.flags |= EXPECT_SERVER

    cdef bint token(self, Tunnel* tunnel, FlowState* state, Token* token) except -1 nogil:
        """A token; False: nothing can come of the tunnel any more."""
        if tunnel.direction == 0:
            tunnel.direction, tunnel.passed = <int8_t>token.direction, token.passed
        tunnel.sum += token.size
        if tunnel.over:
            return tunnel.over != 1 or self._only_late(tunnel)
        self.tunnel = tunnel
        self.paths.begin(tunnel, state, token.number)
        tunnel.late = token.size >= USUAL_READ
        if tunnel.late:
            return True     # more of the same will follow, or the run is over: then there is time enough
        self._evaluate()
        tunnel.over = not self.paths.more
        return tunnel.behinds > 0 or self.paths.more

    cdef int close(self, Tunnel* tunnel, FlowState* state, int passed) except -1 nogil:
        """The present run is over, by a token of the other direction, or by a gap of `passed` thresholds."""
        cdef uint8_t wanted = AT_CLOSE
        if tunnel.direction == 0:
            return 0
        self.tunnel = tunnel
        self.paths.begin(tunnel, state, state.number)
        self._catch_up()
        if passed:
            wanted |= AT_SILENCE
        self._finals(wanted, passed)
        memcpy(tunnel.before, tunnel.behind, sizeof(tunnel.before))
        tunnel.befores = tunnel.behinds
        tunnel.direction, tunnel.sum, tunnel.over, tunnel.behinds = 0, 0, 0, 0
        return 0

    cdef int end(self, Tunnel* tunnel, FlowState* state, int passed, bint seen) except -1 nogil:
        """Nothing more will come; seen : the flow's end was."""
        cdef uint8_t wanted = AT_CLOSE
        if tunnel.direction == 0:
            return 0
        if seen:
            wanted |= AT_END
            if passed:
                wanted |= AT_SILENCE | AT_SILENT_END
        self.tunnel = tunnel
        self.paths.begin(tunnel, state, state.number)
        self._catch_up()
        return self._finals(wanted, passed)

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

    cdef int _evaluate(self) except -1 nogil:
        """Find the places behind the run as it is now."""
        cdef Tunnel* tunnel = self.tunnel
        cdef Carrier* carrier
        cdef uint8_t flags
        cdef int i, n = tunnel.befores
        tunnel.behinds = 0
        self.paths.more = False
        if not tunnel.own:
            self._look_for_end()
        for i in range(n):
            self.place = self.paths.place = &tunnel.before[i]
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
                        self.paths.more = True
                    if tunnel.sum == tunnel.tickets:
                        self.paths.add(self.place.at, flags)
                self._data(tunnel.sum - self.place.base, flags)
        if tunnel.direction < 0:
            for i in range(n):
                self.place = self.paths.place = &tunnel.before[i]
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
                self.paths.add(0, flags)
            if rest <= 0:
                self.paths.more = True
            elif not carrier.alone:
                self._data(rest, flags)
        return 0

    cdef int _servers_own(self, Carrier* carrier) except -1 nogil:
        """The server's first run: tickets, its Finished, and what it may have written behind that."""
        cdef uint8_t flags = self.place.flags & ~EXPECT_SERVER
        cdef int64_t rest = self.tunnel.sum - carrier.server
        if rest <= carrier.high:
            self.paths.more = True
        if not carrier.server and carrier.low <= rest <= carrier.high:
            self.tunnel.tickets = <int32_t>rest
            self.paths.add(self.place.at, flags | TICKETED)
        elif carrier.server and rest == 0 or carrier.low <= rest <= carrier.high:
            self.paths.add(self.place.at, flags)
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
                self.paths.overflow += 1
                return
            new = &tunnel.before[tunnel.befores]
            tunnel.befores += 1
            new[0] = self.place[0]
            new.flags &= ~(EXPECT_SERVER | TICKETED)
            new.base = <uint16_t>tunnel.sum

    cdef int _data(self, int64_t size, uint8_t flags) except -1 nogil:
        """Explain so many bytes as records, the last of which may be an alert."""
        cdef Carrier* carrier = &self.carriers[self.place.carrier]
        cdef bint loose = (self.paths.loose & self.tunnel.families) != 0
        if size == carrier.alert and self._may_end():
            self.paths.add(self.place.at, flags | ALERTED)
        if size <= carrier.alert:
            self.paths.more = True
        if loose and self.place.at == 0 and size > 0 and not flags & ALERTED:
            self.paths.add(0, flags | LATE)
        if flags & ALERTED:
            return 0
        if self.place.at == 0 and flags & LATE and size > self.paths.loose_high[self.tunnel.direction < 0]:
            return 0
        self.paths.explain(size, flags)
        if size > carrier.alert and self.paths.to_end[self.place.at, self.tunnel.direction < 0]:
            self.paths.explain(size - carrier.alert, flags | ALERTED)
        return 0

    cdef bint _may_end(self) noexcept nogil:
        """Whether a pattern is complete at the place if the flow's end comes."""
        cdef uint32_t at = self.place.at
        return at and self.positions[at - 1].final & (AT_END | AT_SILENT_END)

    cdef int _finals(self, uint8_t wanted, int passed) except -1 nogil:
        """Complete what a run's end, silence or the flow's end complete."""
        cdef Tunnel* tunnel = self.tunnel
        cdef Position* position
        cdef uint8_t final
        cdef int i
        for i in range(tunnel.behinds):
            if tunnel.behind[i].at == 0:
                continue
            position = &self.positions[tunnel.behind[i].at - 1]
            final = position.final & wanted
            if position.threshold >= passed:
                final &= ~(AT_SILENCE | AT_SILENT_END)
            if tunnel.behind[i].flags & ALERTED:
                final &= AT_END | AT_SILENT_END
            if final:
                self.paths.complete(tunnel.behind[i].at - 1, tunnel.behind[i].carrier)
        return 0
