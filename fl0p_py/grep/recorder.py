"""Recorder: what matched flows say, into log files (`-l`).

A TCP flow has two files, one for what each end says, from its start, as far as it was kept: until a flow
matches, the latest HISTORY bytes of each of its streams are, within MOST_KEPT for all.  A UDP flow has one
file, of the datagrams that matched; any other packet one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fl0p_py.flow.table import FlowTable
from fl0p_py.grep.hit import TCP, Ends, Hit
from fl0p_py.grep.log_folder import Log, Sender
from fl0p_py.stream.chunk_batch import DATA, DATAGRAM, END, OTHER, ChunkBatch
from fl0p_py.tracker import Step

HISTORY = 1 << 20
"""Bytes."""

MOST_KEPT = 256 << 20


class Recorder:
    """Writes into a Log."""

    def __init__(self, table: FlowTable, log: Log) -> None:
        self._log = log
        self._files: dict[int, tuple[int, list[str | None]]] = {}
        self._recorded = np.zeros(len(table.rows), np.bool_)
        self._history: dict[int, bytearray] = {}
        self._kept = 0

    def take(self, step: Step, chunks: ChunkBatch, hits: Sequence[Hit]) -> None:
        """What a step has brought; raises OutputError."""
        for hit in hits:
            if hit.ends.row < 0:
                self._alone(hit)
            elif hit.ends.row not in self._files:
                self._begin(hit)
        self._datagrams(hits)
        flags = chunks.chunks["flags"]
        for place in np.flatnonzero((flags & (DATA | END) != 0) & (flags & OTHER == 0)).tolist():
            chunk = chunks.chunks[place]
            row = int(chunk["flow"])
            if int(chunk["flags"]) & END:
                self._end(row, int(chunk["serial"]))
            elif not int(chunk["flags"]) & DATAGRAM:
                self._data(row, int(chunk["direction"]), chunks.bytes_of(chunk))

    def close(self) -> None:
        self._log.close()

    def _begin(self, hit: Hit) -> None:
        """The files of a flow, and what it has said."""
        row = hit.ends.row
        directions = (0, 1) if hit.ends.proto == TCP else (hit.direction,)
        names = [self._log.begin(_sender(hit.ends, direction, hit.ts_ns)) for direction in directions]
        self._files[row] = hit.ends.serial, names
        self._recorded[row] = True
        for direction in directions:
            said = self._history.pop(2 * row + direction, bytearray())
            self._kept -= len(said)
            if hit.ends.proto == TCP:
                self._write(names[direction], memoryview(said))

    def _datagrams(self, hits: Sequence[Hit]) -> None:
        for hit in hits:
            if hit.ends.row >= 0 and hit.ends.proto != TCP:
                self._write(self._files[hit.ends.row][1][0], memoryview(hit.payload))

    def _alone(self, hit: Hit) -> None:
        name = self._log.begin(_sender(hit.ends, hit.direction, hit.ts_ns))
        self._write(name, memoryview(hit.payload))
        if name is not None:
            self._log.end(name)

    def _data(self, row: int, direction: int, said: memoryview) -> None:
        if self._recorded[row]:
            names = self._files[row][1]
            if len(names) == 2:
                self._write(names[direction], said)
            return
        kept = self._history.setdefault(2 * row + direction, bytearray())
        before = len(kept)
        kept += said
        del kept[: max(0, len(kept) - HISTORY)]
        self._kept += len(kept) - before
        while self._kept > MOST_KEPT:
            self._kept -= len(self._history.pop(next(iter(self._history))))

    def _end(self, row: int, serial: int) -> None:
        for direction in (0, 1):
            self._kept -= len(self._history.pop(2 * row + direction, b""))
        files = self._files.get(row)
        if files is None or files[0] != serial:
            return
        del self._files[row]
        self._recorded[row] = False
        for name in files[1]:
            if name is not None:
                self._log.end(name)

    def _write(self, name: str | None, data: Any) -> None:
        if name is not None:
            self._log.write(name, data)


def _sender(ends: Ends, direction: int, ts_ns: int) -> Sender:
    source, sport = ends.sender(direction)
    dest, dport = ends.receiver(direction)
    return Sender(ts_ns // 1_000_000_000, source, sport, dest, dport, ends.proto)
