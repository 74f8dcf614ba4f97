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


class _End:
    """Marks the end of the iterator, with the exception that ended it, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetch(items: Iterable[Item], ahead: int) -> Iterator[Item]:
    """Yield what `items` yields, with at most `ahead` finished items waiting.

    At any time at most `ahead + 2` items are alive: the one that the caller works on, those that
    wait, and the one being made.
    """
    waiting: queue.Queue[Item | _End] = queue.Queue(ahead)
    stopped = threading.Event()

    def put(item: Item | _End) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as problem:  # noqa: BLE001 - handed to the caller, whatever it is
            error = problem
        put(_End(error))

    thread = threading.Thread(target=work, name="fl0p-reader", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join(timeout=1.0)
