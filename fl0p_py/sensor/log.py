"""Log: where a sensor's entries go for weeks: whole ones only, in one write a batch.

Promises, for a log in a file:
- an entry is in it whole or not at all, whatever happens: a full disk in the middle of a batch, a
  process killed in the middle of a write (`mend`, by whoever opens the log next), a rotation;
- a batch is one write in append mode, so that two sensors on one file do not interleave;
- what cannot be written is counted and said, and the sensor goes on; it is said again when the log
  can be written again;
- `reopen` goes between two batches: no entry is lost or written twice by a rotation.

Every descriptor of a log holds a shared flock(2).  Whoever can turn it into an exclusive one is the
only writer and may cut off a torn entry; beside another writer, the torn entry is finished instead,
as soon as there is room.  That takes no path: all but `open_log` works inside a chroot.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import threading
import time
from collections.abc import Callable

from fl0p_py.errors import OutputError
from fl0p_py.output.sink import LOG_MODE

HOLD_S = 1.0
"""The log counts as writable again when nothing was lost for so long: a disk that is almost full takes
a short batch now and then."""

SHARED_S = 1.0
"""How long a lock is waited for; reading LONGEST_TORN takes a thousandth of it."""

LONGEST_TORN = 1 << 20
"""Bytes at the end of a log in which `mend` looks for the end of the last whole entry."""

EVE_HEAD = b'{"timestamp":"'

Lost = Callable[[int, str], None]
"""Told once when entries begin to be lost: how many in this batch, and why."""

Back = Callable[[int], None]
"""Told when they are no longer: how many were lost meanwhile."""


def open_log(path: str, end: bytes = b"\n") -> int:
    """A descriptor of the log to append to, created if need be and mended; raises OutputError.

    end : what ends an entry in it
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK, LOG_MODE)  # or it would wait for a pipe's reader
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OutputError(f"{path}: a named pipe that nobody reads") from None
        raise OutputError(f"{path}: {error.strerror or error}") from None
    except ValueError:  # Python's words for it differ from version to version
        raise OutputError(f"{path!r}: a file name cannot hold a NUL") from None
    os.set_blocking(descriptor, True)
    _share(descriptor)
    mend(descriptor, end)
    return descriptor


def mend(descriptor: int, end: bytes = b"\n") -> int:
    """Cut off what a killed writer left of an entry; returns the bytes removed.

    An unfinished line that does not begin as an entry does is somebody else's, and is finished.
    Nothing is done while another process has the log open, to what is no regular file, or when the file
    cannot be read by way of /proc.
    """
    if not _appends_to_file(descriptor) or not os.fstat(descriptor).st_size:
        return 0
    try:
        reading = os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        with _Alone(descriptor) as alone:
            return _mend_tail(descriptor, reading, end) if alone else 0
    finally:
        os.close(reading)


def _mend_tail(descriptor: int, reading: int, end: bytes) -> int:
    size = os.fstat(descriptor).st_size
    start = max(0, size - LONGEST_TORN)
    tail = os.pread(reading, size - start, start)
    whole = _whole(tail, len(tail), end)
    torn = tail[whole:]
    if not torn:
        return 0
    if (start and not whole) or not _is_entry(torn):
        _write_all(descriptor, end)
        return 0
    os.ftruncate(descriptor, size - len(torn))
    return len(torn)


def _is_entry(torn: bytes) -> bool:
    """Whether a log's entry may begin like this: with a time, in text, or as an EVE object."""
    if torn[:1] == b"[":
        return torn[1:2].isdigit() or len(torn) == 1
    return torn.startswith(EVE_HEAD) or EVE_HEAD.startswith(torn)


