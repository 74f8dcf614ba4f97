"""gzip and zstd data as a sequence of decompressed chunks.

`CHUNKS[kind](read)` is an iterator over what `read(size) -> bytes` delivers compressed, through all gzip
members or zstd frames.  A chunk has at most CHUNK bytes (zstd: a block, at most 128 KiB), so however well
something is compressed, memory stays small.  Where the data is damaged or ends too early, everything that
can be decompressed before that has been yielded and DamageError is raised.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

Read = Callable[[int], bytes]

CHUNK = 1 << 18
"""Compressed bytes taken and decompressed bytes given at a time, bytes."""

GZIP_FORMAT = 16 + zlib.MAX_WBITS
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_BLOCK_HEADER = 3


class DamageError(Exception):
    """Compressed data that cannot be decompressed any further; says why."""


def gzip_chunks(read: Read) -> Iterator[bytes]:
    """Decompress gzip members one after the other (RFC 1952); zero bytes after a member are padding."""
    data = read(CHUNK)
    while data:
        member = zlib.decompressobj(GZIP_FORMAT)
        while not member.eof:
            if not data:
                raise DamageError("the gzip data ends too early")
            before = member.copy()
            try:
                chunk = member.decompress(data, CHUNK)
            except zlib.error as error:
                yield from _before_damage(before, data)
                raise DamageError(f"damaged gzip data ({_reason(error)})") from error
            yield chunk
            # a full chunk may leave output inside the decompressor even when all input is taken
            while len(chunk) == CHUNK and not member.unconsumed_tail and not member.eof:
                chunk = member.decompress(b"", CHUNK)
                yield chunk
            data = member.unconsumed_tail or (b"" if member.eof else read(CHUNK))
        data = member.unused_data.lstrip(b"\0")
        while not data:
            data = read(CHUNK)
            if not data:
                return
            data = data.lstrip(b"\0")
        if not data.startswith(b"\x1f"):
            raise DamageError("something that is not gzip follows the gzip data")


def _before_damage(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What a member still gives when fed byte by byte: everything before the damage."""
    for at in range(len(data)):
        try:
            yield member.decompress(data[at : at + 1])
        except zlib.error:
            return


def _reason(error: zlib.error) -> str:
    return str(error).rpartition(": ")[2]


def zstd_chunks(read: Read) -> Iterator[bytes]:
    """Decompress zstd frames (RFC 8878), a block at a time: nothing before a damaged block is lost."""
    import zstandard  # only when such a file is met

    source = _Exactly(read)
    decompressor = zstandard.ZstdDecompressor()
    while magic := source.take_some(len(ZSTD_MAGIC)):
        if magic[1:] == b"\x2a\x4d\x18" and magic[0] >> 4 == 5:
            source.skip(int.from_bytes(source.take(4), "little"))
            continue
        if magic != ZSTD_MAGIC:
            raise DamageError("something that is not zstd follows the zstd data")
        frame = decompressor.decompressobj()
        try:
            for piece in _frame_pieces(source):
                yield frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise DamageError(f"damaged zstd data ({str(error).rpartition(': ')[2]})") from error


def _frame_pieces(source: _Exactly) -> Iterator[bytes]:
    """The pieces of one frame, none of which completes more than one block."""
    descriptor = source.take(1)
    single_segment = descriptor[0] >> 5 & 1
    window = 0 if single_segment else 1
    dictionary = (0, 1, 2, 4)[descriptor[0] & 3]
    content_size = (single_segment, 2, 4, 8)[descriptor[0] >> 6]
    yield ZSTD_MAGIC + descriptor + source.take(window + dictionary + content_size)
    last = 0
    while not last:
        head = source.take(ZSTD_BLOCK_HEADER)
        fields = int.from_bytes(head, "little")
        last, kind, size = fields & 1, fields >> 1 & 3, fields >> 3
        yield head + source.take(1 if kind == 1 else size)  # kind 1: one byte, repeated `size` times
    if descriptor[0] >> 2 & 1:
        yield source.take(4)  # checksum of the content


class _Exactly:
    """Turns a `read` that gives what it likes into one that gives what was asked for."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._data, self._at = b"", 0

    def take_some(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""
        while len(self._data) - self._at < size:
            more = self._read(CHUNK)
            if not more:
                break
            self._data, self._at = self._data[self._at :] + more, 0
        taken = self._data[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def take(self, size: int) -> bytes:
        """`size` bytes; DamageError if there are fewer."""
        taken = self.take_some(size)
        if len(taken) < size:
            raise DamageError("the zstd data ends too early")
        return taken

    def skip(self, size: int) -> None:
        """Pass over `size` bytes, however many."""
        while size:
            size -= len(self.take(min(size, CHUNK)))


CHUNKS: dict[str, Callable[[Read], Iterator[bytes]]] = {"gzip": gzip_chunks, "zstd": zstd_chunks}
