"""Context: packets of a flow before and after one that matched (`-A`, `-B`, `-C`), as grep shows lines.

Only payload counts, and only what brought something new.  What may be printed later is kept for as long:
the last few packets of each flow, of so many flows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from fl0p_py.flow.segment_batch import COPY, HOLE, NEW, OTHER
from fl0p_py.flow.table import FlowTable
from fl0p_py.grep.hit import TCP, Hit, ends_of_row, segments_of
from fl0p_py.tracker import Step

MOST_FLOWS = 16384
"""Whose last packets are kept; the first one is forgotten when there are more."""


class Context:
    """before, after : packets around a match"""

    def __init__(self, table: FlowTable, before: int, after: int) -> None:
        self._table, self._before, self._after = table, before, after
        self._last: dict[tuple[int, int], deque[Hit]] = {}
        self._left: dict[tuple[int, int], int] = {}

    def around(self, step: Step, hits: Sequence[Hit]) -> Iterator[Hit]:
        """The hits of a step and what stands around them, in the order of packets."""
        by_record = {hit.record: hit for hit in hits if hit.record >= 0}
        yield from (hit for hit in hits if hit.record < 0)
        if step.batch is None:
            return
        segments = segments_of(step)
        data, copies = step.batch.data, segments.copies
        for number, record in enumerate(segments.records):
            hit = by_record.get(number)
            if hit is not None:
                yield from self._match(hit)
                continue
            flags, size = int(record["flags"]), int(record["captured"])
            if not size or flags & (HOLE | OTHER) or (record["proto"] == TCP and not flags & NEW):
                continue
            start = int(record["at"])
            where = copies if flags & COPY else data
            yield from self._other(record, where[start : start + size].tobytes(), number)

    def _match(self, hit: Hit) -> Iterator[Hit]:
        flow = (hit.ends.row, hit.ends.serial)
        yield from self._last.pop(flow, ())
        yield hit
        if self._after and hit.ends.row >= 0:
            self._left[flow] = self._after

    def _other(self, record: Any, payload: bytes, number: int) -> Iterator[Hit]:
        flow = (int(record["flow"]), int(record["serial"]))
        left = self._left.get(flow, 0)
        if not left and not self._before:
            return
        with self._table.steady:
            ends = ends_of_row(self._table.rows, flow[0])
        direction, tcp_flags = int(record["direction"]), int(record["tcp_flags"])
        packet = Hit(int(record["ts_ns"]), ends, direction, payload, record=number, tcp_flags=tcp_flags)
        if left:
            yield packet
            self._left[flow] = left - 1
            if left == 1:
                del self._left[flow]
            return
        kept = self._last.pop(flow, None)
        if kept is None:
            kept = deque(maxlen=self._before)
        kept.append(packet)
        self._last[flow] = kept
        if len(self._last) > MOST_FLOWS:
            del self._last[next(iter(self._last))]
