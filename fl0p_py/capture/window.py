"""Window: the piece of a capture that is in memory, moved along from its front to its end.

Two kinds: `MappedWindow` for a plain file, without a copy, and `ReadWindow` for everything else, which reads
large pieces into a few rotating buffers.  Memory does not depend on the file with either.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fl0p_py.capture.batch import BUFFERS
from fl0p_py.capture.mapping import Mapping
from fl0p_py.capture.savefile_scan import MAX_PACKET
from fl0p_py.capture.stream import ByteStream, FileStream
from fl0p_py.errors import CaptureError

MAPPED = 1 << 22
"""Bytes of a mapped file that come at a time: large enough that threads seldom wait for each other."""

READ = 1 << 20
"""Bytes that are read at a time, into as many buffers of this size as are lent."""

LEFT = 1 << 24
"""Bytes of a mapping that are given up at a time: each time, all processors are interrupted."""

PAGE = mmap.PAGESIZE
"""Reads go from multiples of this in the file to multiples of it in memory: copying is 2.5 times as fast."""


class Window(Protocol):
    """data[start:stop] is what has not been looked at yet; whoever looks moves `start` on.

    consumed : bytes of the file (compressed ones, if it is) that have come so far
    damage   : why the file ends where it does, if it should not
    """

    start: int
    stop: int
    damage: CaptureError | None

    @property
    def data(self) -> NDArray[np.uint8]: ...

    @property
    def consumed(self) -> int: ...

    def lend(self) -> None:
        """Leave `data` as it is until `fill` has replaced it BUFFERS times."""

    def fill(self, need: int) -> bool:
        """Have at least `need` bytes from `start` on, and more if that does not mean waiting.

        False if the file (or its undamaged part) ends before that.
        """

    def rest(self) -> Window | None:
        """What goes on where this one cannot, at its `start`; None: nothing does."""


def window_of(stream: ByteStream) -> Window:
    """The window that suits the stream."""
    if isinstance(stream, FileStream) and stream.size:
        with suppress(OSError):  # read it then
            return MappedWindow(stream, Mapping(stream.fileno(), stream.size))
    return ReadWindow(stream)


class MappedWindow:
    """A Window on the bytes that a file had at opening; the rest is what was written to it since."""

    def __init__(self, stream: FileStream, mapping: Mapping) -> None:
        self._stream, self._mapping = stream, mapping
        self._bytes: NDArray[np.uint8] = np.frombuffer(memoryview(mapping), np.uint8)
        self._left = 0  # up to where the mapping was given up
        self._at = stream.tell()  # of `data` in the file; standard input may have been read by others before
        self._data = self._bytes[:0]
        self.start = self.stop = 0
        self.damage: CaptureError | None = None

    @property
    def data(self) -> NDArray[np.uint8]:
        return self._data

    @property
    def consumed(self) -> int:
        return self._at + self.stop

    def lend(self) -> None:
        """Nothing to do: the bytes stay where they are."""

    def fill(self, need: int) -> bool:
        start = self._at + self.start
        torn, there = self._mapping.torn, self._stream.size_now()
        if torn is not None or there < start:
            self._shorter(there if torn is None else torn)
            return False
        stop = min(start + max(MAPPED, need), self._mapping.size)
        if stop - start < need or there < stop or not self._mapping.fetch(start, stop):
            return False  # a read finds out what there is
        if start - BUFFERS * MAPPED >= self._left + LEFT:
            self._mapping.leave(self._left, start - BUFFERS * MAPPED)
            self._left = start - BUFFERS * MAPPED
        self._at, self._data = start, self._bytes[start:stop]
        self.start, self.stop = 0, stop - start
        return True

    def _shorter(self, offset: int) -> None:
        self.damage = CaptureError(self._stream.path, "it became shorter, or unreadable, meanwhile", offset)

    def rest(self) -> ReadWindow | None:
        if self.damage:
            return None
        self._stream.seek(self._at + self.start)
        return ReadWindow(self._stream)


class ReadWindow:
    """A Window on a stream, read into buffers."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._buffers = [_buffer(0) for _ in range(BUFFERS)]
        self._buffer = 0
        self._lent = False
        self.start = self.stop = 0
        self.damage: CaptureError | None = None

    @property
    def data(self) -> NDArray[np.uint8]:
        return self._buffers[self._buffer]

    @property
    def consumed(self) -> int:
        return self._stream.consumed

    def lend(self) -> None:
        self._lent = True

    def fill(self, need: int) -> bool:
        if self.damage:
            return False
        self._make_room(need)
        view = self.data.data
        try:
            while self.stop < len(view):
                if self.stop - self.start >= need and not self._stream.ready():
                    break
                got = self._stream.readinto(view[self.stop :])
                if not got:
                    break
                self.stop += got
        except CaptureError as error:
            self.damage = error
        return self.stop - self.start >= need

    def rest(self) -> None:
        return None

    def _make_room(self, need: int) -> None:
        """Carry what is left to the front of a buffer that nobody reads and that can hold `need` bytes."""
        source = self.data
        left = self.stop - self.start
        start = -left % PAGE
        size = max(start + left + READ, start + need)
        if self._lent:
            self._buffer = (self._buffer + 1) % BUFFERS
            self._lent = False
        elif self.start + need <= len(source) and left:
            return
        if len(self.data) < size:  # then so large that it need not be done again
            self._buffers[self._buffer] = _buffer(max(size, READ + MAX_PACKET))
        self.data[start : start + left] = source[self.start : self.stop]
        self.start, self.stop = start, start + left


def _buffer(size: int) -> NDArray[np.uint8]:
    """At least `size` bytes, whole pages, private ones: a page of shared memory costs twice the time."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, max(1, -(-size // PAGE)) * PAGE, flags=flags), np.uint8)
