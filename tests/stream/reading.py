"""Chunks and joints of a capture, as plain Python values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from fl0p_py.flow import segment_batch as flag
from fl0p_py.stream import chunk_batch
from fl0p_py.stream.chunk_batch import CONFLICT, DATA, DATAGRAM, FIN, GAP, LATE, ChunkBatch
from fl0p_py.stream.joints import Joints
from fl0p_py.stream.stream_set import StreamSet
from tests.flow.conversation_frames import Steps
from tests.stream.twin_streams import Key, TwinStreams

TCP = 6
NAMES = {getattr(chunk_batch, name): name.lower() for name in (
    "DATA", "GAP", "LATE", "CONFLICT", "UNACKED", "END", "CUT", "LOST", "DATAGRAM", "OTHER", "FIN",
)}  # fmt: skip


class Reading:
    """What comes of frames, given in batches of any size, by the kernels and by the twin.

    said     : (flags in words, "c" or "s", offset, bytes or length) of each chunk
    streams  : the kernel's bytes by (serial, direction), None where one is missing
    joints   : (serial, direction, offset, bytes)
    pieces   : the same of each DATA chunk
    """

    def __init__(self, policy: str = "first", width: int = 4, **options: Any) -> None:
        self.steps = Steps()
        self.set = StreamSet(self.steps.table, policy=policy, **options)
        self.joiner = Joints(self.steps.table, width)
        self.twin = TwinStreams(policy)
        self.said: list[tuple[str, str, int, bytes | int]] = []
        self.streams: defaultdict[Key, list[int | None]] = defaultdict(list)
        self.late: defaultdict[Key, list[tuple[int, bytes]]] = defaultdict(list)
        self.closed: set[Key] = set()
        self.pieces: list[tuple[int, int, int, bytes]] = []
        self.joints: list[tuple[int, int, int, bytes]] = []

    def take(self, frames: Sequence[tuple[int, bytes]]) -> None:
        self._read(self.steps.take(frames))

    def finish(self) -> None:
        self.steps.finish()
        self._read(None)

    def _read(self, batch: Any) -> None:
        events = self.steps.table.hand_over()
        segments = events.segments
        assert segments is not None
        for record in segments.records:
            if record["proto"] == TCP and not record["flags"] & flag.OTHER:
                memory = segments.copies if record["flags"] & flag.COPY else batch.data if batch else b""
                start = int(record["at"])
                self.twin.take(record, bytes(memory[start : start + int(record["captured"])]))
        chunks = self.set.take(events, batch)
        for chunk in chunks.chunks:
            self._chunk(chunk, bytes(chunks.bytes_of(chunk)))
        self._join(chunks)
        self.steps.table.release(events)

    def _chunk(self, chunk: Any, data: bytes) -> None:
        flags, offset, length = int(chunk["flags"]), int(chunk["offset"]), int(chunk["length"])
        key = int(chunk["serial"]), int(chunk["direction"])
        words = " ".join(name for value, name in NAMES.items() if flags & value)
        self.said.append((words, "cs"[key[1]], offset, data or length))
        if flags & DATAGRAM:
            return
        if flags & (DATA | GAP):
            assert offset == len(self.streams[key]), "a break in the stream"
            self.streams[key] += data if flags & DATA else [None] * length
        if flags & DATA:
            self.pieces.append((*key, offset, data))
        if flags & LATE:
            self.late[key].append((offset, data))
        if flags & CONFLICT:
            assert data
        if flags & FIN:
            self.closed.add(key)

    def _join(self, chunks: ChunkBatch) -> None:
        joined = self.joiner.take(chunks)
        starts = [*joined.joints["start"].tolist(), len(joined.data)]
        for joint, start, stop in zip(joined.joints, starts, starts[1:], strict=False):
            chunk = chunks.chunks[joint["chunk"]]
            data = bytes(joined.data[start:stop])
            self.joints.append((int(chunk["serial"]), int(chunk["direction"]), int(joint["offset"]), data))
