"""Sink: where the entries go, standard output or a log file.

Promises whole writes: `write` returns when all of it has been taken, or raises.  A log is appended
to; it is created readable for its owner and group, since it says who talked to whom.  Errors are
OutputError with the name of the target, except that a reader who has gone away is BrokenPipeError,
which is no failure of ours.
"""

from __future__ import annotations

import os
import select
from types import TracebackType

from fl0p_py.errors import OutputError

LOG_MODE = 0o640


class Sink:
    """An open target.  path : a log file, or None for standard output."""

    def __init__(self, path: str | None = None) -> None:
        self.name = "standard output" if path is None else path
        self._owned = path is not None
        self._descriptor = 1
        if path is not None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            try:
                self._descriptor = os.open(path, flags, LOG_MODE)
            except OSError as error:
                raise self._error(error) from None
            except ValueError:  # Python's words for it differ from version to version
                raise OutputError(f"{self.name!r}: a file name cannot hold a NUL") from None

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the log; what its closing reports counts only if nothing else has gone wrong."""
        try:
            self.close()
        except OutputError:
            if error is None:
                raise

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])  # somebody made it non-blocking
            except BrokenPipeError:
                raise
            except OSError as error:
                raise self._error(error) from None

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        if self._owned:
            self._owned = False
            try:
                os.close(self._descriptor)
            except OSError as error:
                raise self._error(error) from None

    def _error(self, error: OSError) -> OutputError:
        return OutputError(f"{self.name}: {error.strerror or error}")
