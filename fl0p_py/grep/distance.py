"""Distance: payload searched for text that is like a string (`-e`, `-E`, `-D`).

A window of the string's length slides over the payload; payload shorter than that is one window.  It is a
match where the distance between window and string is at most `most`; for jaccard, which is a similarity
(shared distinct bytes to all distinct bytes, 0 to 1), where it is at least that.

Most payload is never compared.  With k edits allowed, one of k + 1 pieces of the string is in the window
unchanged (2 k + 1 for damerau, whose swap of two bytes may break two pieces), not further than k from its
place; so only windows around such pieces are.  Jaccard has no such pieces and is computed for all windows
of a payload at once.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fl0p_py.grep.pattern import GrepError

LONGEST = 256
"""Bytes of a string; longer ones would need more of a stream than is kept."""


AT_A_TIME = 32
"""Windows that are compared without asking whether to go on."""


class Measure(StrEnum):
    """What -E takes, and how each counts."""

    LEVENSHTEIN = "levenshtein"
    DAMERAU = "damerau"
    HAMMING = "hamming"
    JACCARD = "jaccard"


def _function(measure: Measure) -> Callable[..., int] | None:
    """What compares two strings; none for jaccard, of which all windows are computed at once."""
    from rapidfuzz import distance  # takes a while, and few searches need it

    functions: dict[Measure, Callable[..., int]] = {
        Measure.LEVENSHTEIN: distance.Levenshtein.distance,
        Measure.DAMERAU: distance.DamerauLevenshtein.distance,
        Measure.HAMMING: distance.Hamming.distance,
    }
    return functions.get(measure)


DEFAULT_MOST = {
    Measure.LEVENSHTEIN: 2.0,
    Measure.DAMERAU: 2.0,
    Measure.HAMMING: 2.0,
    Measure.JACCARD: 0.8,
}
"""-D when it is not given."""


def _always() -> None:
    """Go on, whatever it takes."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where in the payload, and how far (how similar, for jaccard) it is."""

    start: int
    end: int
    value: float


@dataclass(frozen=True)
class Distance:
    """A string, how it is compared, and what is accepted; see `checked`.

    function : of two strings; None for jaccard, which is computed for all windows at once
    """

    text: bytes
    measure: Measure
    most: float
    ignore_case: bool
    function: Callable[..., int] | None

    @property
    def length(self) -> int:
        return len(self.text)

    @cached_property
    def pieces(self) -> tuple[tuple[int, bytes], ...]:
        """(place in the string, bytes): one of these is in every match; none for jaccard."""
        if self.measure is Measure.JACCARD:
            return ()
        edits = int(self.most)
        count = 2 * edits + 1 if self.measure is Measure.DAMERAU else edits + 1
        cuts = [len(self.text) * i // count for i in range(count + 1)]
        return tuple((a, self._text[a:b]) for a, b in pairwise(cuts))

    def find(
        self, payload: bytes, after: int = 0, whole: bool = True, go_on: Callable[[], object] = _always
    ) -> Found | None:
        """The first match that ends beyond `after`.

        whole : nothing comes behind the payload; go_on : called now and again, may raise
        """
        if len(payload) < len(self.text) and not whole:
            return None
        searched = payload.lower() if self.ignore_case else payload
        distance = self.function
        if distance is None:
            return self._similar(searched, after)
        length, most = len(self.text), int(self.most)
        for number, start in enumerate(self._windows(searched)):
            window = searched[start : start + length]
            if number % AT_A_TIME == 0:
                go_on()
            if start + len(window) <= after:
                continue
            value = distance(window, self._text, score_cutoff=most)
            if value <= most:
                return Found(start, start + len(window), float(value))
        return None

    @cached_property
    def _text(self) -> bytes:
        return self.text.lower() if self.ignore_case else self.text

    def _windows(self, payload: bytes) -> Iterator[int]:
        """Starts of windows worth comparing, ascending."""
        last = max(0, len(payload) - len(self.text))
        shift = 0 if self.measure is Measure.HAMMING else int(self.most)
        if last == 0:
            yield from (0,) if payload else ()
            return
        start = 0
        for at in heapq.merge(*(_places(payload, piece, place) for place, piece in self.pieces)):
            start = max(start, at - shift)
            stop = min(last, at + shift) + 1
            yield from range(start, stop)
            start = max(start, stop)

    def _similar(self, payload: bytes, after: int) -> Found | None:
        length = min(len(self.text), len(payload))
        if not length:
            return None
        values = self._similarities(np.frombuffer(payload, np.uint8), length)
        values[: max(0, after - length + 1)] = -1
        good = np.flatnonzero(values >= self.most)
        if not len(good):
            return None
        start = int(good[0])
        return Found(start, start + length, float(values[start]))

    def _similarities(self, payload: NDArray[np.uint8], length: int) -> NDArray[np.float64]:
        """Of each window.  A byte counts in the windows in which it is the first of its value."""
        size = len(payload)
        order = np.argsort(payload, kind="stable")
        before = np.full(size, -1, np.int64)
        same = payload[order[1:]] == payload[order[:-1]]
        before[order[1:][same]] = order[:-1][same]
        place = np.arange(size)
        first = np.maximum(before + 1, place - length + 1)
        windows = size - length + 1
        end = np.minimum(place, windows - 1) + 1
        wanted = np.zeros(256, np.bool_)
        wanted[list(self._text)] = True
        counts = []
        for chosen in (first < end, (first < end) & wanted[payload]):
            steps = np.bincount(first[chosen], minlength=windows + 1).astype(np.int64)
            steps -= np.bincount(end[chosen], minlength=windows + 1)
            counts.append(np.cumsum(steps)[:windows])
        distinct, shared = counts
        return np.asarray(shared / (distinct + int(wanted.sum()) - shared), np.float64)


def _places(payload: bytes, piece: bytes, place: int) -> Iterator[int]:
    """Where the string would begin if this piece, `place` bytes behind its start, were where it is found."""
    at = payload.find(piece)
    while at >= 0:
        yield at - place
        at = payload.find(piece, at + 1)


def checked(text: bytes, measure: Measure, most: float | None, ignore_case: bool) -> Distance:
    """What -e, -E and -D ask for; raises GrepError."""
    if not text:
        raise GrepError("-e: there is nothing in the string to be like")
    if len(text) > LONGEST:
        raise GrepError(f"-e: {len(text)} bytes; a string has at most {LONGEST}")
    value = DEFAULT_MOST[measure] if most is None else most
    if measure is Measure.JACCARD:
        if not 0 < value <= 1:
            raise GrepError(f"-D: {value:g} is no similarity: above 0, at most 1")
    elif value != int(value):
        raise GrepError(f"-D: {value:g}: {measure.value} counts whole edits")
    found = Distance(text, measure, value, ignore_case, _function(measure))
    if not all(piece for _, piece in found.pieces):
        raise GrepError(f"-D: {value:g} edits of {len(text)} bytes would accept nearly everything")
    return found
