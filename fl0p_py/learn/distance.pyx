# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""How unlike two sequences are, and which of many belong together.

The distance is an edit distance over the first LOOK tokens.  Tokens of one direction replace each other at
a cost that grows with the ratio of their sizes; tokens of two directions never do.  One that continues
a run of its direction comes and goes cheaply, since networks cut what is sent as they like.  A pause on one
side alone costs a little, and so does another port, which tells short sequences apart more than long ones.
All costs shrink with the place in the sequence: how a conversation begins says what it is, the rest what it
was used for.  It is given in thousandths of what the longer sequence would cost if it were not there at all.

    cost of      at places i, j         times the weight of
    replacing    min(FULL, |log ratio|) (weight[i] + weight[j]) / 2
                 + PAUSE if one paused
    leaving out  FULL, or RUN           weight[i]
    another port PORT                   weight[0]

`leaders` goes through sequences once and lets each join the nearest of those before it that lead a cluster,
or lead one itself.  Which ones it is compared with is voted for by what the two have in common: the size
at each of the first places, neighbouring pairs, the port with the first size.  Bounds: ROOM leaders for
each feature, TRIED comparisons for each sequence, so that time grows with the number of sequences alone.

SAFETY: arrays are checked against each other by `Tokens`; places in `votes` and `leads` are numbers of
leaders, of which there are at most as many as sequences; slots are taken modulo SLOTS.
The twin is tests/learn/twin_distance.py.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

LOOK = _LOOK
FULL = _FULL
OCTAVE = _OCTAVE

cdef enum:
    _LOOK = 64          # tokens of a sequence that count
    _OCTAVE = 64        # a factor of two between sizes
    _FULL = 64          # cost of another token altogether
    RUN = 16            # of one more or less in a run
    PAUSE = 10
    PORT = 24
    HEAVY = 64          # weight of the first token;
    FADING = 8          # at this place it is half of that
    BAND = 16           # places that may lie between two tokens that replace each other, beside the lengths
    NOT_NEAR = 1 << 30
    LARGEST = 4000      # thousandths; no distance is as large

    SLOTS = 1 << 15     # of the table of features
    ROOM = 256          # leaders that are remembered for each
    TRIED = 48          # leaders that a sequence is compared with
    PLACES = 6          # first places whose size is a feature
    PAIRS = 12          # first places whose pairs are
    HALF = 5            # bits of a size class: half an octave
    WHOLE = 6           # of a coarse one: an octave


