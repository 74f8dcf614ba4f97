"""Terminal: what a command says on standard error, and a text that it shows."""

from __future__ import annotations

import os
import sys

from fl0p_py import __version__

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


def tells_of_itself(name: str, manual: str, wants_help: bool, wants_version: bool) -> bool:
    """Answer -h and --version, if they were asked for.  manual : the module with MANUAL, imported for -h"""
    if wants_help:
        from importlib import import_module

        from fl0p_py.cli.document import help_text

        show(help_text(import_module(manual).MANUAL, width()))
    elif wants_version:
        show(f"{name} {__version__}\n")
    return wants_help or wants_version


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
