"""Recorder: what matched flows say, into log files (`-l`).

A TCP flow has two files, one for what each end says, from its start: until a flow matches, a Spool keeps it,
the first megabyte of each within 256 of all.  A UDP flow has one file, of the datagrams that matched; any
other packet one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fl0p_py.flow.table import FlowTable
from fl0p_py.grep.hit import TCP, Ends, Hit
from fl0p_py.grep.log_folder import Log, Sender
from fl0p_py.stream.chunk_batch import DATA, DATAGRAM, END, OTHER, ChunkBatch
from fl0p_py.stream.spool import Spool
from fl0p_py.tracker import Step


class Recorder:
    """Writes into a Log."""

    def __init__(self, table: FlowTable, log: Log) -> None:
        self._log = log
        self._files: dict[int, tuple[int, list[str | None]]] = {}
        self._recorded = np.zeros(len(table.rows), np.bool_)
        self._spool = Spool(table)

    def take(self, step: Step, chunks: ChunkBatch, hits: Sequence[Hit]) -> None:
        """What a step has brought; raises OutputError."""
        for hit in hits:
            row = hit.ends.row
            if row < 0:
                self._alone(hit)
                continue
            if row not in self._files or self._files[row][0] != hit.ends.serial:
                self._begin(hit)
            if hit.ends.proto != TCP:
                self._write(self._files[row][1][0], hit.payload)
        self._spool.add(chunks)
        self._go_on(chunks)
        self._spool.sweep(chunks)

    def close(self) -> None:
        self._log.close()

    def _begin(self, hit: Hit) -> None:
        """The files of a flow, and what it has said before this step."""
        row, serial = hit.ends.row, hit.ends.serial
        if row in self._files:
            self._end(row)
        directions = (0, 1) if hit.ends.proto == TCP else (hit.direction,)
        names = [self._log.begin(_sender(hit.ends, direction, hit.ts_ns)) for direction in directions]
        self._files[row] = serial, names
        self._recorded[row] = True
        said = self._spool.take(row, serial).chunks
        if hit.ends.proto == TCP:
            for chunk in said:
                if chunk.flags & DATA:
                    self._write(names[chunk.direction], chunk.data)

    def _go_on(self, batch: ChunkBatch) -> None:
        """What the flows that have files say, and their ends."""
        chunks = batch.chunks
        flags = chunks["flags"]
        rows = np.where(flags & OTHER, 0, chunks["flow"])
        wanted = self._recorded[rows] & (flags & (DATA | END) != 0) & (flags & (OTHER | DATAGRAM) == 0)
        for place in np.flatnonzero(wanted).tolist():
            chunk = chunks[place]
            row, serial = int(chunk["flow"]), int(chunk["serial"])
            files = self._files.get(row)
            if files is None or files[0] != serial:
                continue
            if int(chunk["flags"]) & END:
                self._end(row)
            else:
                self._write(files[1][int(chunk["direction"])], batch.bytes_of(chunk))

    def _alone(self, hit: Hit) -> None:
        """A packet of no flow."""
        name = self._log.begin(_sender(hit.ends, hit.direction, hit.ts_ns))
        self._write(name, hit.payload)
        if name is not None:
            self._log.end(name)

    def _end(self, row: int) -> None:
        _, names = self._files.pop(row)
        self._recorded[row] = False
        for name in names:
            if name is not None:
                self._log.end(name)

    def _write(self, name: str | None, data: Any) -> None:
        if name is not None:
            self._log.write(name, data)


def _sender(ends: Ends, direction: int, ts_ns: int) -> Sender:
    source, sport = ends.sender(direction)
    dest, dport = ends.receiver(direction)
    return Sender(ts_ns // 1_000_000_000, source, sport, dest, dport, ends.proto)
