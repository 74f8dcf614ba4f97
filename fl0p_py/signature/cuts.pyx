# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Cuts: the tables of gates.pyx, made once for a compiled set.

A *run* of an inner flow is one token after another of one direction without a pause, or one burst; a *step*
leads from a run to the next.  A cut of an automaton is a set of steps such that no way from its beginning to
a completion goes past all of them.  The one taken is that whose likeliest step is as unlikely as can be, if
all powers of two are equally likely as bytes of a run.

Bounds: MOST_FAMILIES families (further ones count as the last one), 64 bits (more steps share them),
MOST_WAYS ways through a run (more are taken for any size within their bounds).

SAFETY: positions, edges and entries come from the compiler, which numbers them.
"""

import numpy as np

from libc.math cimport log2
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fl0p_py.signature.gates cimport MOST_AFTER, MOST_FAMILIES, MOST_OVERHEADS, SIZES, class_of
from fl0p_py.signature.place cimport MOST_DEPTH, MOST_RECORDS, records_of
from fl0p_py.signature.state cimport AT_END, AT_SILENT_END, NO_GAP, SOME_GAP, Edge, Position

cdef enum:
    BITS = 64
    MOST_WAYS = 64
    UNCLEAR = 2             # runs at a flow's beginning
    PAUSES = 4              # steps with a pause before them are so much less likely


def tables(positions, edges, entries, variants, carriers):
    """What Gates asks for, as arrays.

    positions, edges, entries, variants : of a compiled set; carriers : tunnel.carrier_table()
    """
    return Cuts(positions, edges, entries, variants, carriers).tables()


cdef class Cuts:
    cdef Position[::1] positions
    cdef Edge[::1] edges
    cdef const uint8_t[::1] carried             # of each signature: it has a variant
    cdef object family_of
    cdef int families, n_overheads
    cdef int32_t most_overhead
    cdef int32_t[MOST_OVERHEADS] overheads, slacks, alerts
    cdef const int32_t[:, ::1] finals
    cdef uint64_t[:, :, :, ::1] now
    cdef uint64_t[:, :, ::1] earlier
    cdef uint64_t[::1] after
    cdef uint64_t[::1] bits
    cdef uint8_t[::1] leads_on
    cdef double[::1] chance                     # of each edge
    cdef int32_t[::1] seen                      # of each position, the last search that came to it
    cdef int32_t[::1] least                     # of each, runs before the one that it may be in
    cdef int64_t[::1] forward, backward         # of each, most bytes of a run from it on, and up to it
    cdef uint32_t[::1] stack
    cdef int32_t search
    cdef uint64_t bit                           # of the step that is being written
    cdef int budget

    def __init__(self, positions, edges, entries, variants, carriers):
        self.positions, self.edges = positions, edges
        self.carried = (np.asarray(variants) >= 0).any(1).astype(np.uint8)
        overheads = list(dict.fromkeys([tuple(row[1:4]) for row in carriers.tolist()]))
        if len(overheads) > MOST_OVERHEADS:
            raise ValueError("too many different overheads")
        self.n_overheads = len(overheads)
        self.most_overhead = max([sum(one[:2]) for one in overheads], default=0)
        for number, (overhead, slack, alert) in enumerate(overheads):
            self.overheads[number], self.slacks[number], self.alerts[number] = overhead, slack, alert
        self.finals = _finals(carriers, overheads)
        self.now = np.zeros((len(overheads), 2, 2, SIZES), np.uint64)
        self.earlier = np.zeros((len(overheads), 2, SIZES), np.uint64)
        self.after = np.zeros(MOST_AFTER, np.uint64)
        owners, family_of = np.unique(np.asarray(entries)[:, 3], return_inverse=True)
        family_of = family_of.reshape(-1)
        self.family_of = np.minimum(family_of, MOST_FAMILIES - 1).astype(np.int32)
        self.families = min(len(owners), MOST_FAMILIES)
        self.chance = np.zeros(len(edges), np.float64)
        self.seen = np.zeros(len(positions), np.int32)
        self.least = np.zeros(len(positions), np.int32)
        self.forward = np.zeros(len(positions), np.int64)
        self.backward = np.zeros(len(positions), np.int64)
        self.leads_on = np.ones(len(positions), np.uint8)
        self.stack = np.zeros(len(positions) + len(entries), np.uint32)
        families = [
            self._cut([tuple(first[:2]) for first in entries[family_of == number].tolist()])
            for number in range(len(owners))
        ]
        self._share_bits(families)

    # The tables.

    def tables(self):
        now = np.asarray(self.now)
        arrays = (
            now, np.bitwise_or.accumulate(now, axis=3), self.earlier, self.after, self.bits, self.family_of,
            self.leads_on, self.finals,
        )
        return tuple([np.asarray(array) for array in arrays])

    def _cut(self, firsts):
        """The steps of the cut of an automaton that begins at (position, condition)s: those that are alike
        together, as (position or -1, position, condition, most runs before the first)."""
        cdef uint32_t at, one
        cdef Position* here
        cdef Edge* edge
        members = self._carried(self._reached(firsts, -1.0, {}))
        self._bound_runs(members)
        self._count_runs(firsts, members)
        begins = {(at, condition): self._rate(-1, at, condition) for at, condition in firsts}
        levels = set(begins.values())
        for at in members:
            here = &self.positions[at]
            for one in range(here.edge, here.edge + here.edges):
                edge = &self.edges[one]
                if self._between(here, edge):
                    self.chance[one] = self._rate(at, edge.to, edge.condition)
                    levels.add(self.chance[one])
        levels = sorted(levels)
        low, high = 0, len(levels) - 1
        while low < high:
            middle = (low + high) // 2
            if self._completes(self._reached(firsts, levels[middle], begins)):
                low = middle + 1
            else:
                high = middle
        level = levels[low]
        # of steps as unlikely, those that are reached first, or those behind which none is needed
        first, last = set(self._reached(firsts, level, begins)), self._leads_on(members, level)
        cuts = [
            self._steps(begins, first, level, lambda before, at: before < 0 or before in first),
            self._steps(begins, members, level, lambda before, at: at in last),
        ]
        return min(cuts, key=lambda steps: sum([chance for _, chance in steps]))

    def _carried(self, members):
        """Those from which a pattern can be complete that is looked for."""
        cdef uint32_t at
        for at in set(members) - self._leads_on(members, -1.0):
            self.leads_on[at] = False
        return [at for at in members if self.leads_on[at]]

    def _leads_on(self, members, double level):
        """Positions from which a pattern can be complete with none but likelier steps."""
        cdef uint32_t at, one
        cdef Position* here
        cdef Edge* edge
        found = {at for at in members if self._is_last(at)}
        grown = True
        while grown:
            grown = False
            for at in reversed(members):
                if at in found:
                    continue
                here = &self.positions[at]
                for one in range(here.edge, here.edge + here.edges):
                    edge = &self.edges[one]
                    if edge.to in found and (
                        self._within(here, edge) or (self._between(here, edge) and self.chance[one] > level)
                    ):
                        found.add(at)
                        grown = True
                        break
        return found

    def _steps(self, begins, members, double level, wanted):
        """Those wanted of the steps from members that are no likelier than `level`, with their chances; of
        like ones the first."""
        cdef uint32_t at, one
        cdef Position* here
        cdef Edge* edge
        steps = {}
        for (at, condition), chance in begins.items():
            if chance <= level and wanted(-1, at):
                kind = self._kind(-1, at, condition)
                steps.setdefault(kind, ((-1, at, condition, condition == SOME_GAP), chance))
        for at in members:
            here = &self.positions[at]
            for one in range(here.edge, here.edge + here.edges):
                edge = &self.edges[one]
                if self._between(here, edge) and self.chance[one] <= level and wanted(at, edge.to):
                    step = (at, edge.to, edge.condition, self.least[at] + 1), self.chance[one]
                    kind = self._kind(at, edge.to, edge.condition)
                    steps[kind] = min(step, steps.get(kind, step), key=lambda known: known[0][3])
        return list(steps.values())

    def _share_bits(self, families):
        """Give each family bits of its own, as many as it has steps if there are so many, and write these."""
        most = BITS
        while most > 1 and sum([min(len(steps), most) for steps in families]) > BITS:
            most -= 1
        self.bits = np.zeros(max(self.families, 1), np.uint64)
        begin = 0
        for family, steps in enumerate(families):
            for number, (step, _) in enumerate(steps):
                self.bit = <uint64_t>1 << (begin + number % most) % BITS
                self.bits[<Py_ssize_t>min(family, MOST_FAMILIES - 1)] |= self.bit
                self._add_step(*step)
            begin += min(len(steps), most)

    def _kind(self, int64_t before, uint32_t at, int condition):
        """What steps have in common that ask the same of sizes."""
        cdef Position* here = &self.positions[at]
        kind = condition == SOME_GAP, here.direction, here.exact_low, here.exact_high, self.forward[at]
        if before < 0:
            return kind
        here = &self.positions[before]
        return *kind, here.direction, here.exact_low, here.exact_high, self.backward[before]

    def _reached(self, firsts, double level, begins):
        """Positions that are reached by steps likelier than `level`; begins : chances of the first."""
        cdef uint32_t one, at
        cdef Position* here
        cdef Edge* edge
        cdef int depth = 0
        self.search += 1
        found = []
        for at, condition in firsts:
            if begins.get((at, condition), 2.0) > level and self.seen[at] != self.search:
                self.seen[at] = self.search
                self.stack[depth] = at
                depth += 1
        while depth:
            depth -= 1
            at = self.stack[depth]
            found.append(at)
            here = &self.positions[at]
            for one in range(here.edge, here.edge + here.edges):
                edge = &self.edges[one]
                if self.seen[edge.to] == self.search:
                    continue
                if self._within(here, edge) or (self._between(here, edge) and (self.chance[one] > level)):
                    self.seen[edge.to] = self.search
                    self.stack[depth] = edge.to
                    depth += 1
        return found

    def _completes(self, members):
        cdef uint32_t at
        for at in members:
            if self._is_last(at):
                return True
        return False

    def _is_last(self, uint32_t at):
        return self.positions[at].final and self.carried[self.positions[at].signature]

    def _bound_runs(self, members):
        """Fill `forward` and `backward`."""
        cdef int32_t overhead = self.most_overhead
        cdef uint32_t at, one
        cdef int64_t own
        cdef Position* here
        cdef Edge* edge

        for at in members:
            here = &self.positions[at]
            own = here.exact_high + records_of(here) * overhead
            self.forward[at] = self.backward[at] = own
        for _ in range(MOST_DEPTH):
            changed = False
            for at in members:
                here = &self.positions[at]
                for one in range(here.edge, here.edge + here.edges):
                    edge = &self.edges[one]
                    if not self._within(here, edge):
                        continue
                    own = here.exact_high + records_of(here) * overhead + self.forward[edge.to]
                    if own > self.forward[at]:
                        self.forward[at], changed = own, True
                    here = &self.positions[edge.to]
                    own = here.exact_high + records_of(here) * overhead + self.backward[at]
                    if own > self.backward[edge.to]:
                        self.backward[edge.to], changed = own, True
                    here = &self.positions[at]
            if not changed:
                break

    def _count_runs(self, firsts, members):
        """Fill `least`."""
        cdef uint32_t at, one
        cdef int32_t runs
        cdef Position* here
        cdef Edge* edge
        for at in members:
            self.least[at] = MOST_AFTER - 1
        for at, condition in firsts:
            self.least[at] = min(self.least[at], condition == SOME_GAP)     # a pause ends the handshake's run
        changed = True
        while changed:
            changed = False
            for at in members:
                here = &self.positions[at]
                for one in range(here.edge, here.edge + here.edges):
                    edge = &self.edges[one]
                    if not self._within(here, edge) and not self._between(here, edge):
                        continue
                    runs = self.least[at] + self._between(here, edge)
                    if runs < self.least[edge.to]:
                        self.least[edge.to], changed = runs, True

    def _rate(self, int64_t before, uint32_t at, int condition):
        """How likely a step is, if all powers of two are: from a position, or -1, to another one.

        Where the handshake's run, or one with tickets, is likely to be among its two, sizes say nothing.
        """
        cdef Position* here = &self.positions[at]
        cdef double chance = self._likely(here.exact_low, self.forward[at])
        if before < 0 or self.least[before] < UNCLEAR:
            return 1
        chance *= self._likely(self.positions[before].exact_low, self.backward[before])
        return chance / PAUSES if condition == SOME_GAP else chance

    def _add_step(self, int64_t before, uint32_t at, int condition, int32_t least):
        """Write a step into the tables; least : runs before it."""
        cdef Position* here = &self.positions[at]
        cdef int32_t records, overhead, slack
        cdef int one, side
        for one in range(condition == SOME_GAP, 2):
            self.budget = MOST_WAYS
            self._from(at, 0, 0, 0, 0, one)
            if self.budget < 0:
                self._fill_now(here.direction < 0, one, here.exact_low, self.forward[at], 1, True)
        for one in range(min(least, MOST_AFTER - 1), MOST_AFTER):
            self.after[one] |= self.bit
        if before < 0:
            for one in range(self.n_overheads):
                for side in range(2):
                    self._fill(&self.earlier[one, side, 0], 0, 1 << 30, 1, 0, 0)
            return
        here = &self.positions[before]
        side, records = here.direction < 0, records_of(here)
        alone = self.backward[before] == here.exact_high + records * self.most_overhead
        for one in range(self.n_overheads):
            if alone:
                overhead, slack = self.overheads[one], self.slacks[one]
                self._fill(
                    &self.earlier[one, side, 0], here.exact_low, here.exact_high, records, overhead, slack
                )
            else:
                self._fill(&self.earlier[one, side, 0], here.exact_low, self.backward[before], 1, 0, 0)

    cdef void _from(
        self, uint32_t at, int64_t low, int64_t high, int32_t records, int depth, int gap
    ) noexcept:
        """Fill in the runs that begin so, and go on with this position."""
        cdef Position* here = &self.positions[at]
        cdef uint32_t one
        self.budget -= 1
        low += here.exact_low
        high += here.exact_high
        records = min(records + records_of(here), MOST_RECORDS)
        self._fill_now(here.direction < 0, gap, low, high, records, here.final & (AT_END | AT_SILENT_END))
        if depth == MOST_DEPTH:
            return
        for one in range(here.edge, here.edge + here.edges):
            if self.budget < 0:
                return
            if self._within(here, &self.edges[one]):
                self._from(self.edges[one].to, low, high, records, depth + 1, gap)

    cdef void _fill_now(
        self, int side, int gap, int64_t low, int64_t high, int32_t records, bint ends
    ) noexcept:
        """ends : the flow may end behind the run, which may hold an alert, then"""
        cdef int one
        cdef int32_t overhead, slack, alert
        for one in range(self.n_overheads):
            overhead, slack, alert = self.overheads[one], self.slacks[one], self.alerts[one]
            self._fill(&self.now[one, side, gap, 0], low, high, records, overhead, slack)
            if ends:
                self._fill(
                    &self.now[one, side, gap, 0], low + alert, high + alert, records, overhead, slack
                )

    cdef void _fill(
        self, uint64_t* row, int64_t low, int64_t high, int32_t records, int32_t overhead, int32_t slack
    ) noexcept:
        """Set the bit for runs of so much data in 1 to `records` records."""
        cdef int32_t n, size
        if high - low >= overhead:      # they overlap
            low, high = low + overhead, high + records * <int64_t>(overhead + slack)
            records, overhead, slack = 1, 0, 0
        for n in range(1, records + 1):
            for size in range(class_of(low + n * overhead), class_of(high + n * (overhead + slack)) + 1):
                row[size] |= self.bit

    cdef bint _within(self, Position* here, Edge* edge) noexcept:
        """Whether the edge stays in a run."""
        cdef Position* there = &self.positions[edge.to]
        return self.leads_on[edge.to] and not (
            here.slot or there.slot or edge.extend or edge.condition == SOME_GAP
            or there.direction != here.direction
        )

    cdef bint _between(self, Position* here, Edge* edge) noexcept:
        """Whether the edge may lead to the next run."""
        return self.leads_on[edge.to] and not edge.extend and (
            self.positions[edge.to].direction != here.direction or edge.condition != NO_GAP
        )

    cdef double _likely(self, int64_t low, int64_t high) noexcept:
        """Of a run with at least so much data, and so many bytes in all."""
        return log2((high + 1) / <double>(low + self.overheads[0])) / 16


def _finals(carriers, overheads):
    """(size, mask of overheads) of messages by which a client ends the handshake."""
    masks = {}
    for row in carriers.tolist():
        for size in row[10 : 10 + row[9]]:
            masks[size] = masks.get(size, 0) | 1 << overheads.index(tuple(row[1:4]))
    return np.array(sorted(masks.items()), np.int32).reshape(-1, 2)
