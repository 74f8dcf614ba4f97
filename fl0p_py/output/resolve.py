"""Resolve: host names for addresses (`-r`), asked of the name servers of this machine.

    Answers   what is known: bounded, and forgotten in time
    Asker     asks, a bounded number of questions at a time, and waits for none
    Resolver  the way of a run over a capture file: a batch waits for its names, up to a limit

The sensor uses the first two in a process of its own (sensor/resolver.py).  Questions are those of
c-ares: /etc/hosts first, then the servers of /etc/resolv.conf.  It is asked rather than the C
library since it needs no threads, and tells which ports its questions leave from.  An answer that is
no plain host name is none (see escape.host_name).
"""

from __future__ import annotations

import ipaddress
import select
import socket
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pycares
from numpy.typing import NDArray
from pycares._cares import ffi, lib  # pycares has no other way to ares_set_socket_callback(3)

from fl0p_py.output.escape import host_name
from fl0p_py.output.opening import function, hear

LIMIT_S = 3.0
"""How long a batch of a capture file may wait for names."""

CAPACITY = 65536
"""Addresses whose answer is kept; the one not used for longest goes first."""

NAME_S, NO_NAME_S, NO_ANSWER_S = 3600.0, 600.0, 60.0
"""How long it is remembered that an address has this name, has none, or that no server answered."""

AT_ONCE = 64
"""Questions on their way."""

WAITING = 4096
"""Questions that may wait to be sent; beyond, none is taken."""

TRY_S, TRIES = 2.0, 2

FRESH = 10_000
"""After so many questions, c-ares forgets its own answers, which it does not count, and reads
/etc/resolv.conf again."""

STUBS = ("127.0.0.53", "127.0.0.54")
STUB_SERVERS = Path("/run/systemd/resolve/resolv.conf")
"""Where systemd-resolved, which listens on STUBS, writes down the servers that it asks itself."""

Address = tuple[bytes, int]
"""Packed address as in a flow row (16 bytes, IPv4 in the first 4), and version."""


class Endpoint(NamedTuple):
    """A socket of our own: what asks from there is us.  proto : 6 or 17; address as in a flow row"""

    proto: int
    address: Address
    port: int


@dataclass(frozen=True, slots=True)
class Names:
    """Names for the ends of the flows of n results.

    text : uint8[size]
    at   : int64[n, 3]; the client's name is text[at[i, 0]:at[i, 1]], the server's text[at[i, 1]:at[i, 2]];
           empty where there is none
    """

    text: NDArray[np.uint8]
    at: NDArray[np.int64]


Lookup = Callable[[Iterable[Address]], dict[Address, str]]
"""The names of addresses; "" for one without a name, or whose name is not known."""


def names_of(rows: NDArray[Any], results: NDArray[Any], lookup: Lookup) -> Names:
    """rows : the flow table's; results : Result records that name them."""
    ends = [
        (row[end].tobytes(), int(row["version"]))
        for row in rows[results["flow"]]
        for end in ("client", "server")
    ]
    found = lookup(ends)
    pieces = [found[end].encode() for end in ends]
    at = np.zeros(2 * len(results) + 1, np.int64)
    at[1:] = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    text = np.frombuffer(b"".join(pieces) or b"\0", np.uint8)
    return Names(text, np.stack([at[0:-1:2], at[1::2], at[2::2]], axis=1))