cdef class Tokens:
    """Sequences, ready to be compared.

    log     : int32[total], OCTAVE * log2 of the size
    kind    : uint8[total], 1 from the client, 2 paused before it, 4 continues a run
    offsets : int64[n + 1]
    group   : uint8[n], sequences of two groups are never alike
    port    : uint16[n], the server's, 0 where it says nothing
    """

    cdef const int32_t[::1] log
    cdef const uint8_t[::1] kind
    cdef const int64_t[::1] offsets
    cdef const uint8_t[::1] group
    cdef const uint16_t[::1] port
    cdef int32_t weight[_LOOK]
    cdef Py_ssize_t n

    def __init__(self, log, kind, offsets, group, port):
        if len(offsets) != len(group) + 1 or len(port) != len(group) or len(log) != len(kind):
            raise ValueError("arrays of different lengths")
        if offsets[0] != 0 or offsets[len(group)] != len(log) or (np.diff(offsets) < 1).any():
            raise ValueError("offsets do not cut the tokens into sequences")
        self.log, self.kind, self.offsets, self.group, self.port = log, kind, offsets, group, port
        self.n = len(group)
        for i in range(_LOOK):
            self.weight[i] = HEAVY * FADING // (FADING + i)

    def __len__(self):
        return self.n

    def distances(self, const int64_t[::1] one, const int64_t[::1] other):
        """int32[k], thousandths, of the pairs (one[i], other[i])."""
        cdef Py_ssize_t i
        cdef int32_t[::1] out = np.zeros(len(one), np.int32)
        if one.shape[0] != other.shape[0]:
            raise ValueError("as many on both sides are expected")
        for i in range(one.shape[0]):
            if not (0 <= one[i] < self.n and 0 <= other[i] < self.n):
                raise IndexError(f"pair {i} names a sequence that does not exist")
        with nogil:
            for i in range(one.shape[0]):
                out[i] = self.distance(one[i], other[i], NOT_NEAR)
        return np.asarray(out)

    def leaders(self, const int64_t[::1] order, int limit, progress=None):
        """int64[n]: for each sequence the one that leads its cluster (a leader: itself).

        order    : int64[n], all sequences; those that come first lead
        limit    : largest distance within a cluster, thousandths
        progress : called now and then with the number of sequences that have been looked at, of 2 * n
        """
        cdef int64_t[::1] leader = np.full(self.n, -1, np.int64)
        cdef Vote vote = Vote(self.n)
        cdef Py_ssize_t at = 0, end
        cdef bint again
        if not np.array_equal(np.sort(np.asarray(order)), np.arange(self.n)):
            raise ValueError("order does not name each sequence once")
        for again in range(2):  # once more, for leaders that came later
            at = 0
            while at < self.n:
                end = min(at + 2048, self.n)
                with nogil:
                    self.lead(order, at, end, limit, leader, vote, again)
                at = end
                if progress is not None:
                    progress(again * self.n + at)
        return np.asarray(leader)

    cdef int lead(self, const int64_t[::1] order, Py_ssize_t at, Py_ssize_t end, int limit,
                  int64_t[::1] leader, Vote vote, bint again) noexcept nogil:
        cdef Py_ssize_t i, k, tried
        cdef int64_t one, best
        cdef int32_t nearest, found
        for i in range(at, end):
            one = order[i]
            if again and leader[one] == one:
                continue
            best, nearest = -1, limit + 1
            tried = self.candidates(one, vote)
            for k in range(tried):
                found = self.distance(one, vote.leads[vote.chosen[k]], nearest)
                if found < nearest:
                    nearest, best = found, vote.leads[vote.chosen[k]]
            if best >= 0:
                leader[one] = best
            elif not again:
                leader[one] = one
                self.remember(one, vote)
        return 0

    cdef int32_t distance(self, int64_t one, int64_t other, int32_t limit) noexcept nogil:
        """Thousandths; some number of at least `limit` where it is no less than that."""
        cdef int32_t above[_LOOK + 2]
        cdef int32_t row[_LOOK + 2]
        cdef int64_t a = self.offsets[one], b = self.offsets[other]
        cdef int m = <int> min(self.offsets[one + 1] - a, _LOOK)
        cdef int n = <int> min(self.offsets[other + 1] - b, _LOOK)
        cdef int i, j, low, high
        cdef int32_t whole = 0, most, least, best, gone, port
        if self.group[one] != self.group[other]:
            return NOT_NEAR
        above[0] = 0
        for j in range(1, n + 1):
            above[j] = above[j - 1] + self.leave_out(b, j - 1)
        for i in range(m):
            whole += self.leave_out(a, i)
        whole = max(whole, above[n])
        port = PORT * HEAVY if self.port[one] != self.port[other] else 0
        most = <int32_t> (<int64_t> min(limit, LARGEST) * whole // 1000) - port
        for i in range(1, m + 1):
            low = max(1, i - BAND - max(0, m - n))
            high = min(n, i + BAND + max(0, n - m))
            gone = self.leave_out(a, i - 1)
            row[low - 1] = least = above[0] + gone if low == 1 else NOT_NEAR
            for j in range(low, high + 1):
                best = min(above[j] + gone, row[j - 1] + self.leave_out(b, j - 1))
                if (self.kind[a + i - 1] ^ self.kind[b + j - 1]) & 1 == 0:
                    best = min(best, above[j - 1] + self.replace(a, i - 1, b, j - 1))
                row[j] = best
                least = min(least, best)
            if least > most:
                return max(limit, <int32_t> (<int64_t> 1000 * (least + port) // whole))
            if high < n:
                row[high + 1] = NOT_NEAR    # the next row may look there
            for j in range(low - 1, min(n, high + 1) + 1):
                above[j] = row[j]
        return <int32_t> (<int64_t> 1000 * (above[n] + port) // whole)

    def place(self, int64_t one, int64_t other):
        """int32[n]: for each token of `other` the one of `one` that replaces it on the way that costs least;
        -1 none."""
        if not (0 <= one < self.n and 0 <= other < self.n):
            raise IndexError("no such sequence")
        found = np.full(min(self.offsets[other + 1] - self.offsets[other], _LOOK), -1, np.int32)
        self.trace(one, other, found)
        return found

    cdef int trace(self, int64_t one, int64_t other, int32_t[::1] found) noexcept nogil:
        """The whole table, without a band, and the way back through it."""
        cdef int32_t table[_LOOK + 1][_LOOK + 1]
        cdef int64_t a = self.offsets[one], b = self.offsets[other]
        cdef int m = <int> min(self.offsets[one + 1] - a, _LOOK)
        cdef int n = <int> found.shape[0]
        cdef int i, j
        table[0][0] = 0
        for j in range(1, n + 1):
            table[0][j] = table[0][j - 1] + self.leave_out(b, j - 1)
        for i in range(1, m + 1):
            table[i][0] = table[i - 1][0] + self.leave_out(a, i - 1)
            for j in range(1, n + 1):
                table[i][j] = min(table[i - 1][j] + self.leave_out(a, i - 1),
                                  table[i][j - 1] + self.leave_out(b, j - 1))
                if (self.kind[a + i - 1] ^ self.kind[b + j - 1]) & 1 == 0:
                    table[i][j] = min(table[i][j], table[i - 1][j - 1] + self.replace(a, i - 1, b, j - 1))
        i, j = m, n
        while i > 0 and j > 0:
            if ((self.kind[a + i - 1] ^ self.kind[b + j - 1]) & 1 == 0
                    and table[i][j] == table[i - 1][j - 1] + self.replace(a, i - 1, b, j - 1)):
                i -= 1
                j -= 1
                found[j] = i
            elif table[i][j] == table[i - 1][j] + self.leave_out(a, i - 1):
                i -= 1
            else:
                j -= 1
        return 0

    cdef inline int32_t leave_out(self, int64_t a, int i) noexcept nogil:
        return (RUN if self.kind[a + i] & 4 else _FULL) * self.weight[i]

    cdef inline int32_t replace(self, int64_t a, int i, int64_t b, int j) noexcept nogil:
        cdef int32_t ratio = self.log[a + i] - self.log[b + j]
        cdef int32_t cost = min(_FULL, ratio if ratio >= 0 else -ratio)
        if (self.kind[a + i] ^ self.kind[b + j]) & 2:
            cost += PAUSE
        return cost * (self.weight[i] + self.weight[j]) // 2

    cdef int remember(self, int64_t one, Vote vote) noexcept nogil:
        """Note a new leader under its features."""
        cdef uint32_t feature[PLACES + PAIRS + 1]
        cdef int count = self.features(one, feature, 0)
        cdef int i
        for i in range(count):
            vote.note(feature[i])
        vote.leads[vote.n] = one
        vote.n += 1
        return 0

    cdef Py_ssize_t candidates(self, int64_t one, Vote vote) noexcept nogil:
        """Put the leaders that have most in common into vote.chosen; how many."""
        cdef uint32_t feature[2 * PLACES + PAIRS + 1]
        cdef int count = self.features(one, feature, 1)
        cdef int i
        for i in range(count):
            vote.cast(feature[i])
        return vote.elect()

    cdef int features(self, int64_t one, uint32_t* feature, bint near) noexcept nogil:
        """Write the features of a sequence; near : for the first places those of the next class too."""
        cdef int64_t a = self.offsets[one]
        cdef int m = <int> min(self.offsets[one + 1] - a, _LOOK)
        cdef uint32_t seed = self.group[one]
        cdef int i, count = 0, side
        for i in range(min(m, PLACES)):
            feature[count] = mixed(seed, 2 * i + (self.kind[a + i] & 1), self.log[a + i] >> HALF, 1)
            count += 1
            if near:
                side = 1 if self.log[a + i] >> (HALF - 1) & 1 else -1
                feature[count] = mixed(
                    seed, 2 * i + (self.kind[a + i] & 1), (self.log[a + i] >> HALF) + side, 1)
                count += 1
        for i in range(min(m, PAIRS) - 1):
            feature[count] = mixed(
                seed,
                (self.log[a + i] >> WHOLE) * 2 + (self.kind[a + i] & 1),
                (self.log[a + i + 1] >> WHOLE) * 2 + (self.kind[a + i + 1] & 1), 2)
            count += 1
        feature[count] = mixed(seed, self.port[one] * 2 + (self.kind[a] & 1), self.log[a] >> WHOLE, 3)
        return count + 1


cdef inline uint32_t mixed(uint32_t seed, uint32_t one, uint32_t other, uint32_t sort) noexcept nogil:
    """A slot for these numbers; finaliser of MurmurHash3 (Appleby, public domain)."""
    cdef uint32_t key = seed * 0x9E3779B1U ^ one * 0x85EBCA77U ^ other * 0xC2B2AE3DU ^ sort * 0x27D4EB2FU
    key = (key ^ key >> 16) * 0x85EBCA6BU
    key = (key ^ key >> 13) * 0xC2B2AE35U
    return (key ^ key >> 16) % SLOTS


cdef class Vote:
    """The leaders so far, and which of them share features with a sequence."""

    cdef int32_t[:, ::1] slots      # leaders by feature,
    cdef int32_t[::1] used          # and how many of each
    cdef int32_t[::1] votes
    cdef int32_t[::1] touched
    cdef int64_t[::1] leads         # sequence of each leader
    cdef Py_ssize_t n, n_touched
    cdef int32_t chosen[TRIED]

    def __init__(self, most):
        self.slots = np.zeros((SLOTS, ROOM), np.int32)
        self.used = np.zeros(SLOTS, np.int32)
        self.votes = np.zeros(most + 1, np.int32)
        self.touched = np.zeros(most + 1, np.int32)
        self.leads = np.zeros(most + 1, np.int64)

    cdef int note(self, uint32_t slot) noexcept nogil:
        cdef int32_t used = self.used[slot]
        if used < ROOM and not (used and self.slots[slot, used - 1] == self.n):
            self.slots[slot, used] = <int32_t> self.n
            self.used[slot] = used + 1
        return 0

    cdef int cast(self, uint32_t slot) noexcept nogil:
        cdef int32_t i, leader
        for i in range(self.used[slot]):
            leader = self.slots[slot, i]
            if self.votes[leader] == 0:
                self.touched[self.n_touched] = leader
                self.n_touched += 1
            self.votes[leader] += 1
        return 0

    cdef Py_ssize_t elect(self) noexcept nogil:
        """The TRIED leaders with most votes, of equals the earlier; clears the votes."""
        cdef Py_ssize_t i, k, count = 0
        cdef int32_t leader
        for i in range(self.n_touched):
            leader = self.touched[i]
            if count == TRIED and not self.before(leader, self.chosen[TRIED - 1]):
                continue
            k = count if count < TRIED else TRIED - 1
            while k > 0 and self.before(leader, self.chosen[k - 1]):
                self.chosen[k] = self.chosen[k - 1]
                k -= 1
            self.chosen[k] = leader
            count = min(count + 1, TRIED)
        for i in range(self.n_touched):
            self.votes[self.touched[i]] = 0
        self.n_touched = 0
        return count

    cdef inline bint before(self, int32_t one, int32_t other) noexcept nogil:
        if self.votes[one] != self.votes[other]:
            return self.votes[one] > self.votes[other]
        return one < other
