"""Resolve: host names for addresses (`-r`), without letting name servers hold up the output.

A few threads ask, one answer an address is kept, and a batch waits no longer than a limit in all; an
address without an answer by then prints as it is.  An answer that is no plain host name is none
(see escape.host_name).  The threads are daemons, so that a silent server cannot delay the end either.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.output.escape import host_name

LIMIT_S = 3.0
"""How long a batch may wait for names."""

THREADS = 8
CAPACITY = 65536
"""Addresses whose answer is kept; the one not used for longest goes first."""

Address = tuple[bytes, int]
"""Packed address as in a flow row (16 bytes, IPv4 in the first 4), and version."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names for the ends of the flows of n results.

    text : uint8[size]
    at   : int64[n, 3]; the client's name is text[at[i, 0]:at[i, 1]], the server's text[at[i, 1]:at[i, 2]];
           empty where there is none
    """

    text: NDArray[np.uint8]
    at: NDArray[np.int64]


def ask(address: str) -> str | None:
    """The system's answer."""
    try:
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except OSError:
        return None


class Resolver:
    """Keeps answers and asks for new ones."""

    def __init__(
        self, ask: Callable[[str], str | None] = ask, limit_s: float = LIMIT_S, capacity: int = CAPACITY
    ) -> None:
        self._ask, self._limit_s, self._capacity = ask, limit_s, capacity
        self._answers: OrderedDict[Address, str | None] = OrderedDict()
        self._asked: set[Address] = set()
        self._changed = threading.Condition()
        self._questions: queue.SimpleQueue[Address] = queue.SimpleQueue()
        self._threads = 0

    def names(self, rows: NDArray[Any], results: NDArray[Any]) -> Names:
        """rows : the flow table's; results : Result records that name them."""
        ends = [
            (row[end].tobytes(), int(row["version"]))
            for row in rows[results["flow"]]
            for end in ("client", "server")
        ]
        found = self.lookup(ends)
        pieces = [(found[end] or "").encode() for end in ends]
        at = np.zeros(2 * len(results) + 1, np.int64)
        at[1:] = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
        text = np.frombuffer(b"".join(pieces) or b"\0", np.uint8)
        return Names(text, np.stack([at[0:-1:2], at[1::2], at[2::2]], axis=1))

    def lookup(self, addresses: Iterable[Address]) -> dict[Address, str | None]:
        """What is known of each address when all are answered or the limit has passed."""
        wanted = dict.fromkeys(addresses)
        deadline = time.monotonic() + self._limit_s
        with self._changed:
            for address in wanted:
                if address in self._answers:
                    self._answers.move_to_end(address)
                elif address not in self._asked:
                    self._asked.add(address)
                    self._questions.put(address)
                    self._start_thread()
            while any(address in self._asked for address in wanted):
                if not self._changed.wait(deadline - time.monotonic()):
                    break
            found = {address: self._answers.get(address) for address in wanted}
            while len(self._answers) > self._capacity:
                self._answers.popitem(last=False)
        return found

    def _start_thread(self) -> None:
        if self._threads < THREADS:
            self._threads += 1
            threading.Thread(target=self._work, name="resolver", daemon=True).start()

    def _work(self) -> None:
        while True:
            address = self._questions.get()
            packed, version = address
            answer = self._ask(str(ipaddress.ip_address(packed[:4] if version == 4 else packed)))
            with self._changed:
                self._answers[address] = host_name(answer) if answer else None
                self._asked.discard(address)
                self._changed.notify_all()
