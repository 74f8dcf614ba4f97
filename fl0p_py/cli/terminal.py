"""Terminal: what a command says on standard error."""

from __future__ import annotations

import os
import sys


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
