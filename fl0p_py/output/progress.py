"""Progress: a bar on standard error for long work, on a terminal only."""

from __future__ import annotations

import sys
import time
from threading import Lock, Timer
from typing import TYPE_CHECKING

from fl0p_py.output.escape import escape

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 1.0
"""A run shorter than this shows nothing, and does not pay for importing rich."""


LONGEST_NAME, BAR = 30, 20
"""Columns: with all else on its line a bar stays within 80, so that the ^C which a terminal shows behind it
is wiped with it."""


class ProgressBar:
    """Shows how far the work is.

    name  : the capture's, or what is done; size : its bytes, None if unknown
    bytes : what is counted are bytes; else things

    `update` may be called at any rate; nothing is shown unless standard error is a terminal and the
    size is known.  `close` wipes the bar.
    """

    def __init__(self, name: str, size: int | None, *, wanted: bool = True, bytes: bool = True) -> None:
        shown = escape(name)
        self._name = shown if len(shown) <= LONGEST_NAME else f"…{shown[1 - LONGEST_NAME :]}"
        self._size, self._bytes = size or 0, bytes
        self._wanted = wanted and bool(size) and sys.stderr is not None and sys.stderr.isatty()
        self._start = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._position = 0
        self._timer: Timer | None = None
        self._opening = Lock()

    def update(self, position: int) -> None:
        """position : bytes of the file consumed so far, or things done."""
        if not self._wanted:
            return
        self._position = min(position, self._size)
        if self._bar is None:
            patience_s = self._start + PATIENCE_S - time.monotonic()
            if patience_s <= 0:
                self._open()
            elif not self._bytes and self._timer is None:  # a thing may last, and nothing be told meanwhile
                self._timer = Timer(patience_s, self._open)
                self._timer.daemon = True
                self._timer.start()
        elif self._task is not None:
            self._bar.update(self._task, completed=self._position)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._opening:
            self._wanted = False
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def _open(self) -> None:
        with self._opening:
            if self._wanted and self._bar is None:
                self._show()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column

        bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=BAR),
            DownloadColumn() if self._bytes else MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = bar.add_task(self._name, total=self._size, completed=self._position)
        bar.start()
        self._bar = bar
