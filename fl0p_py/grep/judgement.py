"""Judgement: streams that do not match (`-v`).

A stream is judged once, by what it has said when

- its first line has ended,
- it has said FIRST_BYTES,
- it has been silent for the threshold, or
- it ends;

so one that sends what is wanted in its second packet is not selected for its first.  Datagrams are judged one
by one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fl0p_py.flow.table import FlowTable
from fl0p_py.grep.allowance import Allowance, TooSlowError, Turn
from fl0p_py.grep.distance import Distance
from fl0p_py.grep.finder import Finder
from fl0p_py.grep.hit import Hit, captured, ends_of_packet, ends_of_row, record_of, segments_of
from fl0p_py.grep.matcher import Matchers, Window
from fl0p_py.grep.pattern import Pattern, Side
from fl0p_py.stream.chunk_batch import DATA, DATAGRAM, END, OTHER, ChunkBatch
from fl0p_py.tracker import Step

FIRST_BYTES = 1460
"""What a segment carries over Ethernet and IPv4."""

MOST_WAITING = 1 << 18
"""Streams that are not judged yet; beyond, the oldest is judged by what it has said."""


@dataclass(slots=True)
class _Head:
    """What a stream has said so far."""

    serial: int
    direction: int
    last_ns: int
    record: int
    said: bytes = b""


class Judgement:
    """Selects streams and datagrams in which nothing of this is found.

    slow : streams and datagrams of which a pattern did not say in time whether it is in them; they are not
           selected
    crowded : streams that were judged before their time because there were too many
    """

    def __init__(
        self,
        table: FlowTable,
        patterns: Sequence[Pattern],
        distance: Distance | None,
        threshold_ms: int,
    ) -> None:
        self._table = table
        self._allowance = Allowance()
        self._matchers = Matchers(patterns, distance)
        self._matchers.prepare()
        self._finder = Finder(patterns, distance)
        self._sides = [pattern.side for pattern in patterns]
        if distance is not None:
            self._sides.append(Side.ANY)
        sides = set(self._sides)
        self._is_judged = np.array([bool({Side.ANY, Side(direction)} & sides) for direction in (0, 1)])
        self._threshold_ns = threshold_ms * 1_000_000
        self._heads: dict[int, _Head] = {}
        self._silent: list[tuple[int, int, int]] = []
        self._judged = np.zeros((len(table.rows), 2), np.uint32)
        self._now_ns = 0
        self.slow = 0
        self.crowded = 0

    def hits(self, step: Step, chunks: ChunkBatch) -> list[Hit]:
        """All of a step."""
        self._allowance.add(captured(step))
        found: list[Hit] = []
        with self._table.steady:
            for place in self._new(chunks).tolist():
                chunk = chunks.chunks[place]
                if int(chunk["flags"]) & END:
                    found += self._end(chunk)
                    continue
                self._now_ns = max(self._now_ns, int(chunk["ts_ns"]))
                found += self._silence()
                if int(chunk["flags"]) & (DATAGRAM | OTHER):
                    found += self._datagram(step, chunks, chunk)
                else:
                    found += self._data(chunks, chunk)
            self._now_ns = max(self._now_ns, step.now_ns)
            found += self._silence()
        return found

    def _new(self, chunks: ChunkBatch) -> Any:
        """Places of chunks that may decide something."""
        all_chunks = chunks.chunks
        flags = all_chunks["flags"]
        rows = np.where(flags & OTHER, 0, all_chunks["flow"])
        direction = all_chunks["direction"]
        judged = self._judged[rows, direction] == all_chunks["serial"] + np.uint32(1)
        wanted = self._is_judged[direction] & ~judged
        datagram = flags & (DATAGRAM | OTHER) != 0
        data = flags & DATA != 0
        return np.flatnonzero((data & (datagram | wanted)) | (flags & END != 0))

    def _datagram(self, step: Step, batch: ChunkBatch, chunk: Any) -> Iterator[Hit]:
        payload = bytes(batch.bytes_of(chunk))
        if not payload or self._matches(payload, None):
            return
        row = int(chunk["flow"])
        other = int(chunk["flags"]) & OTHER
        ends = ends_of_packet(segments_of(step).others[row]) if other else ends_of_row(self._table.rows, row)
        yield Hit(int(chunk["ts_ns"]), ends, int(chunk["direction"]), payload, record=record_of(chunk))

    def _data(self, batch: ChunkBatch, chunk: Any) -> Iterator[Hit]:
        direction, ts_ns = int(chunk["direction"]), int(chunk["ts_ns"])
        row, serial = int(chunk["flow"]), int(chunk["serial"])
        if self._judged[row, direction] == serial + 1:
            return
        key = 2 * row + direction
        head = self._heads.get(key)
        if head is None or head.serial != serial:
            head = self._heads[key] = _Head(serial, direction, ts_ns, record_of(chunk))
        head.said += bytes(batch.bytes_of(chunk))[: FIRST_BYTES - len(head.said)]
        head.last_ns, head.record = ts_ns, record_of(chunk)
        if b"\n" in head.said or len(head.said) >= FIRST_BYTES:
            yield from self._judge(key, head)
            return
        heapq.heappush(self._silent, (ts_ns + self._threshold_ns, key, head.serial))
        if len(self._heads) > MOST_WAITING:
            self.crowded += 1
            oldest = next(iter(self._heads))
            yield from self._judge(oldest, self._heads[oldest])

    def _silence(self) -> Iterator[Hit]:
        """Streams that have said nothing for so long."""
        while self._silent and self._silent[0][0] <= self._now_ns:
            _, key, serial = heapq.heappop(self._silent)
            head = self._heads.get(key)
            if head is None or head.serial != serial:
                continue
            if head.last_ns + self._threshold_ns <= self._now_ns:
                head.record = -1
                yield from self._judge(key, head)

    def _end(self, chunk: Any) -> Iterator[Hit]:
        for direction in (0, 1):
            key = 2 * int(chunk["flow"]) + direction
            head = self._heads.get(key)
            if head is not None and head.serial == int(chunk["serial"]):
                head.record = -1
                yield from self._judge(key, head)

    def _judge(self, key: int, head: _Head) -> Iterator[Hit]:
        del self._heads[key]
        row = key // 2
        self._judged[row, head.direction] = (head.serial + 1) & 0xFFFFFFFF
        if not self._matches(head.said, head.direction):
            ends = ends_of_row(self._table.rows, row)
            yield Hit(head.last_ns, ends, head.direction, head.said, record=head.record)

    def _matches(self, said: bytes, direction: int | None) -> bool:
        window = Window(said)
        with Turn(self._allowance, len(said)) as turn:
            numbers = [
                number
                for number in self._finder.which(said)
                if direction is None or self._sides[number] in (Side.ANY, direction)
            ]
            turn.expects(len(numbers))
            for number in numbers:
                try:
                    if self._matchers.find(number, window, turn) is not None:
                        return True
                except TooSlowError:
                    self.slow += 1
                    return True
        return False
