"""The engine: events of flows in, results out.

    tracker (two threads of its own) ─► matcher (the caller's thread) ─► results

Iterating over an `Engine` yields, again and again, a structured array of `Result`s (see
signature/record.pxd) in order of packet time.  The rows of the flow table that they name stay
readable until the next step of the iteration; then finished flows are freed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from numpy.typing import NDArray

from fl0p_py.decode.decoder import Decoder
from fl0p_py.flow.table import FlowTable
from fl0p_py.signature.adoption import Adoption
from fl0p_py.signature.matcher import Matcher
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.tunnel import with_tunnels
from fl0p_py.tracker import Step, Tracker


class Watcher(Protocol):
    """Who wants to see the tracker's steps themselves; called with each one in turn."""

    def begin(self, step: Step) -> None:
        """Before the step's results are handed out."""

    def end(self) -> None:
        """After them, while the rows that the step names can still be read."""


class Engine:
    """Matches the flows of one tracker against a set of signatures.

    table, matcher, decoder : readable between two steps of the iteration
    signatures              : the set that the results yielded last count in: with the variants that tunnels
                              make of it; see renew()
    position                : bytes of the source consumed so far
    watcher                 : sees the steps too, if there is one
    """

    def __init__(self, tracker: Tracker, signatures: SignatureSet) -> None:
        self.tracker = tracker
        self.matcher = self._matcher(signatures)
        self.position = 0
        self._renewed: Matcher | None = None
        self.watcher: Watcher | None = None

    def _matcher(self, signatures: SignatureSet) -> Matcher:
        options = self.tracker.options
        signatures = with_tunnels(signatures)
        return Matcher(signatures, self.table, threshold_ms=options.threshold_ms, fuzzy=options.fuzzy)

    def renew(self, signatures: SignatureSet) -> None:
        """Go on with another set, from the next step of the tracker on; from any thread.

        Flows in progress are taken over (see `Adoption`).  Whoever has looked at the old `matcher`
        or set does so anew when `signatures` is another one than before.
        """
        self._renewed = self._matcher(signatures)

    @property
    def signatures(self) -> SignatureSet:
        return self.matcher.signatures

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
            if self.watcher is not None:
                self.watcher.begin(step)
            with self.table.steady:
                renewed, self._renewed = self._renewed, None
                if renewed is not None:
                    yield from self._change(renewed)
                yield from self._match(step)
                if self.watcher is not None:
                    self.watcher.end()
            self.position = step.position

    def _change(self, new: Matcher) -> Iterator[NDArray[Any]]:
        """Hand out what the new set finds in the flows so far."""
        adoption = Adoption(new, self.matcher)
        self.matcher = new
        more = True
        while more:
            more = adoption.run()
            if len(new.results):
                yield new.results

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
