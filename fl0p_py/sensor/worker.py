"""Worker: the engine process of a sensor, from packets to lines, confined and told what to do.

Two threads besides the engine's own: one takes results and writes lines, the other, once a second or
when the monitor says something, listens and counts.  It opens nothing: a new log is a descriptor
that comes from the monitor, names come from the resolver's socket.

New signatures come as text, and are parsed and taken over between two batches.

It ends when the monitor says STOP or is gone, or when its source or its output ends; what has arrived by
then is read, flows that are open are ended and reported, and the last counters sent.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from numpy.typing import NDArray

from fl0p_py.capture.packet_socket import Counts
from fl0p_py.engine import Engine
from fl0p_py.errors import CaptureError, Fl0pError
from fl0p_py.flow.table import SHUTDOWN
from fl0p_py.output.stats import Stats, Tally
from fl0p_py.output.writer import Entries, NameSource, Target
from fl0p_py.sensor.channel import Channel, Kind, Message, printable, say
from fl0p_py.sensor.child import send_surely
from fl0p_py.sensor.counters import to_body
from fl0p_py.sensor.log import Log
from fl0p_py.sensor.signature_memory import fetch
from fl0p_py.signature import toml_file
from fl0p_py.signature.loader import parse_texts
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.tracker import Source

TICK_S = 1.0
"""How often the counters are sent."""

NEEDED_LATER = (toml_file,)
"""Imported where it is used, by a process that can still read files; this one must have it before."""


class LiveSource(Source, Protocol):
    """A source that counts what it lost."""

    def counts(self) -> Counts: ...

    def stop(self) -> None: ...


class Output(Target, Protocol):
    """Where lines go: a `Log`, or a `LineSocket` to the merger.  lost : entries that it could not take"""

    lost: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How packets become lines; fixed before the fork.

    engine : makes the engine for a source
    writer : makes what formats its results
    arm    : called with the first two and the output before all writers: lets rules kill and report
    """

    engine: Callable[[LiveSource, SignatureSet], Engine]
    writer: Callable[[Engine, SignatureSet, Output, NameSource | None], Entries]
    arm: Callable[[Engine, Channel, Output], None] | None = None


class Worker:
    """One engine.  To be made before the process is confined, run after it.

    output   : takes the lines; what the monitor has to write goes there too if it is the log
    resolver : None without -r
    """

    def __init__(
        self,
        pipeline: Pipeline,
        source: LiveSource,
        signatures: SignatureSet,
        output: Output,
        resolver: NameSource | None,
        channel: Channel,
    ) -> None:
        self._source, self._output, self._resolver, self._channel = source, output, resolver, channel
        self._pipeline = pipeline
        self._engine = pipeline.engine(source, signatures)
        if pipeline.arm is not None:
            pipeline.arm(self._engine, channel, output)
        self._signatures = self._engine.signatures
        self._writer = pipeline.writer(self._engine, self._signatures, output, resolver)
        self._tally = Tally(self._signatures)
        self._ended = threading.Event()
        self._unread = False  # the reader of our output has gone away
        self._writer.write(self._engine.matcher.results[:0])  # whatever it imports is imported now

    def run(self) -> int:
        """Until the end; returns the exit status."""
        gc.enable()
        threading.Thread(target=self._listen, name="fl0p-listener", daemon=True).start()
        status, gone = 0, ""
        try:
            for results in self._engine:
                self._take(results)
        except CaptureError as error:
            status, gone = 1, printable(str(error))
        except BrokenPipeError:
            self._unread = True
        self._ended.set()
        if self._unread:
            status = 128 + signal.SIGPIPE
        send_surely(self._channel, Kind.COUNTERS, {"counters": to_body(self._stats()), "final": True})
        if gone:
            send_surely(self._channel, Kind.GONE, {"why": gone})
        return status

    def _take(self, results: NDArray[Any]) -> None:
        if self._engine.signatures is not self._signatures:
            self._signatures = self._engine.signatures
            self._tally.use(self._signatures)
            self._writer = self._pipeline.writer(self._engine, self._signatures, self._output, self._resolver)
        self._tally.add(results)
        self._writer.write(results)

    def _listen(self) -> None:
        """The other thread."""
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        due = time.monotonic()
        while not self._ended.is_set():
            if poll.poll(max(0.0, 1000 * (due - time.monotonic()))):
                try:
                    message = self._channel.receive()
                except BlockingIOError:
                    continue
                if message is None or message.kind is Kind.STOP:
                    self._engine.tracker.ends_for(SHUTDOWN)
                    self._source.stop()
                    return
                self._obey(message)
            if time.monotonic() >= due:
                due = time.monotonic() + TICK_S
                self._count()

    def _obey(self, message: Message) -> None:
        if message.kind is Kind.STATS:
            self._count()
        elif message.kind is Kind.SIGNATURES and message.descriptor is not None:
            self._renew(message.descriptor)
        elif message.kind is Kind.LOG and message.descriptor is not None and isinstance(self._output, Log):
            self._output.reopen(message.descriptor)
        elif message.kind is Kind.WRITE and isinstance(self._output, Log):
            try:
                self._output.write(message.body["line"].encode() + self._output.end)
            except BrokenPipeError:
                self._unread = True
                self._engine.tracker.stop(SHUTDOWN)
        else:
            if message.descriptor is not None:
                os.close(message.descriptor)
            say(self._channel, f"{message.kind.name} is not for it")

    def _renew(self, memory: int) -> None:
        """Take new signatures, or say why not."""
        try:
            signatures = parse_texts(fetch(memory))
            self._engine.renew(signatures)
        except (Fl0pError, MemoryError) as error:
            send_surely(self._channel, Kind.KEPT, {"why": printable(str(error) or "out of memory")})
            return
        send_surely(self._channel, Kind.TAKEN, {"signatures": len(signatures.signatures)})

    def _count(self) -> None:
        """Send what was counted so far; the next time tells it anyhow if there is no room."""
        with suppress(ConnectionError):
            self._channel.send(Kind.COUNTERS, {"counters": to_body(self._stats()), "final": False})

    def _stats(self) -> Stats:
        counts = self._source.counts()
        return replace(
            self._writer.told(self._tally.stats(self._engine)),
            capture={"kernel_packets": counts.received, "kernel_drops": counts.dropped},
            lost=self._output.lost,
        )
