"""Running a SavefileSource on bytes in memory, delivered in whatever pieces a test wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from fl0p_py.capture.savefile import SavefileSource
from fl0p_py.errors import CaptureError
from tests.capture.twin_savefile import REFUSED, Outcome, Packet

NAME = "capture"


class MemoryStream:
    """A ByteStream of given bytes; `pieces`: the most that each read delivers, the last one for ever."""

    size = None

    def __init__(self, data: bytes, pieces: Iterable[int] = (1 << 30,), always_ready: bool = True) -> None:
        listed = list(pieces)
        self._data, self.consumed = data, 0
        self._pieces: Iterator[int] = chain(listed, repeat(listed[-1]))
        self._always_ready = always_ready

    def readinto(self, view: memoryview) -> int:
        assert len(view)
        piece = self._data[self.consumed : self.consumed + min(len(view), next(self._pieces))]
        view[: len(piece)] = piece
        self.consumed += len(piece)
        return len(piece)

    def ready(self) -> bool:
        return self._always_ready

    def close(self) -> None:
        pass


def packets_of(source: SavefileSource) -> Iterator[list[Packet]]:
    """The packets of each batch, taken out at once."""
    for batch in source:
        data = batch.data.tobytes()
        columns = (batch.ts_ns, batch.offset, batch.caplen, batch.wirelen, batch.linktype)
        yield [
            Packet(ts_ns, data[offset : offset + caplen], wirelen, linktype)
            for ts_ns, offset, caplen, wirelen, linktype in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]


def outcome(stream_or_source: MemoryStream | SavefileSource) -> tuple[Outcome, CaptureError | None]:
    """What a source made of a stream, in the twin's terms, and its error if there was one."""
    packets: list[Packet] = []
    try:
        source = stream_or_source
        if isinstance(source, MemoryStream):
            source = SavefileSource(NAME, source)
        for batch in packets_of(source):
            packets += batch
    except CaptureError as error:
        return Outcome(packets, REFUSED if error.offset is None else error.offset), error
    return Outcome(packets, None), None
