# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""When silence will have lasted: at most one timer a flow, for the flows that wait for one.

A set of signatures has few thresholds, so timers need no sorting: each list holds timers that were
set the same time ahead, and packet time never goes back, so lists are in order of `due_ns`.  A timer
for a higher threshold, set when a lower one has passed, is set less far ahead: it has a list of its own.

SAFETY: links come from the pool itself; thresholds are below 7 (the compiler's bound).
"""

import numpy as np

from libc.stdint cimport int64_t, uint32_t

from fl0p_py.pool import doubled
from fl0p_py.signature.state cimport FlowState

cdef enum:
    THRESHOLDS = 8

cdef int64_t FAR = 0x7FFFFFFFFFFFFFFF


cdef class Timers:
    def __init__(self):
        cdef Timer timer
        self.pool = np.zeros(256, np.asarray(<Timer[:1]>&timer).dtype)
        self.next_due = FAR

    cdef int arm(
        self, FlowState* state, uint32_t flow, int threshold, int before, int64_t due_ns
    ) except -1 nogil:
        """Set the flow's timer, for a threshold that passes after `before` (-1: after the last token)."""
        cdef uint32_t at = state.timer, rank = (before + 1) * THRESHOLDS + threshold
        cdef Timer* timer
        if at:
            self._unlink(at)
        elif self.free:
            at = self.free
            self.free = self.pool[at - 1].after
        else:
            if self.used == <uint32_t>self.pool.shape[0]:
                with gil:
                    self.pool = doubled(self.pool)
            self.used += 1
            at = self.used
        state.timer = at
        timer = &self.pool[at - 1]
        timer.due_ns, timer.flow, timer.threshold, timer.list = due_ns, flow, threshold, rank
        timer.before, timer.after = self.tail[rank], 0
        if self.tail[rank]:
            self.pool[self.tail[rank] - 1].after = at
        else:
            self.head[rank] = at
        self.tail[rank] = at
        if due_ns < self.next_due:
            self.next_due = due_ns
        return 0

    cdef int disarm(self, FlowState* state) except -1 nogil:
        if state.timer:
            self._unlink(state.timer)
            self.pool[state.timer - 1].after = self.free
            self.free = state.timer
            state.timer = 0
        return 0

    cdef Timer* first(self) except NULL nogil:
        """The timer that is due at `next_due`."""
        cdef int rank
        for rank in range(LISTS):
            if self.head[rank] and self.pool[self.head[rank] - 1].due_ns == self.next_due:
                return &self.pool[self.head[rank] - 1]
        with gil:
            raise RuntimeError("no timer is due")

    cdef int _unlink(self, uint32_t at) except -1 nogil:
        cdef Timer* timer = &self.pool[at - 1]
        if timer.before:
            self.pool[timer.before - 1].after = timer.after
        else:
            self.head[timer.list] = timer.after
        if timer.after:
            self.pool[timer.after - 1].before = timer.before
        else:
            self.tail[timer.list] = timer.before
        if timer.due_ns == self.next_due:
            self._look()
        return 0

    cdef int _look(self) except -1 nogil:
        """Find the earliest timer."""
        cdef int rank
        self.next_due = FAR
        for rank in range(LISTS):
            if self.head[rank] and self.pool[self.head[rank] - 1].due_ns < self.next_due:
                self.next_due = self.pool[self.head[rank] - 1].due_ns
        return 0
