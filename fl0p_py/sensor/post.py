"""Post: a place in a sensor's crew, whoever fills it at the moment.

A child that fails leaves its post; the post remembers what it had counted and when to try again: after
a second, then after twice as long each time, 30 s at most, and after a second again once a child has
lasted for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fl0p_py.output.stats import Stats, total
from fl0p_py.sensor.channel import Kind
from fl0p_py.sensor.child import Child

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0

LASTED_S = 60.0
"""Whoever ran for so long had no trouble with starting."""

SAY_BURST, SAY_EACH_S = 20, 1.0
"""Lines that a child may say at once, and how often one more: a terminal or journal is not to be flooded."""


@dataclass(slots=True)
class Post:
    """name, start : the child's name, and what forks one (CaptureError, OSError if that is in vain)
    child       : who fills it; None: nobody
    ready       : the child is confined and at work
    over        : the child has said BYE; gone : why its packets ended, from itself
    stats       : what it counted, as it said last; past : what those before it counted
    restarts    : how many replaced another
    owed        : of LOG and SIGNATURES, what the child has still to be told; one that starts knows the latest
    renewing    : it is at work on SIGNATURES, and gets no more of them before it has answered
    refused     : it has not taken the last ones
    trouble     : what was said last about filling it again
    retry_at_s  : when to fill it again; None: not at all
    kill_at_s   : when its child is to be killed, and kill_why, unless it has done before what is due; or None
    heard_s     : when the child was last heard of
    """

    name: str
    start: Callable[[], Child]
    child: Child | None = None
    ready: bool = False
    over: bool = False
    gone: str = ""
    trouble: str = ""
    stats: Stats = field(default_factory=Stats)
    past: Stats = field(default_factory=Stats)
    restarts: int = -1
    owed: set[Kind] = field(default_factory=set)
    renewing: bool = False
    refused: bool = False
    retry_at_s: float | None = None
    kill_at_s: float | None = None
    kill_why: str = ""
    heard_s: float = 0.0
    _started_s: float = 0.0
    _pause_s: float = SHORTEST_PAUSE_S
    _words: float = SAY_BURST
    _worded_s: float = 0.0
    _silenced: int = 0

    def fill(self, now_s: float) -> None:
        self.child = self.start()
        self.restarts += 1
        self.ready, self.over, self.gone = False, False, ""
        self.owed.clear()
        self.renewing = self.refused = False
        self.retry_at_s = self.kill_at_s = None
        self._started_s = self.heard_s = now_s

    def leave(self) -> int:
        """The child has ended; its status as waitpid has it."""
        assert self.child is not None
        status = self.child.reap()
        self.child = None
        self.ready = False
        self.past, self.stats = total([self.past, self.stats]), Stats()
        return status

    def later(self, now_s: float) -> float:
        """Try again after a pause, which is returned."""
        if self._started_s and now_s - self._started_s >= LASTED_S:
            self._pause_s = SHORTEST_PAUSE_S
        self._started_s = 0.0
        pause_s = self._pause_s
        self.retry_at_s = now_s + pause_s
        self._pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return pause_s

    def counted(self) -> Stats:
        return total([self.past, self.stats])

    def may_say(self, now_s: float) -> bool:
        """Whether one more line of its child is to be shown."""
        gained = (now_s - self._worded_s) / SAY_EACH_S
        self._words = min(SAY_BURST, self._words + gained)
        self._worded_s = now_s
        if self._words < 1:
            self._silenced += 1
            return False
        self._words -= 1
        return True

    def silenced(self) -> int:
        """How many lines were not shown since this was asked last."""
        count, self._silenced = self._silenced, 0
        return count
