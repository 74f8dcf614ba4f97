"""Merger: one log from several engines, and the rules that need all their flows.

Each engine has a socket to it; a datagram is a batch of whole entries, and arrives whole or not at
all.  Promises that entries never interleave, that those of one engine keep their order, and that of
an engine that dies everything is written that it had sent.  Between engines the order is that of
arrival.  A datagram that is too long, or is anything but whole entries, is dropped and said.

Engines also report identifications, between their entries and in the same order; what the rules say of
them is written where the report came.

When the disk is slow the engines wait here, as one alone would for the disk; the kernel then drops
packets and counts them.
"""

from __future__ import annotations

import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from numpy.typing import NDArray

from fl0p_py.sensor.channel import Channel, Kind, say
from fl0p_py.sensor.counters import merger_body
from fl0p_py.sensor.log import Log

LARGEST = 1 << 18
"""Bytes of a datagram, if the socket's buffer has as much room."""

ROOM = 1 << 20
"""Bytes of buffer that are asked for; the kernel gives twice net.core.wmem_max at most."""

OVERHEAD = 64
"""Bytes of that buffer which a datagram cannot have (32 in unix_dgram_sendmsg of Linux)."""

AT_ONCE = 8
"""Datagrams taken from one engine before it is the next one's turn."""

COUNTED_S = 1.0
"""How often the monitor is told how many entries were lost, at most."""


REPORTS = b"\0"
"""How a datagram of reports begins, which no entry does."""


class Judge(Protocol):
    """Rules over what the engines report; see rules/report.py."""

    def entries(self, engine: int, data: bytes) -> bytes: ...
    def counts(self) -> dict[str, dict[str, int]]: ...


def line_pair() -> tuple[socket.socket, socket.socket]:
    """A socket for an engine, and its other end for the merger."""
    engine, merger = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    engine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
    return engine, merger


class LineSocket:
    """The engine's side of the merger: takes batches as a log does.

    lost : entries longer than a datagram can be, which were left out

    To be made before the engine is confined: it asks how large the socket's buffer is.
    """

    def __init__(self, merger: socket.socket, end: bytes = b"\n") -> None:
        self._socket, self._end = merger, end
        room = merger.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self._largest = min(LARGEST, room - OVERHEAD)
        self.lost = 0

    def write(self, data: bytes) -> None:
        """data : whole entries.  Waits for the merger; raises BrokenPipeError when there is none any more."""
        view, at = memoryview(data), 0
        while at < len(data):
            size = self._fitting(data, at)
            if size:
                self._socket.send(view[at : at + size], socket.MSG_NOSIGNAL)
            else:
                self.lost += 1
                size = data.index(self._end, at) + len(self._end) - at
            at += size

    def report(self, records: NDArray[Any]) -> None:
        """records : what the rules in the merger are to know; waits as `write` does"""
        most = (self._largest - len(REPORTS)) // records.itemsize
        for at in range(0, len(records), most):
            self._socket.send(REPORTS + records[at : at + most].tobytes(), socket.MSG_NOSIGNAL)

    def _fitting(self, data: bytes, at: int) -> int:
        """Bytes of the entries from `at` on that fit into a datagram together; 0 if the first does not."""
        if len(data) - at <= self._largest:
            return len(data) - at
        last = data.rfind(self._end, at, at + self._largest)
        return last + len(self._end) - at if last >= 0 else 0


class Merger:
    """The merger process.

    inputs  : one socket for each engine
    log     : where the entries go
    channel : the monitor's; LOG, WRITE and STOP come from it, and what was counted goes there
    judge   : takes what engines report; None: they are to report nothing
    """

    def __init__(
        self,
        inputs: Sequence[socket.socket],
        log: Log,
        channel: Channel,
        judge: Judge | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._channel, self._judge, self._clock = log, channel, judge, clock
        self._inputs = {one.fileno(): one for one in inputs}
        self._numbers = {one.fileno(): number for number, one in enumerate(inputs)}
        self._poll = select.poll()
        for descriptor in (*self._inputs, channel.fileno()):
            self._poll.register(descriptor, select.POLLIN)
        self._counted, self._counted_at = merger_body(0, {}), 0.0

    def run(self) -> int:
        """Write what the engines send until the monitor says STOP, or all engines are gone.

        What they had sent by then is written.  Returns the exit status: 0, or as by SIGPIPE if the log
        is standard output and its reader went away.
        """
        try:
            self._merge()
        except BrokenPipeError:
            return 128 + signal.SIGPIPE
        self._count(final=True)
        return 0

    def _merge(self) -> None:
        going_on = True
        while self._inputs:
            ready = [descriptor for descriptor, _ in self._poll.poll(self._patience_ms(going_on))]
            self._count()
            if not ready:
                if going_on:
                    continue
                return
            batch = b"".join(self._take(self._inputs[one]) for one in ready if one in self._inputs)
            if batch:
                self._log.write(batch)
            if going_on and self._channel.fileno() in ready:
                going_on = self._obey()

    def _take(self, engine: socket.socket) -> bytes:
        """What this engine has sent, up to the end of its turn."""
        taken = []
        for _ in range(AT_ONCE):
            try:
                data, _, flags, _ = engine.recvmsg(LARGEST, 0, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionError:
                data, flags = b"", 0
            if not data:
                self._forget(engine)
                break
            if data.startswith(REPORTS):
                taken.append(self._judged(self._numbers[engine.fileno()], data, flags))
            elif flags & socket.MSG_TRUNC or not data.endswith(self._log.end):
                say(self._channel, "an engine sent what are no entries; dropped")
            else:
                taken.append(data)
        return b"".join(taken)

    def _judged(self, engine: int, data: bytes, flags: int) -> bytes:
        """What the rules say of a report."""
        try:
            if self._judge is None or flags & socket.MSG_TRUNC:
                raise ValueError("a report that nobody waits for, or too long")
            return self._judge.entries(engine, data[len(REPORTS) :])
        except ValueError:
            say(self._channel, "an engine sent what is no report; dropped")
            return b""

    def _forget(self, engine: socket.socket) -> None:
        self._poll.unregister(engine)
        del self._inputs[engine.fileno()]
        engine.close()

    def _obey(self) -> bool:
        """Do what the monitor says; False when nothing more is to be waited for."""
        try:
            message = self._channel.receive()
        except BlockingIOError:
            return True
        if message is None or message.kind is Kind.STOP:
            self._poll.unregister(self._channel)
            return message is None  # the monitor is gone: the engines end too, and close their sockets
        if message.kind is Kind.LOG and message.descriptor is not None:
            self._log.reopen(message.descriptor)
        elif message.kind is Kind.WRITE:
            self._log.write(message.body["line"].encode() + self._log.end)
        return True

    def _counters(self) -> dict[str, Any]:
        return merger_body(self._log.lost, {} if self._judge is None else self._judge.counts())

    def _patience_ms(self, going_on: bool) -> float | None:
        if not going_on:
            return 0
        return None if self._judge is None else 1000 * COUNTED_S

    def _count(self, final: bool = False) -> None:
        now = self._clock()
        if now - self._counted_at < COUNTED_S and not final:
            return
        counters = self._counters()
        if counters == self._counted:
            return
        with suppress(ConnectionError):
            if self._channel.send(Kind.COUNTERS, {"counters": counters, "final": final}):
                self._counted, self._counted_at = counters, now
