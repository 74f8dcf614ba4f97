"""Run: the steps of a tracker through the search, and its hits to whoever wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from fl0p_py.flow.table import FlowTable
from fl0p_py.grep.context import Context
from fl0p_py.grep.hit import Hit
from fl0p_py.stream.chunk_batch import ChunkBatch
from fl0p_py.stream.stream_set import StreamSet
from fl0p_py.tracker import Step


class Seeker(Protocol):
    """A Search or a Judgement."""

    slow: int
    crowded: int

    def hits(self, step: Step, chunks: ChunkBatch) -> list[Hit]: ...


class Taker(Protocol):
    """Gets every step, also those without hits."""

    def take(self, step: Step, chunks: ChunkBatch, hits: Sequence[Hit]) -> None: ...


class Texts:
    """Hits as text or JSON, a write a step.  text : makes it; write : takes it"""

    def __init__(
        self, text: Callable[[Hit], bytes], write: Callable[[bytes], object], context: Context | None
    ) -> None:
        self._text, self._write, self._context = text, write, context

    def take(self, step: Step, chunks: ChunkBatch, hits: Sequence[Hit]) -> None:
        shown: Iterable[Hit] = hits if self._context is None else self._context.around(step, hits)
        text = b"".join(map(self._text, shown))
        if text:
            self._write(text)


class Run:
    """Takes steps.  matches : how many there were so far"""

    def __init__(self, table: FlowTable, seeker: Seeker, policy: str, takers: Sequence[Taker]) -> None:
        self._seeker, self._takers = seeker, takers
        self._streams = StreamSet(table, policy=policy, compare=0)
        self.matches = 0

    def take(self, step: Step) -> None:
        """All that is to be done about a step; raises what the takers raise."""
        chunks = self._streams.take(step.events, step.batch)
        hits = self._seeker.hits(step, chunks)
        self.matches += len(hits)
        for taker in self._takers:
            taker.take(step, chunks, hits)
