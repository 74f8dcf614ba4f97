"""SavefileSource: a capture file as batches of packets.

pcap and pcapng, plain or inside gzip or zstd, from a path, a FIFO or standard input.  The file is read in
large pieces into a few rotating buffers, and a kernel scans each buffer for complete records; the part of
a record at a buffer's end is carried over to the next.  Memory does not depend on the file.

A file that cannot be read at all is a CaptureError at opening.  Damage further on is a CaptureError of the
iteration, with the offset in the (decompressed) file, after every packet before it has been yielded.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from fl0p_py.capture.batch import BUFFERS, PacketBatch
from fl0p_py.capture.columns import Columns
from fl0p_py.capture.pcap import BY_BYTES, PcapFormat
from fl0p_py.capture.pcapng import SECTION_MAGIC, PcapngFormat
from fl0p_py.capture.savefile_scan import MAX_PACKET
from fl0p_py.capture.stream import ByteStream, open_stream
from fl0p_py.errors import CaptureError

READ_SIZE = 1 << 20
"""Bytes asked for in one read.  Large enough that threads seldom wait for each other, small enough for the
bytes to be in the second-level cache still when they are decoded."""

BATCH_PACKETS = 1 << 15
"""Packets in a batch at most."""

PAGE = mmap.PAGESIZE
"""Reads go from multiples of this in the file to multiples of it in memory: copying is 2.5 times as fast."""

OTHER_MAGICS = {
    b"\xfd7zX": "an xz file; decompress it first (gzip and zstd are read directly)",
    b"BZh": "a bzip2 file; decompress it first (gzip and zstd are read directly)",
    b"\x04\x22\x4d\x18": "an lz4 file; decompress it first (gzip and zstd are read directly)",
    b"PK\x03\x04": "a zip file; unpack it first (gzip and zstd are read directly)",
    b"snoop": "a snoop capture; convert it to pcapng first, for example with editcap",
}


def open_savefile(path: str) -> SavefileSource:
    """Open a capture file, "-" being standard input; CaptureError if it is none that can be read."""
    stream = open_stream(path)
    try:
        return SavefileSource(path, stream)
    except BaseException:
        stream.close()
        raise


class SavefileSource:
    """An iterable of PacketBatch, to be iterated over once, and a context manager.

    name      : as the user gave it, "-" for standard input
    size      : bytes of the file, None for a pipe; a batch's `position` goes up to it
    linktypes : LINKTYPE_ numbers met so far; of pcapng, at opening those of the interfaces described first
    """

    def __init__(self, name: str, stream: ByteStream) -> None:
        self.name = name
        self._stream = stream
        self._buffers = [_buffer(0) for _ in range(BUFFERS)]
        self._columns = [Columns(BATCH_PACKETS) for _ in range(BUFFERS)]
        self._buffer = 0
        self._lent = False  # a batch that was yielded lies in the current buffer
        self._start = self._stop = 0  # what is not scanned yet of the current buffer
        self._offset = 0  # of `_start` in the file
        self._damage: CaptureError | None = None
        self._format = self._detect()

    @property
    def size(self) -> int | None:
        return self._stream.size

    @property
    def linktypes(self) -> tuple[int, ...]:
        return self._format.linktypes

    def close(self) -> None:
        """Close the file; batches stay valid."""
        self._stream.close()

    def __enter__(self) -> SavefileSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[PacketBatch]:
        turn = 0
        while True:
            columns, data = self._columns[turn % BUFFERS], self._buffers[self._buffer]
            scan = self._format.scan(data.data, self._start, self._stop, columns)
            self._offset += scan.position - self._start
            self._start = scan.position
            if scan.packets:
                turn += 1
                self._lent = True
                yield self._batch(data, columns, scan.packets)
            if scan.fault:
                raise CaptureError(self.name, scan.fault, self._offset)
            if not scan.full and not self._fill(scan.need):
                break
        self._end(scan.need)

    def _batch(self, data: NDArray[np.uint8], columns: Columns, count: int) -> PacketBatch:
        return PacketBatch(
            data=data,
            offset=columns.offset[:count],
            caplen=columns.caplen[:count],
            wirelen=columns.wirelen[:count],
            ts_ns=columns.ts_ns[:count],
            linktype=columns.linktype[:count],
            position=self._stream.consumed,
        )

    def _end(self, need: int) -> None:
        """Raise what is wrong with the file, now that all its good packets have been yielded."""
        if self._damage:
            raise self._damage
        left = self._stop - self._start
        if left:
            raise CaptureError(
                self.name, f"the file ends inside a record, after {left} of its {need} bytes", self._offset
            )
        whole = self._format.finish()
        if whole:
            raise CaptureError(self.name, whole)

    def _detect(self) -> PcapFormat | PcapngFormat:
        """Read the file's header, and of pcapng also the interfaces that stand right behind it."""
        self._fill(PcapFormat.header_size)
        head = bytes(self._buffers[0][self._start : min(self._stop, self._start + PcapFormat.header_size)])
        if self._damage and len(head) < PcapFormat.header_size:
            raise self._damage
        if not head:
            raise CaptureError(self.name, "empty file, no capture header")
        magic = head[:4]
        if magic == SECTION_MAGIC:
            return self._read_pcapng_head()
        if magic not in BY_BYTES:
            raise CaptureError(self.name, _wrong_magic(head))
        if len(head) < PcapFormat.header_size:
            raise self._truncated_header(len(head), PcapFormat.header_size)
        try:
            pcap = PcapFormat(head)
        except ValueError as error:
            raise CaptureError(self.name, str(error)) from error
        self._start += PcapFormat.header_size
        self._offset += PcapFormat.header_size
        return pcap

    def _read_pcapng_head(self) -> PcapngFormat:
        """Read the blocks up to the first packet, as far as they are there without waiting."""
        pcapng, nowhere = PcapngFormat(), Columns(0)
        while True:
            scan = pcapng.scan(self._buffers[self._buffer].data, self._start, self._stop, nowhere)
            self._offset += scan.position - self._start
            self._start = scan.position
            if scan.fault:
                raise CaptureError(self.name, scan.fault, self._offset)
            if self._offset:
                return pcapng
            if not self._fill(scan.need):
                left = self._stop - self._start
                raise self._damage or self._truncated_header(left, scan.need)

    def _truncated_header(self, size: int, need: int) -> CaptureError:
        return CaptureError(self.name, f"truncated header: {size} of {need} bytes")

    def _fill(self, need: int) -> bool:
        """Have at least `need` bytes from `_start` on, and more if that does not mean waiting.

        False if the file (or its undamaged part) ends before that.
        """
        if self._damage:
            return False
        self._make_room(need)
        view = self._buffers[self._buffer].data
        try:
            while self._stop < len(view):
                if self._stop - self._start >= need and not self._stream.ready():
                    break
                got = self._stream.readinto(view[self._stop :])
                if not got:
                    break
                self._stop += got
        except CaptureError as error:
            self._damage = error
        return self._stop - self._start >= need

    def _make_room(self, need: int) -> None:
        """Carry what is left to the front of a buffer that nobody reads and that can hold `need` bytes."""
        source = self._buffers[self._buffer]
        left = self._stop - self._start
        start = -left % PAGE
        size = max(start + left + READ_SIZE, start + need)
        if self._lent:
            self._buffer = (self._buffer + 1) % BUFFERS
            self._lent = False
        elif self._start + need <= len(source) and left:
            return
        if len(self._buffers[self._buffer]) < size:  # then so large that it need not be done again
            self._buffers[self._buffer] = _buffer(max(size, READ_SIZE + MAX_PACKET))
        self._buffers[self._buffer][start : start + left] = source[self._start : self._stop]
        self._start, self._stop = start, start + left


def _buffer(size: int) -> NDArray[np.uint8]:
    """At least `size` bytes, whole pages, private ones: a page of shared memory costs twice the time."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, max(1, -(-size // PAGE)) * PAGE, flags=flags), np.uint8)


def _wrong_magic(head: bytes) -> str:
    for magic, what in OTHER_MAGICS.items():
        if head.startswith(magic):
            return what
    return (
        f"not a capture file: it starts with {head[:4].hex(' ')}; "
        "expected pcap (a1 b2 c3 d4, in either byte order, or its nanosecond form), pcapng (0a 0d 0d 0a), "
        "or one of them in gzip or zstd"
    )
