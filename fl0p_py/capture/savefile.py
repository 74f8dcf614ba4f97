"""SavefileSource: a capture file as batches of packets.

pcap and pcapng, plain or inside gzip or zstd, from a path, a FIFO or standard input.  A kernel scans what
is in the window for complete records; the part of one at its end is still there when the window has moved on.

A file that cannot be read at all is a CaptureError at opening.  Damage further on is a CaptureError of the
iteration, with the offset in the (decompressed) file, after every packet before it has been yielded.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from fl0p_py.capture.batch import BUFFERS, PacketBatch
from fl0p_py.capture.columns import Columns, Scan
from fl0p_py.capture.pcap import BY_BYTES, PcapFormat
from fl0p_py.capture.pcapng import SECTION_MAGIC, PcapngFormat
from fl0p_py.capture.stream import ByteStream, open_stream
from fl0p_py.capture.window import window_of
from fl0p_py.errors import CaptureError

BATCH_PACKETS = 1 << 15
"""Packets in a batch at most."""

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
    live      : no; a file waits
    """

    live = False

    def __init__(self, name: str, stream: ByteStream) -> None:
        self.name = name
        self._stream = stream
        self._window = window_of(stream)
        self._columns = [Columns(BATCH_PACKETS) for _ in range(BUFFERS)]
        self._offset = 0  # of the window's start in the (decompressed) file
        self._format: PcapFormat | PcapngFormat = self._detect()

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
            columns = self._columns[turn % BUFFERS]
            scan = self._scan(columns)
            if scan.packets:
                turn += 1
                self._window.lend()
                yield self._batch(columns, scan.packets)
            if scan.fault:
                raise CaptureError(self.name, scan.fault, self._offset)
            if not scan.full and not self._fill(scan.need):
                break
        self._end(scan.need)

    def _scan(self, columns: Columns) -> Scan:
        """Fill the columns from the window, and move it past the records that they hold."""
        window = self._window
        scan = self._format.scan(window.data.data, window.start, window.stop, columns)
        self._skip(scan.position - window.start)
        return scan

    def _skip(self, size: int) -> None:
        self._window.start += size
        self._offset += size

    def _batch(self, columns: Columns, count: int) -> PacketBatch:
        return PacketBatch(
            data=self._window.data,
            offset=columns.offset[:count],
            caplen=columns.caplen[:count],
            wirelen=columns.wirelen[:count],
            ts_ns=columns.ts_ns[:count],
            linktype=columns.linktype[:count],
            position=self._window.consumed,
        )

    def _end(self, need: int) -> None:
        """Raise what is wrong with the file, now that all its good packets have been yielded."""
        if self._window.damage:
            raise self._window.damage
        left = self._window.stop - self._window.start
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
        window = self._window
        head = bytes(window.data[window.start : min(window.stop, window.start + PcapFormat.header_size)])
        if window.damage and len(head) < PcapFormat.header_size:
            raise window.damage
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
        self._skip(PcapFormat.header_size)
        return pcap

    def _read_pcapng_head(self) -> PcapngFormat:
        """Read the blocks up to the first packet, as far as they are there without waiting."""
        pcapng, nowhere = PcapngFormat(), Columns(0)
        self._format = pcapng
        while True:
            scan = self._scan(nowhere)
            if scan.fault:
                raise CaptureError(self.name, scan.fault, self._offset)
            if self._offset:
                return pcapng
            if not self._fill(scan.need):
                left = self._window.stop - self._window.start
                raise self._window.damage or self._truncated_header(left, scan.need)

    def _truncated_header(self, size: int, need: int) -> CaptureError:
        return CaptureError(self.name, f"truncated header: {size} of {need} bytes")

    def _fill(self, need: int) -> bool:
        """Move the window on, so that it has `need` bytes; False if the file ends before that."""
        if self._window.fill(need):
            return True
        rest = self._window.rest()
        if rest is None:
            return False
        self._window = rest
        return rest.fill(need)


def _wrong_magic(head: bytes) -> str:
    for magic, what in OTHER_MAGICS.items():
        if head.startswith(magic):
            return what
    return (
        f"not a capture file: it starts with {head[:4].hex(' ')}; "
        "expected pcap (a1 b2 c3 d4, in either byte order, or its nanosecond form), pcapng (0a 0d 0d 0a), "
        "or one of them in gzip or zstd"
    )
