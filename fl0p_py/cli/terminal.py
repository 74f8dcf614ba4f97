"""Terminal: what a command says on standard error, and a text that it shows."""

from __future__ import annotations

import os
import sys

NARROWEST, WIDEST = 60, 100
"""Bounds of the width of `-h`: columns of the terminal in between."""


def say(text: str) -> None:
    """Print to standard error, if there is one that can be written."""
    if sys.stderr is None:
        return
    try:
        print(text, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        sys.stderr = None  # gone: a message about it has nowhere to go


def colour() -> bool:
    return sys.stderr is not None and sys.stderr.isatty() and "NO_COLOR" not in os.environ


def show(text: str) -> None:
    """Print to standard output; raises OutputError."""
    from fl0p_py.output.sink import Sink

    with Sink() as sink:
        sink.write(text.encode())


def width() -> int:
    """Columns to fill with text: those of the terminal, within bounds."""
    try:
        columns = os.get_terminal_size(1).columns
    except OSError:
        columns = 80
    return max(NARROWEST, min(columns, WIDEST))
