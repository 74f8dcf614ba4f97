"""A person at a keyboard, drawn at random.

What is known of typing, and where from:

* Dhakal, Feit, Kristensson, Oulasvirta, "Observations on Typing from 136 Million Keystrokes", CHI 2018:
  over 168,000 typists the inter-key interval has a mean of 239 ms and a standard deviation of 112 ms between
  people; pairs typed with different hands or fingers are faster, repeated keys are not much so; about 6 % of
  the characters are corrections.
* Song, Wagner, Tian, "Timing Analysis of Keystrokes and Timing Attacks on SSH", USENIX Security 2001: the
  intervals of a pair depend on the pair; alternating hands are fastest, digits and symbols slowest.
* Monrose, Rubin, "Keystroke dynamics as a biometric for authentication", 2000: familiar words, one's own
  name and password among them, are typed at a rhythm of their own.

Intervals are log-normal around the mean of the typist and the pair.  Pauses to read, think and recall a
password are log-normal too; their medians are assumptions of ours, wide on purpose.
"""

from __future__ import annotations

import math
from random import Random

from tools.lab.terminal import Terminal

MEAN_KEY_S, SPREAD_KEY_S = 0.239, 0.112
FASTEST_KEY_S = 0.025
"""Rollover: the next key goes down before this one is up; below that it is the keyboard's scan rate."""
LONGEST_THINK_S = 20.0
ENTER, BACKSPACE, TAB, UP, INTERRUPT, END = b"\r", b"\x7f", b"\t", b"\x1b[A", b"\x03", b"\x04"

_ROWS = ("qwertyuiop", "asdfghjkl;", "zxcvbnm,./")
_PLACE = {key: (row, column) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}
_FINGERS = (0, 1, 2, 3, 3, 4, 4, 5, 6, 7)
"""The finger of each column, touch typing; 0 to 3 are the left hand's."""


class Typist:
    """A person; each has a speed, an evenness, a carefulness and a patience of their own."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        sigma = math.sqrt(math.log1p((SPREAD_KEY_S / MEAN_KEY_S) ** 2))
        self.key_s = MEAN_KEY_S * math.exp(-(sigma**2) / 2) * rng.lognormvariate(0, sigma)
        self.unevenness = rng.uniform(0.22, 0.5)
        self.slips = rng.uniform(0.005, 0.06)
        self.think_s = rng.lognormvariate(math.log(1.8), 0.5)
        self.characters_read_s = rng.uniform(40, 250)  # skimming output, not reading a novel
        self._pairs: dict[str, float] = {}

    def interval_s(self, before: str, key: str) -> float:
        """From one key to the next."""
        median_s = self.key_s * self._pair(before, key)
        return max(FASTEST_KEY_S, median_s * self._rng.lognormvariate(0, self.unevenness))

    def _pair(self, before: str, key: str) -> float:
        """How much slower than usual this person types this pair."""
        pair = before + key
        if pair not in self._pairs:
            self._pairs[pair] = _reach(before, key) * self._rng.lognormvariate(0, 0.18)
        return self._pairs[pair]

    def pause_s(self, median_s: float, spread: float = 0.6) -> float:
        return min(LONGEST_THINK_S, median_s * self._rng.lognormvariate(0, spread))

    def think(self, terminal: Terminal) -> None:
        """What to do next?"""
        terminal.pause(0.25 + self.pause_s(self.think_s))

    def read(self, terminal: Terminal, text: str) -> None:
        """Look at what was printed, the longer the more there is."""
        terminal.pause(min(self.pause_s(0.3 + len(text) / self.characters_read_s, 0.3), LONGEST_THINK_S / 2))

    def keys(self, terminal: Terminal, text: str, slips: bool = True) -> None:
        """Type without Enter; with `slips` sometimes a wrong key, noticed at once or a little later."""
        before, position = "", 0
        while position < len(text):
            key = text[position]
            if slips and key in _PLACE and self._rng.random() < self.slips:
                self._slip(terminal, text, position, before)
            self._press(terminal, before, key)
            before, position = key, position + 1

    def _slip(self, terminal: Terminal, text: str, position: int, before: str) -> None:
        """A neighbour of the right key, perhaps a few more keys, the discovery, and all of it taken back."""
        wrong = (
            self._neighbour(text[position])
            + text[position + 1 : position + 1 + self._rng.choice((0, 0, 1, 2))]
        )
        for key in wrong:
            self._press(terminal, before, key)
            before = key
        terminal.pause(self.pause_s(0.45, 0.4))
        for _ in wrong:
            terminal.send(BACKSPACE)
            terminal.pause(max(FASTEST_KEY_S, self.key_s * 0.8 * self._rng.lognormvariate(0, 0.3)))

    def _neighbour(self, key: str) -> str:
        row, column = _PLACE[key]
        keys = _ROWS[row]
        return (
            keys[column - 1]
            if column and (column == len(keys) - 1 or self._rng.random() < 0.5)
            else keys[column + 1]
        )

    def _press(self, terminal: Terminal, before: str, key: str) -> None:
        if before:
            terminal.pause(self.interval_s(before, key))
        terminal.send(key.encode())

    def enter(self, terminal: Terminal) -> None:
        terminal.pause(self.interval_s("a", "p") + (self.pause_s(0.5) if self._rng.random() < 0.15 else 0.0))
        terminal.send(ENTER)

    def line(self, terminal: Terminal, text: str) -> None:
        """Think, type a line, end it."""
        self.think(terminal)
        self.keys(terminal, text)
        self.enter(terminal)

    def answer(self, terminal: Terminal, text: str) -> None:
        """Answer a question that has just appeared (a password, yes or no): recall it, type it with care."""
        terminal.pause(0.35 + self.pause_s(0.9))
        self.keys(terminal, text, slips=False)
        self.enter(terminal)


def _reach(before: str, key: str) -> float:
    """How much slower a pair is than the average one, by the fingers that it takes."""
    here, there = _PLACE.get(before), _PLACE.get(key)
    if key == " " or before == " ":
        return 1.0
    if there is None or here is None:
        return 1.45  # digits, symbols and capitals
    one, other = _FINGERS[here[1]], _FINGERS[there[1]]
    if before == key:
        return 0.9
    if (one < 4) != (other < 4):
        return 0.8
    return 1.25 if one == other else 1.0
