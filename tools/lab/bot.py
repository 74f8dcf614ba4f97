"""Programs that work a terminal: of several kinds, none of which moves as hands do.

immediate   : each line at once, as soon as it can
fixed       : each line at once, always after the same delay
uniform, exponential : each line at once, after a delay drawn anew from that distribution
keys        : key by key at a fixed interval, as `xdotool type` does, a fixed delay before each line
jittery     : key by key at intervals drawn uniformly, a uniform delay before each line
"""

from __future__ import annotations

from random import Random

from tools.lab.human import ENTER
from tools.lab.terminal import Terminal

KINDS = ("immediate", "fixed", "uniform", "exponential", "keys", "jittery")


class Bot:
    """One program; `kind` is one of KINDS, drawn if not given.  It can be used where a `Typist` can."""

    def __init__(self, rng: Random, kind: str = "") -> None:
        self.kind = kind or rng.choice(KINDS)
        self._rng = rng
        self.delay_s = 0.05 * 60.0 ** rng.random()  # 50 ms to 3 s
        self.key_s = 0.003 * 40.0 ** rng.random()  # 3 to 120 ms

    def _wait(self, terminal: Terminal) -> None:
        if self.kind in ("fixed", "keys"):
            terminal.pause(self.delay_s)
        elif self.kind in ("uniform", "jittery"):
            terminal.pause(self._rng.uniform(0, 2 * self.delay_s))
        elif self.kind == "exponential":
            terminal.pause(min(10.0, self._rng.expovariate(1 / self.delay_s)))

    def think(self, terminal: Terminal) -> None:
        """Programs only wait before they type."""

    def read(self, terminal: Terminal, text: str) -> None:
        """Programs do not read."""

    def line(self, terminal: Terminal, text: str) -> None:
        self._wait(terminal)
        if self.kind not in ("keys", "jittery"):
            terminal.send(text.encode() + ENTER)
            return
        for key in (*text.encode(), *ENTER):
            terminal.send(bytes([key]))
            terminal.pause(self.key_s if self.kind == "keys" else self._rng.uniform(0, 2 * self.key_s))

    def answer(self, terminal: Terminal, text: str) -> None:
        """Answer a question: programs have the password at hand."""
        self._wait(terminal)
        terminal.send(text.encode() + ENTER)
