"""The tracker: packets in, events of flows out.

    source ─► filter ─► decoder ─► flow table ─► steps
    └────── reader thread ──────┘  └─ flow thread ─┘

The threads overlap, with each other and with whoever takes the steps, since the kernels release the
GIL; each is a few batches ahead of the next.  The decoder works where the bytes were just read: it looks at
all of them, for their checksums, and only what it makes of them goes to another processor.  Nothing here
runs per packet.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fl0p_py.capture.batch import BUFFERS, PacketBatch
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.errors import CaptureError
from fl0p_py.flow.event_batch import EventBatch
from fl0p_py.flow.table import EOF, FlowTable
from fl0p_py.prefetch import Prefetch
from fl0p_py.settings import DEFAULTS, EngineOptions

USUAL_PACKETS = 4096
"""Packets of a batch that there is room for before one with more of them comes."""

AHEAD = BUFFERS - 2
"""Batches that may wait for the flow thread; with the one being filled and the one being read this stays
within the source's rotating buffers."""

STEPS_AHEAD = 16
"""Steps that may wait to be taken: what a program that is still loading its signatures falls behind."""

WITH_BYTES = 1
"""Batches that may wait for the flow thread, and steps that may wait to be taken, when steps point into the
batches' buffers: one batch being filled, one waiting, one in the flow thread, and those of the steps."""

ENOUGH_EVENTS = 24576
"""Events that are worth handing over while more packets are at hand; with none at hand, any are."""


class Source(Protocol):
    """What a capture must offer: an iterator of batches that raises CaptureError at damage.

    linktypes : LINKTYPE_ numbers known so far
    live      : packets come by themselves, and are lost if nobody takes them in time
    """

    @property
    def linktypes(self) -> tuple[int, ...]: ...

    @property
    def live(self) -> bool: ...

    def __iter__(self) -> Iterator[PacketBatch]: ...


class Step(NamedTuple):
    """What the flow thread hands over.

    events   : what has happened to flows; their rows in the table stay readable until the next step is taken
    now_ns   : the clock, from a live source; 0: none
    position : bytes of the source consumed by then
    batch    : when segments are recorded, what `events.segments` point into, valid until the next step is
               taken, and one batch may come in several steps; None at the end, and when they are not
    first    : packets before that batch (those that a filter left)
    """

    events: EventBatch
    now_ns: int
    position: int
    batch: PacketBatch | None = None
    first: int = 0


class Tracker:
    """Follows the flows of one source; an iterable of Step, to be iterated over once.

    Raises CaptureError after the last step if the source was damaged: what came before the damage has
    been processed by then.

    table, decoder : the table's rows are to be read with its lock `steady` held
    packets        : that have gone through the table so far
    statuses       : uint64[STATUS_COUNT], these by status
    """

    def __init__(
        self, source: Source, options: EngineOptions = DEFAULTS, filter_expression: str = ""
    ) -> None:
        self.options = options
        self._source = source
        self._filter = None
        if filter_expression:
            from fl0p_py.capture.bpf import FilterSet  # libpcap, only where it is needed

            self._filter = FilterSet(filter_expression, vlan=options.vlan)
            self._filter.check(source.linktypes)
        self.decoder = Decoder(
            vlan=options.vlan,
            vlan_key=options.vlan_key,
            checksums=options.checksums,
            key=options.hash_key or os.urandom(16),
        )
        self._ahead, self._steps_ahead = (WITH_BYTES, WITH_BYTES) if options.records else (AHEAD, STEPS_AHEAD)
        self.table = FlowTable(
            capacity=options.flows,
            depth=options.depth,
            idle_s=options.idle_s,
            checksums=options.checksums,
            vlan_key=options.vlan_key,
            threshold_ms=options.threshold_ms,
            batches=self._steps_ahead + 3,
            records=options.records,
        )
        self.packets = 0
        self.statuses: NDArray[Any] = np.zeros_like(self.decoder.counts)
        self._reason = EOF
        self._stop = threading.Event()
        self._steps: Prefetch[Step] | None = None
        self._read_events: deque[EventBatch] = deque()  # of steps that the caller is through with

    def start(self) -> Prefetch[Step]:
        """Start the threads now, while the caller still does something else."""
        if self._steps is None:
            self._steps = Prefetch(
                self._handed_over(), self._steps_ahead, "fl0p-flows", gives_way=not self._source.live
            )
        return self._steps

    def stop(self, reason: int = EOF) -> None:
        """Read no further: what was read is finished, flows end for this reason.  For a signal handler."""
        self.ends_for(reason)
        self._stop.set()

    def ends_for(self, reason: int) -> None:
        """When the source ends, flows end for this reason."""
        self._reason = reason

    def __iter__(self) -> Iterator[Step]:
        for step in self.start():
            yield step
            self._read_events.append(step.events)

    def _read(self) -> Iterator[DecodedBatch]:
        """The reader thread's part.  What it yields is used again when as many more were asked for as there
        are buffers of the source."""
        turns = itertools.cycle([DecodedBatch(USUAL_PACKETS) for _ in range(BUFFERS)])
        for batch, decoded in zip(self._source, turns, strict=False):
            self.decoder.decode(self._filter.apply(batch) if self._filter else batch, decoded)
            yield decoded

    def _handed_over(self) -> Iterator[Step]:
        """The flow thread's part.  At most `_steps_ahead` + 2 of the steps that it yielded are in use; the
        fewer, the less memory is gone through again and again."""
        for step in self._tracked():
            yield step
            while self._read_events:
                self.table.release(self._read_events.popleft())

    def _tracked(self) -> Iterator[Step]:
        batches = Prefetch(
            self._read(), self._ahead, "fl0p-reader", self._stop, gives_way=not self._source.live
        )
        damage: CaptureError | None = None
        position = 0
        bytes_too = bool(self.options.records)
        try:
            for decoded in batches:
                batch = decoded.batch
                position, now_ns, kept = batch.position, batch.now_ns, batch if bytes_too else None
                first = self.packets
                while not self.table.track(decoded):
                    yield self._step(0, position, kept, first)
                self.packets += len(decoded)
                self.statuses += decoded.counts
                if now_ns:
                    while self.table.advance(now_ns):
                        yield self._step(0, position, kept, first)
                if now_ns or bytes_too or self.table.n_events >= ENOUGH_EVENTS or not batches.waits:
                    yield self._step(now_ns, position, kept, first)
        except CaptureError as error:
            damage = error
        more = True
        while more:
            more = self.table.finish(self._reason)
            yield self._step(0, position)
        if damage is not None:
            raise damage

    def _step(self, now_ns: int, position: int, batch: PacketBatch | None = None, first: int = 0) -> Step:
        return Step(self.table.hand_over(), now_ns, position, batch, first)
