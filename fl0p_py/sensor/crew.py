"""Crew: the children of a sensor, and the sockets between them.

    engines ──lines──► merger (with several engines) ──► log
        └──────questions and names──────► resolver (with -r)

The monitor keeps both ends of the sockets, so that whoever dies can be replaced without the others.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from fl0p_py.capture.live import NEW_GROUP, LiveSource
from fl0p_py.sensor.channel import Channel, Kind, printable, say
from fl0p_py.sensor.child import Child, Role, fork
from fl0p_py.sensor.log import Log
from fl0p_py.sensor.merger import Judge, LineSocket, Merger, line_pair
from fl0p_py.sensor.plan import Plan
from fl0p_py.sensor.post import Post
from fl0p_py.sensor.resolver import ResolverClient, Server, resolver_pair
from fl0p_py.sensor.worker import Output, Worker
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.text import SignatureText

Pair = tuple[socket.socket, socket.socket]


class Crew:
    """Who works on a sensor.

    log        : the monitor's own; it writes to it only while nobody else does
    texts      : the signature files as they were read last
    signatures : those in them, which the next engine begins with
    engines    : posts; merger, resolver : posts too, or None
    """

    def __init__(
        self, plan: Plan, log: int, texts: Sequence[SignatureText], signatures: SignatureSet
    ) -> None:
        """log : descriptor"""
        self._plan = plan
        self._group: int | None = None
        self._opened: list[tuple[LiveSource, _Mouth] | None] = [None] * plan.workers
        self.texts, self.signatures = texts, signatures
        self.log = Log(log, plan.log_path or "standard output", end=plan.entry_end)
        several = plan.workers > 1
        self._lines: list[Pair] = [line_pair() for _ in range(plan.workers)] if several else []
        self._names: list[Pair] = [resolver_pair() for _ in range(plan.workers)] if plan.resolve else []
        self.merger = Post("merger", self._start_merger) if several else None
        self.resolver = Post("resolver", self._start_resolver) if plan.resolve else None
        self.engines = [
            Post(f"engine {i + 1}" if several else "engine", partial(self._start_engine, i))
            for i in range(plan.workers)
        ]

    @property
    def posts(self) -> list[Post]:
        """All, in the order in which they are filled."""
        return [post for post in (self.merger, self.resolver) if post is not None] + self.engines

    @property
    def writer(self) -> Post:
        """Who writes the log."""
        return self.merger or self.engines[0]

    def open_devices(self) -> None:
        """Open the device for all first engines; raises CaptureError."""
        self._group = NEW_GROUP if self._plan.workers > 1 else None
        for number in range(self._plan.workers):
            opened = self._open()
            self._opened[number] = opened
            self._group = opened[0].fanout_group
        sources = self._sources()
        for source in sources:
            source.begin_with(sources[-1])

    def close(self) -> None:
        for pair in (*self._lines, *self._names):
            for end in pair:
                end.close()
        _close_all(self._sources())
        self.log.close()

    def _sources(self) -> list[LiveSource]:
        """Those opened and not yet handed to an engine."""
        return [opened[0] for opened in self._opened if opened is not None]

    def _open(self) -> tuple[LiveSource, _Mouth]:
        mouth = _Mouth()
        return self._plan.open_source(self._group, mouth.say), mouth

    def _start_engine(self, number: int) -> Child:
        source, mouth = self._opened[number] or self._open()
        self._opened[number] = None
        output = self._lines[number][0] if self._lines else self.log
        keep = {output.fileno()} | ({self._names[number][0].fileno()} if self._names else set())
        others = partial(_close_all, self._sources())
        role = Role(self.engines[number].name, keep, others, capture=source.fileno())
        try:
            return fork(role, self._plan.confinement, partial(self._prepare_engine, number, source, mouth))
        finally:
            source.close()

    def _prepare_engine(
        self, number: int, source: LiveSource, mouth: _Mouth, channel: Channel
    ) -> Callable[[], int]:
        mouth.channel = channel
        output: Output = (
            LineSocket(self._lines[number][0], self._plan.entry_end)
            if self._lines
            else self._child_log(channel)
        )
        resolver = ResolverClient(self._names[number][0]) if self._names else None
        worker = Worker(self._plan.pipeline, source, self.signatures, output, resolver, channel)
        return worker.run

    def _start_merger(self) -> Child:
        inputs = [merger for _, merger in self._lines]
        role = Role(
            "merger",
            {self.log.fileno(), *(one.fileno() for one in inputs)},
            partial(_close_all, self._sources()),
        )
        return fork(
            role,
            self._plan.confinement,
            lambda channel: Merger(inputs, self._child_log(channel), channel, self._judge()).run,
        )

    def _judge(self) -> Judge | None:
        return None if self._plan.judge is None else self._plan.judge()

    def _start_resolver(self) -> Child:
        ends = [resolver for _, resolver in self._names]
        role = Role(
            "resolver",
            {one.fileno() for one in ends},
            partial(_close_all, self._sources()),
            free=True,
        )
        return fork(role, self._plan.confinement, lambda channel: Server(ends, channel).run)

    def _child_log(self, channel: Channel) -> Log:
        """The log as a child has it, which says on its channel when lines are lost."""

        def lost(lines: int, why: str) -> None:
            with suppress(ConnectionError):
                channel.send(Kind.LOST, {"lines": lines, "why": printable(why)})

        def back(lines: int) -> None:
            with suppress(ConnectionError):
                channel.send(Kind.BACK, {"lines": lines})

        end, name = self._plan.entry_end, self.log.name
        return Log(self.log.fileno(), name, end=end, on_lost=lost, on_back=back)


class _Mouth:
    """What a source says goes to the channel of the child that reads it, which comes after the source."""

    channel: Channel | None = None

    def say(self, line: str) -> None:
        if self.channel is not None:
            say(self.channel, line)


def _close_all(sources: list[LiveSource]) -> None:
    for source in sources:
        source.close()