class Log:
    """An open log, or another place to which lines go.

    descriptor : closed by `reopen` and `close`, but for standard output (1)
    name       : for messages
    end        : what ends an entry: one line feed, or two for blocks
    lost       : entries that could not be written, in all

    Raises BrokenPipeError when it is standard output and the reader has gone away; that ends a
    sensor.  All other errors count entries as lost.  `write` and `reopen` may be called by two threads.
    """

    def __init__(
        self,
        descriptor: int,
        name: str,
        *,
        end: bytes = b"\n",
        on_lost: Lost | None = None,
        on_back: Back | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.lost = name, 0
        self._descriptor, self.end = descriptor, end
        self._on_lost, self._on_back, self._clock = on_lost, on_back, clock
        self._lock = threading.Lock()
        self._unfinished = b""
        self._lost_before: int | None = None
        self._lost_at = 0.0

    def write(self, data: bytes) -> None:
        """data : whole entries"""
        with self._lock:
            say = self._write(data)
        if say is not None:
            say()

    def reopen(self, descriptor: int) -> None:
        """Go on in this one, from the next batch on."""
        with self._lock:
            old, self._descriptor = self._descriptor, descriptor
            self._give_up_unfinished()
        _close(old)

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        with self._lock:
            self._give_up_unfinished()
            _close(self._descriptor)

    def _write(self, data: bytes) -> Callable[[], None] | None:
        """Write it; returns what is to be told, if anything."""
        written, error = _write_all(self._descriptor, self._unfinished + data)
        if error is None:
            self._unfinished = b""
            return self._recovered()
        if isinstance(error, BrokenPipeError) and self._descriptor == 1:
            raise error
        return self._failed(data, written, error)

    def _failed(self, data: bytes, written: int, error: OSError) -> Callable[[], None] | None:
        """Mend what a write left that took `written` bytes of the unfinished entry and of `data`."""
        owed = len(self._unfinished)
        if written < owed:
            self._unfinished = self._unfinished[written:]
            lost = data.count(self.end)
        else:
            kept = _whole(data, written - owed, self.end)
            torn = written - owed - kept
            lost = data.count(self.end, kept)
            self._unfinished = b""
            if torn and not self._cut(torn):
                self._unfinished = data[kept + torn : data.index(self.end, kept) + len(self.end)]
                lost -= 1
        self._lost_at = self._clock()
        first = self._lost_before is None
        if self._lost_before is None:
            self._lost_before = self.lost
        self.lost += lost
        if not first or self._on_lost is None:
            return None
        told, why = self._on_lost, error.strerror or str(error)
        return lambda: told(lost, why)

    def _recovered(self) -> Callable[[], None] | None:
        if self._lost_before is None or self._clock() - self._lost_at < HOLD_S:
            return None
        lost, self._lost_before = self.lost - self._lost_before, None
        told = self._on_back
        return None if told is None else lambda: told(lost)

    def _cut(self, torn: int) -> bool:
        """Take the last `torn` bytes off the file again, if nobody else writes to it."""
        if not _appends_to_file(self._descriptor):
            return False
        try:
            with _Alone(self._descriptor) as alone:
                if alone:
                    os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - torn)
                return alone
        except OSError:
            return False

    def _give_up_unfinished(self) -> None:
        if self._unfinished:
            self.lost += 1
            self._unfinished = b""


class _Alone:
    """Holds a descriptor's flock exclusively, if nobody else holds one; yields whether it does."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        _share(self._descriptor)  # in both cases: an attempt that fails gives up the shared lock too


def _share(descriptor: int) -> None:
    """Who holds it exclusively is another of us who mends, for a moment; else it is somebody who has his
    reasons to lock a log, and no sensor waits for him."""
    until_s = time.monotonic() + SHARED_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until_s:
                return
            time.sleep(0.01)
        except OSError:
            return  # a file system without locks: nobody will ever be alone there, and nothing is cut off
        else:
            return


def _appends_to_file(descriptor: int) -> bool:
    regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    return regular and bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND)


def _write_all(descriptor: int, data: bytes) -> tuple[int, OSError | None]:
    """How many bytes were taken, and why no more."""
    written = 0
    while written < len(data):
        try:
            written += os.write(descriptor, memoryview(data)[written:])
        except BlockingIOError:
            select.select([], [descriptor], [])  # somebody made it non-blocking
        except OSError as error:
            return written, error
    return written, None


def _whole(data: bytes, size: int, end: bytes) -> int:
    """How much of data[:size] is whole entries."""
    return data.rfind(end, 0, size) + len(end) if data.find(end, 0, size) >= 0 else 0


def _close(descriptor: int) -> None:
    """Close a log that is done with; what a network file system reports only now cannot be mended."""
    if descriptor == 1:
        return
    try:
        os.close(descriptor)
    except OSError:
        return
