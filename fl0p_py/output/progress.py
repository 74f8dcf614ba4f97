"""Progress: a bar on standard error for long work, on a terminal only."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 1.0
"""A run shorter than this shows nothing, and does not pay for importing rich."""


class ProgressBar:
    """Shows how far the work is.

    name  : the capture's, or what is done; size : its bytes, None if unknown
    bytes : what is counted are bytes; else things

    `update` may be called at any rate; nothing is shown unless standard error is a terminal and the
    size is known.  `close` wipes the bar.
    """

    def __init__(self, name: str, size: int | None, *, wanted: bool = True, bytes: bool = True) -> None:
        self._name, self._size, self._bytes = name, size or 0, bytes
        self._wanted = wanted and bool(size) and sys.stderr is not None and sys.stderr.isatty()
        self._start = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def update(self, position: int) -> None:
        """position : bytes of the file consumed so far, or things done."""
        if not self._wanted or time.monotonic() - self._start < PATIENCE_S:
            return
        if self._bar is None:
            self._open()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=min(position, self._size))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        self._wanted = False

    def _open(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn() if self._bytes else MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._name, total=self._size)
        self._bar.start()
