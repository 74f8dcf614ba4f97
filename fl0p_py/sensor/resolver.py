"""Resolver: the process that asks for host names, so that an engine neither waits nor opens anything.

    engine: ResolverClient  <── socket pair, one datagram a message ──>  resolver: Server

    to the resolver   addresses, 17 bytes each: version, and the address as in a flow row
    to the engine     names: NAMED, version, address, for how many seconds, length, name
                      endpoints from which the resolver asks: OPENED, version, address, protocol, port

Promises: the engine never waits; an address whose name is not known yet prints as it is, and the answer
counts for the entries after it.  Everything is bounded: questions that wait, answers that are kept, a
message.  What does not fit is dropped and asked again later.  Neither side trusts the other: the
resolver reads answers of strangers, the engine packets of strangers.

The sensor's own questions are not reported: the resolver names each endpoint before it asks from there,
and the engine leaves out flows that have it at one end.  Everybody else's are, those of other programs
on this machine to the same servers too.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.output.escape import host_name
from fl0p_py.output.resolve import NO_ANSWER_S, Address, Answers, Asker, Endpoint, Names, names_of
from fl0p_py.sensor.channel import Channel, Kind, say

QUESTION = struct.Struct("!B16s")
NAMED_HEAD = struct.Struct("!BB16sIB")
OPENED_BODY = struct.Struct("!BB16sBH")
NAMED, OPENED = 1, 2

QUESTIONS = 256
"""Addresses in a message."""

LONGEST = 8192
"""Bytes of a message in either direction."""

MESSAGES = 512
"""Messages read at once before something else has its turn; more than a socket holds."""

OUTBOX = 8192
"""Records for an engine that does not read; beyond, the oldest are dropped."""

ASKED = 16384
"""Addresses that an engine remembers having asked for."""

ENDPOINTS = 4096
"""Endpoints of the resolver that an engine remembers."""

ENDPOINT_S = 600.0
"""For so long a flow may still be reported that began with a question: UDP flows are idle after 180 s."""

TICK_S = 5.0


class ResolverClient:
    """The engine's side, for output/writer.py.

    resolver   : socket of a pair of SOCK_SEQPACKET
    endpoint_s : for how long flows from the resolver's endpoints are its own
    """

    def __init__(
        self,
        resolver: socket.socket,
        endpoint_s: float = ENDPOINT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._socket: socket.socket | None = resolver
        self._endpoint_s, self._clock = endpoint_s, clock
        self._answers = Answers(clock=clock)
        self._asked: OrderedDict[Address, float] = OrderedDict()
        self._own: OrderedDict[Endpoint, float] = OrderedDict()

    def names(self, rows: NDArray[Any], results: NDArray[Any]) -> Names:
        """What is known by now; rows : the flow table's; results : Result records that name them."""
        return names_of(rows, results, self.lookup)

    def others(self, rows: NDArray[Any], results: NDArray[Any]) -> NDArray[Any]:
        """The results whose flow is none of the resolver's own."""
        self.listen()
        if not self._own or not len(results):
            return results
        foreign = [not self._is_own(row) for row in rows[results["flow"]]]
        return results[np.array(foreign, np.bool_)]

    def listen(self) -> None:
        """Read what the resolver has sent; to be called now and then when nothing is printed, too."""
        for _ in range(MESSAGES):
            if self._socket is None:
                return
            try:
                data = self._socket.recv(LONGEST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionError:
                data = b""
            if not data:
                self._socket = None  # gone for good: addresses from now on
                return
            self._take(data)

    def lookup(self, addresses: Iterable[Address]) -> dict[Address, str]:
        """What is known of each by now; what is not is asked for."""
        self.listen()
        found, unknown = {}, []
        now = self._clock()
        for address in dict.fromkeys(addresses):
            name = self._answers.get(address)
            found[address] = name or ""
            if name is None and self._asked.get(address, 0.0) <= now:
                unknown.append(address)
        for at in range(0, len(unknown), QUESTIONS):
            self._ask(unknown[at : at + QUESTIONS], now)
        return found

    def _ask(self, addresses: list[Address], now: float) -> None:
        """Send the questions, or drop them if the resolver has too many already."""
        if self._socket is None:
            return
        message = b"".join(QUESTION.pack(version, packed) for packed, version in addresses)
        try:
            self._socket.send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return
        except ConnectionError:
            self._socket = None
            return
        for address in addresses:
            self._asked[address] = now + NO_ANSWER_S
            self._asked.move_to_end(address)
        while len(self._asked) > ASKED:
            self._asked.popitem(last=False)

    def _take(self, data: bytes) -> None:
        """Read a message as far as it is one."""
        for record in _records(data):
            if isinstance(record, Endpoint):
                self._own[record] = self._clock() + self._endpoint_s
                self._own.move_to_end(record)
                if len(self._own) > ENDPOINTS:
                    self._own.popitem(last=False)
            else:
                address, name, keep_s = record
                self._answers.put(address, name, keep_s)
                self._asked.pop(address, None)

    def _is_own(self, row: Any) -> bool:
        proto, version = int(row["proto"]), int(row["version"])
        for end, port in (("client", "cport"), ("server", "sport")):
            endpoint = Endpoint(proto, (row[end].tobytes(), version), int(row[port]))
            until = self._own.get(endpoint)
            if until is not None and until > self._clock():
                return True
        return False


def _records(data: bytes) -> Iterator[Endpoint | tuple[Address, str, float]]:
    """The records of a message to the engine, up to the first that is none."""
    at = 0
    while at < len(data):
        if data[at] == OPENED and len(data) - at >= OPENED_BODY.size:
            _, version, packed, proto, port = OPENED_BODY.unpack_from(data, at)
            yield Endpoint(proto, (packed, version), port)
            at += OPENED_BODY.size
        elif data[at] == NAMED and len(data) - at >= NAMED_HEAD.size:
            _, version, packed, keep_s, length = NAMED_HEAD.unpack_from(data, at)
            at += NAMED_HEAD.size
            text = data[at : at + length].decode("ascii", "replace")
            at += length
            if len(text) != length or (text and host_name(text) != text):
                return
            yield (packed, version), text, keep_s
        else:
            return


class Server:
    """The resolver process.

    sockets : one for each engine
    channel : the monitor's
    servers : ADDRESS or ADDRESS:PORT, instead of those of this machine
    """

    def __init__(
        self, sockets: Sequence[socket.socket], channel: Channel, servers: Sequence[str] = ()
    ) -> None:
        self._channel = channel
        self._engines = {one.fileno(): one for one in sockets}
        self._outboxes = {one: deque[bytes](maxlen=OUTBOX) for one in self._engines}
        self._askers: dict[Address, set[int]] = {}
        self._answers = Answers()
        self._asker = Asker(self._answered, self._opened, servers)
        self._poll = select.poll()
        for descriptor in (*self._engines, channel.fileno(), self._asker.fileno()):
            self._poll.register(descriptor, select.POLLIN)

    def run(self) -> int:
        """Answer until the monitor says STOP, or is gone, or all engines are; returns the exit status."""
        while self._engines:
            ready = dict(self._poll.poll(1000 * self._asker.wait_s(TICK_S)))
            if self._channel.fileno() in ready and not self._go_on():
                break
            for descriptor in ready.keys() & self._engines.keys():
                self._read(descriptor)
            self._asker.step()
            for descriptor in list(self._engines):
                self._flush(descriptor)
        return 0

    def _go_on(self) -> bool:
        try:
            message = self._channel.receive()
        except BlockingIOError:
            return True
        return message is not None and message.kind is not Kind.STOP

    def _read(self, descriptor: int) -> None:
        """Take this engine's questions; its turn ends after some messages."""
        for _ in range(MESSAGES):
            try:
                data = self._engines[descriptor].recv(LONGEST, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except ConnectionError:
                data = b""
            if not data:
                self._forget(descriptor)
                return
            questions = list(QUESTION.iter_unpack(data)) if len(data) % QUESTION.size == 0 else []
            if not questions or any(version not in (4, 6) for version, _ in questions):
                say(self._channel, "an engine asked what is no question; dropped")
                continue
            for version, packed in questions:
                self._question(descriptor, (packed, version))

    def _question(self, descriptor: int, address: Address) -> None:
        name = self._answers.get(address)
        if name is not None:
            self._outboxes[descriptor].append(_named(address, name, NO_ANSWER_S))
            return
        self._askers.setdefault(address, set()).add(descriptor)
        if not self._asker.ask(address):
            del self._askers[address]

    def _answered(self, address: Address, name: str, keep_s: float) -> None:
        self._answers.put(address, name, keep_s)
        for descriptor in self._askers.pop(address, ()):
            if descriptor in self._outboxes:
                self._outboxes[descriptor].append(_named(address, name, keep_s))

    def _opened(self, endpoint: Endpoint) -> None:
        """Tell all engines at once: the question is sent when this returns."""
        proto, (packed, version), port = endpoint
        for descriptor in list(self._outboxes):
            self._outboxes[descriptor].append(OPENED_BODY.pack(OPENED, version, packed, proto, port))
            self._flush(descriptor)

    def _flush(self, descriptor: int) -> None:
        """Send what is waiting for this engine, as far as it has room."""
        outbox = self._outboxes.get(descriptor)
        while outbox:
            message = bytearray()
            taken = 0
            for record in outbox:
                if len(message) + len(record) > LONGEST:
                    break
                message += record
                taken += 1
            try:
                self._engines[descriptor].send(message, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                self._poll.modify(descriptor, select.POLLIN | select.POLLOUT)
                return
            except ConnectionError:
                self._forget(descriptor)
                return
            for _ in range(taken):
                outbox.popleft()
        if descriptor in self._engines:
            self._poll.modify(descriptor, select.POLLIN)

    def _forget(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        self._engines.pop(descriptor).close()
        del self._outboxes[descriptor]


def resolver_pair() -> tuple[socket.socket, socket.socket]:
    """A socket for an engine, and its other end for the resolver."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def _named(address: Address, name: str, keep_s: float) -> bytes:
    packed, version = address
    text = name.encode()
    return NAMED_HEAD.pack(NAMED, version, packed, int(keep_s), len(text)) + text
