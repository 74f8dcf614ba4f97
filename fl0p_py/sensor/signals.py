"""Signals: which have come, each noted once however often, and a descriptor that says that some have.

They are noted by their handlers, not by the bytes on the socket: many SIGHUP fill that, and a SIGTERM would
find no room.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType


class Signals:
    """numbers : those that are noted, in the main thread"""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = tuple(numbers)
        self._noted: set[int] = set()

    @contextmanager
    def heard(self) -> Iterator[socket.socket]:
        """As long as this lasts they are noted; what it gives can be read when one has come."""
        mine, woken = socket.socketpair()
        for end in (mine, woken):
            end.setblocking(False)
        before = {number: signal.signal(number, self._note) for number in self._numbers}
        wakeup = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._numbers)  # some waited for this
        try:
            yield mine
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            mine.close()
            woken.close()

    def taken(self) -> set[int]:
        """Those that have come since it was asked last."""
        numbers, self._noted = self._noted, set()
        return numbers

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._noted.add(number)
