"""Beginning: how a command starts: with its options, or a line about them; quickly."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from fl0p_py.cli.ending import status_of
from fl0p_py.cli.terminal import say
from fl0p_py.errors import UsageError

SWITCH_S = 1e-4
"""How soon a thread that runs Python gives way to one that has come back from a kernel."""

Options = TypeVar("Options")


def run(
    name: str,
    argv: Sequence[str] | None,
    parse: Callable[[Sequence[str]], Options],
    work: Callable[[Options], int],
    *,
    failed: int = 1,
    memory_hint: str = "--flows bounds what the flow table takes",
) -> int:
    """The exit status of `work` on these arguments (None: sys.argv's without the name).

    failed : status of an error that has none of its own; memory_hint : what to do when memory is short
    """
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
    except UsageError as error:
        say(f"{name}: {error}; try {name} -h")
        return error.exit_status
    try:
        return status_of(name, partial(work, options), memory_hint=memory_hint, failed=failed)
    finally:
        gc.enable()  # see hurry


def hurry() -> None:
    """Before what a command needs is imported; gc.enable() is for when packets come."""
    spare_threads()
    gc.disable()  # what is made until the first packet stays: looking through it is in vain
    sys.setswitchinterval(SWITCH_S)


def spare_threads() -> None:
    """Before numpy is imported, which would start a thread a core, for nothing."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
