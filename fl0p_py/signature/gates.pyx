# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Gates: what two runs in a row must be, somewhere in a flow, before any pattern can be complete inside.

Nearly every encrypted flow is no tunnel, and following patterns through it is dear.  So for each family of
patterns (those of one automaton) there is a cut (cuts.pyx): steps from one run to the next, one of which
every flow takes on its way to a completion.  Of SSH it is the client's half of a key exchange with what the
server says then.  Until two runs have sizes that such a step allows, the tokens of a flow are only kept;
then they are gone through as if they came just now (tunnels.pyx).  What is found does not change by that,
but for flows that pass no gate with the tokens that are kept.

    now[this run] & earlier[the run before] & after[number of runs before] & bits of the port's families

Steps are told apart by bits, of which each family has some of its own.  Sizes are those of whole runs, with
records around them; a run that also holds messages of the handshake, or tickets, may have any larger size.

SAFETY: the tables come from cuts.pyx, with as many rows as are indexed here.
"""


cdef class Gates:
    """now, at_most     : uint64[overheads, 2, 2, SIZES], bits by [overhead, side, gap, class of a run's
                          size]; at_most: of that size or a smaller one
    earlier             : uint64[overheads, 2, SIZES], the same of the run before
    after               : uint64[MOST_AFTER], bits for which so many runs before are enough
    bits                : uint64[families]; family_of : int32[entries]
    leads_on            : uint8[positions], 1: a pattern that is looked for can be complete behind it
    finals              : int32[n, 2], sizes by which a client ends the handshake, and masks of overheads
    """

    def __init__(self, now, at_most, earlier, after, bits, family_of, leads_on, finals):
        self.now, self.at_most, self.earlier, self.after = now, at_most, earlier, after
        self.bits, self.family_of, self.leads_on, self.finals = bits, family_of, leads_on, finals

    cdef Gate take(self, Beginning* beginning, int32_t size, int passed) noexcept nogil:
        """Take in a token, signed by direction."""
        cdef int direction = 1 if size > 0 else -1
        cdef uint64_t possible, bits
        cdef int one, side, place, before
        if direction != beginning.direction or passed:
            self._begin_run(beginning, direction, passed)
        beginning.sum += size * direction
        beginning.sizes[beginning.kept], beginning.gaps[beginning.kept] = size, <uint8_t>passed
        beginning.kept += 1
        if beginning.runs == 0 and not beginning.finals:
            self._note_final(beginning)
        if direction < 0 and beginning.answered == 1:
            beginning.tickets = beginning.sum
        if direction < 0 and beginning.answered == 2 and beginning.sum == beginning.tickets:
            beginning.unclear = True    # the other half of the tickets
        possible = beginning.bits & self.after[beginning.runs]
        side, place, before = direction < 0, class_of(beginning.sum), class_of(beginning.before)
        if possible:
            for one in range(<int>self.now.shape[0]):
                if not beginning.overheads >> one & 1:
                    continue
                if beginning.unclear:
                    bits = possible & self.at_most[one, side, beginning.gap, place]
                else:
                    bits = possible & self.now[one, side, beginning.gap, place]
                if bits and not beginning.unclear_before:
                    bits &= self.earlier[one, beginning.direction_before < 0, before]
                if bits:
                    return OPEN
        return FULL if beginning.kept == MOST_KEPT else SHUT

    cdef void _begin_run(self, Beginning* beginning, int direction, int passed) noexcept nogil:
        """The present run is over, and another one begins."""
        cdef bint first = beginning.direction == 0
        if first:
            beginning.unclear_before, beginning.overheads = True, 0xff
        else:
            if beginning.runs == 0 and beginning.finals:
                beginning.overheads = beginning.finals
            beginning.runs = min(beginning.runs + 1, MOST_AFTER - 1)
            beginning.unclear_before = beginning.unclear
            beginning.before, beginning.direction_before = beginning.sum, beginning.direction
        beginning.unclear = first or (direction < 0 and not beginning.answered)
        if direction < 0:
            beginning.answered = min(beginning.answered + 1, 3)
        beginning.direction, beginning.gap, beginning.sum = <int8_t>direction, passed > 0, 0

    cdef void _note_final(self, Beginning* beginning) noexcept nogil:
        """If the handshake may be over where this token ends: then it is."""
        cdef int one
        for one in range(<int>self.finals.shape[0]):
            if self.finals[one, 0] == beginning.sum:
                beginning.finals = <uint8_t>self.finals[one, 1]
