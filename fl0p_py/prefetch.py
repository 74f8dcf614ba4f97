"""prefetch: let an iterator run ahead in a thread of its own.

Worth it only where the iterator spends its time in code that releases the GIL.  Order is kept; an
exception of the iterator is raised in the caller, after all items that came before it; when the
caller stops early, the thread ends at its next item.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

JOIN_S = 0.2
"""How long a caller that stops early waits for the thread, which may hang in a read from a pipe."""

STOP_S = 0.1
"""How often a caller that waits for an item looks whether it shall stop."""


class _End:
    """Marks the end of the iterator, with the exception that ended it, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(items: Iterable[Item], ahead: int, stop: threading.Event | None = None) -> Iterator[Item]:
    """Yield what `items` yields, with at most `ahead` finished items waiting; nothing more once `stop`
    is set, even if the iterator hangs in a read.

    At any time at most `ahead + 2` items are alive: the one that the caller works on, those that
    wait, and the one being made.
    """
    ready: queue.SimpleQueue[Item | _End] = queue.SimpleQueue()
    turns: queue.SimpleQueue[bool] = queue.SimpleQueue()  # one for each item that may wait; False: stop
    stopped = threading.Event()

    def work() -> None:
        try:
            for item in items:
                turns.get()
                if stopped.is_set():
                    return
                ready.put(item)
        except BaseException as problem:
            ready.put(_End(problem))  # raised again where the caller sees it
        else:
            ready.put(_End(None))

    for _ in range(ahead):
        turns.put(True)
    thread = threading.Thread(target=work, name="fl0p-reader", daemon=True)
    thread.start()
    try:
        while stop is None or not stop.is_set():
            try:
                item = ready.get(timeout=STOP_S)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            turns.put(True)
            yield item
    finally:
        stopped.set()
        turns.put(False)
        thread.join(JOIN_S)
