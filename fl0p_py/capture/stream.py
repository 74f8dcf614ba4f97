"""ByteStream: the bytes of a capture, from a file, a FIFO or standard input, decompressed if need be.

Reads go straight into the caller's buffer without the GIL.
"""

from __future__ import annotations

import fcntl
import io
import os
import select
import stat
from contextlib import suppress
from typing import Protocol

from fl0p_py.capture.compression import CHUNKS, DamageError
from fl0p_py.errors import CaptureError

STDIN = "-"
MAGIC_SIZE = 4
PIPE_SIZE = 1 << 20
"""What is asked for as capacity of a pipe, bytes; the largest that Linux grants to any user."""


class ByteStream(Protocol):
    """Bytes to be read once, front to back.

    size     : bytes of the file, None for a pipe
    consumed : bytes of the file (compressed ones, if it is) read so far
    """

    size: int | None

    @property
    def consumed(self) -> int: ...

    def readinto(self, view: memoryview) -> int:
        """Fill (a part of) `view`, which is not empty; 0 at the end; CaptureError where damage is met."""

    def ready(self) -> bool:
        """Whether a read would not have to wait."""

    def close(self) -> None: ...


class FileStream:
    """A ByteStream of the plain bytes of a path ("-": standard input)."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._pushed = b""
        self.consumed = 0
        try:
            self._file = io.FileIO(0, closefd=False) if path == STDIN else io.FileIO(path)
        except OSError as error:
            raise CaptureError(path, error.strerror or str(error)) from error
        except ValueError:  # Python's words for it differ from version to version
            raise CaptureError(repr(path), "a file name cannot hold a NUL") from None
        descriptor = self._file.fileno()
        mode = os.fstat(descriptor).st_mode
        self._regular = stat.S_ISREG(mode)
        self.size = os.fstat(descriptor).st_size if self._regular else None
        if self._file.isatty():
            self.close()
            raise CaptureError(path, "is a terminal; expected a capture file or a pipe with one")
        if self._regular:
            with suppress(OSError):  # only advice
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        else:
            _widen(descriptor)
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)

    def peek(self, size: int) -> bytes:
        """The first bytes, fewer than `size` only if there are no more; they stay to be read."""
        while len(self._pushed) < size:
            piece = bytearray(size - len(self._pushed))
            got = self._read(memoryview(piece))
            if not got:
                break
            self._pushed += bytes(piece[:got])
        head = self._pushed
        if self._regular:  # keeps later reads at whole pages of the file
            self._file.seek(-len(head), os.SEEK_CUR)
            self._pushed = b""
        return head

    def readinto(self, view: memoryview) -> int:
        if self._pushed:
            got = min(len(view), len(self._pushed))
            view[:got] = self._pushed[:got]
            self._pushed = self._pushed[got:]
        else:
            got = self._read(view)
        self.consumed += got
        return got

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end."""
        piece = bytearray(size)
        return bytes(memoryview(piece)[: self.readinto(memoryview(piece))])

    def _read(self, view: memoryview) -> int:
        try:
            return self._file.readinto(view) or 0
        except OSError as error:
            raise CaptureError(self.path, error.strerror or str(error)) from error

    def fileno(self) -> int:
        return self._file.fileno()

    def size_now(self) -> int:
        """Bytes of the file, which may have become more or less."""
        return os.fstat(self._file.fileno()).st_size

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int) -> None:
        """Go on reading from here; only with a regular file."""
        self._file.seek(offset)
        self.consumed = offset

    def ready(self) -> bool:
        return self._regular or bool(self._pushed) or bool(self._poll.poll(0))

    def close(self) -> None:
        self._file.close()


def _widen(descriptor: int) -> None:
    """Let a pipe hold more, so that its writer and we meet less often."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
    except (AttributeError, OSError):
        return  # not a pipe, not Linux, or over the user's quota: it works with what it has


class DecompressedStream:
    """A ByteStream of what a gzip or zstd file contains, all its members or frames."""

    def __init__(self, path: str, inner: FileStream, kind: str) -> None:
        self._path, self._inner = path, inner
        self._chunks = CHUNKS[kind](inner.read)
        self._chunk = memoryview(b"")
        self._produced = 0
        self.size = inner.size

    @property
    def consumed(self) -> int:
        return self._inner.consumed

    def readinto(self, view: memoryview) -> int:
        try:
            while not self._chunk:
                self._chunk = memoryview(next(self._chunks))
        except StopIteration:
            return 0
        except DamageError as error:
            raise CaptureError(self._path, str(error), self._produced) from error
        got = min(len(view), len(self._chunk))
        view[:got] = self._chunk[:got]
        self._chunk = self._chunk[got:]
        self._produced += got
        return got

    def ready(self) -> bool:
        return bool(self._chunk) or self._inner.ready()

    def close(self) -> None:
        self._inner.close()


def open_stream(path: str) -> ByteStream:
    """Open a path, or standard input for "-"; the first bytes say whether it is compressed."""
    stream = FileStream(path)
    try:
        kind = compression_of(stream.peek(MAGIC_SIZE))
    except CaptureError:
        stream.close()
        raise
    return DecompressedStream(path, stream, kind) if kind else stream


def compression_of(magic: bytes) -> str | None:
    """ "gzip", "zstd" or None, judged by a file's first four bytes."""
    if magic[:2] == b"\x1f\x8b":
        return "gzip"
    # a zstd frame, or a skippable one (RFC 8878, sections 3.1.1 and 3.1.2)
    if magic == b"\x28\xb5\x2f\xfd" or (magic[1:] == b"\x2a\x4d\x18" and magic[0] >> 4 == 5):
        return "zstd"
    return None