class Answers:
    """Names by address.  clock : seconds, for forgetting"""

    def __init__(self, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity, self._clock = capacity, clock
        self._kept: OrderedDict[Address, tuple[str, float]] = OrderedDict()

    def get(self, address: Address) -> str | None:
        """Its name, "" if it has none, None if that is not known (any more)."""
        found = self._kept.get(address)
        if found is None:
            return None
        if found[1] <= self._clock():
            del self._kept[address]
            return None
        self._kept.move_to_end(address)
        return found[0]

    def put(self, address: Address, name: str, keep_s: float) -> None:
        self._kept[address] = name, self._clock() + keep_s
        self._kept.move_to_end(address)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


class Asker:
    """Asks for names without waiting: `fileno` is readable when there is something to do in `step`.

    answered : called with the address, its name or "", and for how long that may be remembered; from
               within `ask` too
    opened   : called with each endpoint before anything leaves from it
    servers  : ADDRESS or ADDRESS:PORT, instead of those of this machine
    """

    def __init__(
        self,
        answered: Callable[[Address, str, float], None],
        opened: Callable[[Endpoint], None] | None = None,
        servers: Sequence[str] = (),
    ) -> None:
        self._answered, self._opened, self._servers = answered, opened, servers
        self._waiting: deque[Address] = deque()
        self._pending: set[Address] = set()
        self._asked = 0
        self._ready = select.epoll()
        self._sockets: set[int] = set()
        self._stub = False
        self._channel = pycares.Channel(timeout=TRY_S, tries=TRIES, sock_state_cb=self._socket_changed)
        self._hear_of_sockets()
        self._set_servers()

    def ask(self, address: Address) -> bool:
        """Ask for its name; False if too many are being asked for."""
        if address in self._pending:
            return True
        if len(self._waiting) >= WAITING:
            return False
        self._pending.add(address)
        self._waiting.append(address)
        self._send()
        return True

    def fileno(self) -> int:
        return self._ready.fileno()

    def wait_s(self, longest_s: float) -> float:
        """How long at most to wait for `fileno` before the next `step`."""
        if not self._sockets:
            return longest_s
        return float(self._channel.timeout(longest_s))  # type: ignore[no-untyped-call]

    def step(self) -> None:
        """Take the answers that are there, give up what took too long, ask what waits."""
        for descriptor, events in self._ready.poll(0):
            if events & ~select.EPOLLOUT:
                self._channel.process_read_fd(descriptor)
            if events & select.EPOLLOUT:
                self._channel.process_write_fd(descriptor)
        self._channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
        self._send()

    def _send(self) -> None:
        while self._waiting and len(self._pending) - len(self._waiting) < AT_ONCE:
            address = self._waiting.popleft()
            packed, version = address
            text = str(ipaddress.ip_address(packed[:4] if version == 4 else packed))
            self._asked += 1
            if self._asked % FRESH == 0:
                self._channel.reinit()
                self._set_servers()
            self._channel.gethostbyaddr(text, callback=partial(self._take, address))

    def _take(self, address: Address, result: pycares.HostResult | None, error: int | None) -> None:
        self._pending.discard(address)
        if result is not None:
            name = host_name(result.name) if isinstance(result.name, str) else None
            self._answered(address, name or "", NAME_S if name else NO_NAME_S)
        else:
            known = error in (pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_ENODATA)
            self._answered(address, "", NO_NAME_S if known else NO_ANSWER_S)

    def _set_servers(self) -> None:
        """Go past a stub on this machine: its questions leave from ports that nobody tells us."""
        servers = list(self._servers)
        self._stub = self._stub or all(server.startswith(STUBS) for server in self._channel.servers)
        if not servers and self._stub:
            servers = _servers_in(STUB_SERVERS)
        if servers:
            self._channel.servers = servers

    def _hear_of_sockets(self) -> None:
        """Have `socket_opened` called: `_socket_changed` comes after the first question has left."""
        inside: Any = self._channel._channel
        hearer = ffi.cast("ares_sock_create_callback", function())
        lib.ares_set_socket_callback(inside[0], hearer, ffi.cast("void *", hear(self)))

    def socket_opened(self, descriptor: int) -> None:
        """c-ares has this socket, and nothing has left from it yet."""
        if self._opened is not None:
            self._opened(_endpoint(descriptor))

    def _socket_changed(self, descriptor: int, readable: bool, writable: bool) -> None:
        """c-ares wants to know of this socket when it is readable, writable; neither: it closes it."""
        events = (select.EPOLLIN if readable else 0) | (select.EPOLLOUT if writable else 0)
        if not events:
            if descriptor in self._sockets:
                self._sockets.discard(descriptor)
                self._ready.unregister(descriptor)
        elif descriptor in self._sockets:
            self._ready.modify(descriptor, events)
        else:
            self._sockets.add(descriptor)
            self._ready.register(descriptor, events)


def _endpoint(descriptor: int) -> Endpoint:
    borrowed = socket.socket(fileno=descriptor)
    try:
        host, port = borrowed.getsockname()[:2]
        proto = 6 if borrowed.type == socket.SOCK_STREAM else 17
    finally:
        borrowed.detach()
    address = ipaddress.ip_address(host.partition("%")[0])
    return Endpoint(proto, (address.packed.ljust(16, b"\0"), address.version), port)


def _servers_in(path: Path) -> list[str]:
    """The name servers of a resolv.conf(5); none if it cannot be read."""
    try:
        lines = path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []
    return [words[1] for line in lines if len(words := line.split()) > 1 and words[0] == "nameserver"]


class Resolver:
    """Names for batches of results, each waiting no longer than `limit_s` for all of its own.

    An answer that comes later counts from then on.
    """

    def __init__(
        self, limit_s: float = LIMIT_S, capacity: int = CAPACITY, servers: Sequence[str] = ()
    ) -> None:
        self._limit_s = limit_s
        self._answers = Answers(capacity)
        self._batch: dict[Address, str] = {}
        self._awaited: set[Address] = set()
        self._asker = Asker(self._take, servers=servers)

    def names(self, rows: NDArray[Any], results: NDArray[Any]) -> Names:
        """rows : the flow table's; results : Result records that name them."""
        return names_of(rows, results, self.lookup)

    def others(self, rows: NDArray[Any], results: NDArray[Any]) -> NDArray[Any]:
        """The results that are not of our own questions: in a capture file, all."""
        return results

    def lookup(self, addresses: Iterable[Address]) -> dict[Address, str]:
        """What is known of each address when all are answered or the limit has passed."""
        known = {address: self._answers.get(address) for address in addresses}
        self._batch = {address: name or "" for address, name in known.items()}
        unasked = deque(address for address, name in known.items() if name is None)
        self._awaited = set(unasked)
        deadline = time.monotonic() + self._limit_s
        while True:
            while unasked and self._asker.ask(unasked[0]):
                unasked.popleft()
            left_s = deadline - time.monotonic()
            if not self._awaited or left_s <= 0:
                return self._batch
            select.select([self._asker], [], [], self._asker.wait_s(left_s))
            self._asker.step()

    def _take(self, address: Address, name: str, keep_s: float) -> None:
        self._answers.put(address, name, keep_s)
        if address in self._awaited:
            self._awaited.discard(address)
            self._batch[address] = name
