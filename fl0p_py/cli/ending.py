"""Ending: how a command ends: errors to one line and an exit status, signals to an orderly stop.

Exit status: an error's own; 128 + N ended by signal N (130: interrupted).  A reader who closes the pipe
ends a command quietly as SIGPIPE would (141).  No error of a user's making ends in a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from fl0p_py.cli.terminal import say
from fl0p_py.errors import Fl0pError


def status_of(name: str, work: Callable[[], int], *, memory_hint: str = "", failed: int = 1) -> int:
    """What `work` returns, or the exit status of the error that ended it, said in one line.

    name : the command's, which begins each line; memory_hint : what to do when memory is short
    failed : status of an error that has none of its own
    """
    try:
        return work()
    except Fl0pError as error:
        say(f"{name}: {error}")
        return max(error.exit_status, failed)
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except MemoryError:
        say(f"{name}: out of memory{memory_hint and '; '}{memory_hint}")
        return failed


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """SIGINT and SIGTERM call `stop` instead of ending the program; yields the list of those that came.

    A second one ends it at once.
    """
    caught: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        stop()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(status: int) -> NoReturn:
    """End the process without the interpreter's tidying up, which would free one by one what the system
    takes back at once (30 ms)."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or gone
            stream.flush()
    os._exit(status)
