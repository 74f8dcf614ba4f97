"""The engine: events of flows in, results out.

    tracker (two threads of its own) ─► matcher (the caller's thread) ─► results

Iterating over an `Engine` yields, again and again, a structured array of `Result`s (see
signature/record.pxd) in order of packet time.  The rows of the flow table that they name stay
readable until the next step of the iteration; then finished flows are freed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from fl0p_py.decode.decoder import Decoder
from fl0p_py.flow.table import FlowTable
from fl0p_py.signature.matcher import Matcher
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.tracker import Step, Tracker


class Engine:
    """Matches the flows of one tracker against a set of signatures.

    table, matcher, decoder : readable between two steps of the iteration
    position                : bytes of the source consumed so far
    """

    def __init__(self, tracker: Tracker, signatures: SignatureSet) -> None:
        options = tracker.options
        self.tracker = tracker
        self.matcher = Matcher(
            signatures, tracker.table, threshold_ms=options.threshold_ms, fuzzy=options.fuzzy
        )
        self.position = 0

    @property
    def table(self) -> FlowTable:
        return self.tracker.table

    @property
    def decoder(self) -> Decoder:
        return self.tracker.decoder

    @property
    def packets(self) -> int:
        """How many have gone through the flow table so far."""
        return self.tracker.packets

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield results until the source ends.

        Raises CaptureError after the last result if the source was damaged: what came before the
        damage has been processed by then.
        """
        for step in self.tracker:
            with self.table.steady:
                yield from self._match(step)
            self.position = step.position

    def _match(self, step: Step) -> Iterator[NDArray[Any]]:
        """Hand out what comes of the events, then forget the flows that have ended."""
        self.matcher.take(step.events)
        yield from self._run()
        if step.now_ns:
            self.matcher.advance(step.now_ns)
            yield from self._run()
        self.matcher.release()

    def _run(self) -> Iterator[NDArray[Any]]:
        more = True
        while more:
            more = self.matcher.run()
            results: NDArray[Any] = self.matcher.results
            if len(results):
                yield results
