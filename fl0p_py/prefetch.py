"""Prefetch: let an iterator run ahead in a thread of its own.

Worth it only where the iterator spends its time in code that releases the GIL.  Order is kept; an
exception of the iterator is raised in the caller, after all items that came before it; when the
caller stops early, the thread ends at its next item.

A thread that runs ahead may give way to the caller: where there are more threads than processors, all wait
for the caller in the end.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")

JOIN_S = 0.2
"""How long a caller that stops early waits for the thread, which may hang in a read from a pipe."""

GIVES_WAY = 4
"""By how much a thread is nicer than the process: two such threads get 0.8 of its time (sched(7)), which is
about what they need."""

STOP_S = 0.1
"""How often a caller that waits for an item looks whether it shall stop."""


class _End:
    """Marks the end of the iterator, with the exception that ended it, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetch(Generic[Item]):
    """Iterate over it once: yields what `items` yields, with at most `ahead` finished items waiting;
    nothing more once `stop` is set, even if the iterator hangs in a read.

    gives_way : the thread is nicer than the caller (on Linux, where threads have a nice value of their own)

    At any time at most `ahead + 2` items are alive: the one that the caller works on, those that
    wait, and the one being made.  The thread starts with the object, so that it works already while
    the caller does something else first.
    """

    def __init__(
        self,
        items: Iterable[Item],
        ahead: int,
        name: str,
        stop: threading.Event | None = None,
        *,
        gives_way: bool = False,
    ) -> None:
        self._stop = stop
        self._gives_way = gives_way
        self._ready: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()
        # one for each item that may wait; False: stop
        self._turns: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._stopped = threading.Event()
        for _ in range(ahead):
            self._turns.put(True)
        # the thread alone holds the iterator: a generator is closed, there, when the thread ends
        self._thread = threading.Thread(target=self._work, args=(items,), name=name, daemon=True)
        self._thread.start()

    @property
    def waits(self) -> bool:
        """Whether the next item, or the end, is there without waiting."""
        return not self._ready.empty()

    def _work(self, items: Iterable[Item]) -> None:
        if self._gives_way:
            _be_nice()
        try:
            for item in items:
                self._turns.get()
                if self._stopped.is_set():
                    return
                self._ready.put(item)
        except BaseException as problem:
            self._ready.put(_End(problem))  # raised again where the caller sees it
        else:
            self._ready.put(_End(None))

    def __iter__(self) -> Iterator[Item]:
        try:
            while self._stop is None or not self._stop.is_set():
                try:
                    item = self._ready.get(timeout=None if self._stop is None else STOP_S)
                except queue.Empty:
                    continue
                if isinstance(item, _End):
                    if item.error is not None:
                        raise item.error
                    return
                self._turns.put(True)
                yield item
        finally:
            self.close()

    def close(self) -> None:
        """End the thread; no more is yielded."""
        self._stopped.set()
        self._turns.put(False)
        self._thread.join(JOIN_S)


def _be_nice() -> None:
    """Of the calling thread."""
    if sys.platform == "linux":  # elsewhere it would be a process of that number
        with suppress(OSError):
            own = os.getpriority(os.PRIO_PROCESS, os.getpid())  # not the thread's, which may have one by now
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), own + GIVES_WAY)
