"""PidFile: says who the running sensor is, and that there is only one.

It is locked (flock) for as long as the sensor runs; the lock is what counts, not the number in the file,
which may by now be somebody else's.  A file that a dead sensor left is taken over.  A file that holds
anything but a process id is not ours, and is left alone.

The lock passes to forked processes: the one who wrote the id keeps it until `remove`.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from contextlib import suppress

from fl0p_py.errors import OutputError

MODE = 0o644

_CONTENT = re.compile(rb"\s*\d{0,10}\s*")


class PidFile:
    """A pidfile, open and locked.  Raises OutputError if it cannot be, or another sensor has it."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)  # noqa: PTH100 - a daemon changes its directory
        try:
            self._descriptor = self._open_locked(path)
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror or error}") from None
        except ValueError:
            raise OutputError(f"{path!r}: a file name cannot hold a NUL") from None

    def fileno(self) -> int:
        return self._descriptor

    def write(self, pid: int) -> None:
        """Put this process id into the file, and nothing else."""
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % pid, 0)
        except OSError as error:
            raise OutputError(f"{self.path}: {error.strerror or error}") from None

    def abandon(self) -> None:
        """Take an empty file away that will have no process id: the sensor did not come so far."""
        with suppress(OSError):
            if os.fstat(self._descriptor).st_size == 0:
                self.remove()

    def remove(self) -> None:
        """Take the file away, if it is still the one that is locked here, then unlock it."""
        try:
            if _is_at(self._descriptor, self.path):
                os.unlink(self.path)  # noqa: PTH108
        except OSError:
            pass  # a folder that is not ours to change: the file stays, and is taken over next time
        os.close(self._descriptor)
        self._descriptor = -1

    def _open_locked(self, path: str) -> int:
        """The file, locked; opened again if it was removed between opening and locking."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        while True:
            descriptor = os.open(path, flags, MODE)
            try:
                content = os.pread(descriptor, 32, 0) if _is_regular(descriptor) else b"?"
                if not _CONTENT.fullmatch(content):
                    raise OutputError(f"{path}: exists and is no pidfile")
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise OutputError(f"{path}: fl0p already runs{_pid_in(content)}") from None
                if _is_at(descriptor, path):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)


def _is_regular(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _is_at(descriptor: int, path: str) -> bool:
    """Whether `path` is still the file that is open here."""
    try:
        there = os.stat(path, follow_symlinks=False)  # noqa: PTH116
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)


def _pid_in(content: bytes) -> str:
    number = content.strip()
    return f" (process {int(number)})" if number else ""
