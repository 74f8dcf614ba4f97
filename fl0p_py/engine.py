"""The engine: packets in, results out.

    source ─► filter ─► decoder ─► flow table ─► matcher ─► results
    └────── reader thread ──────┘  └────── caller's thread ──────┘

Iterating over an `Engine` yields, again and again, a structured array of `Result`s (see
signature/record.pxd) in order of packet time.  The rows of the flow table that they name stay
readable until the next step of the iteration; then finished flows are freed.

The two halves overlap, one batch apart, since the kernels release the GIL.  Nothing here runs per
packet.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.capture.bpf import FilterSet
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.errors import CaptureError
from fl0p_py.flow.table import EOF, FlowTable
from fl0p_py.prefetch import prefetch
from fl0p_py.signature.matcher import Matcher
from fl0p_py.signature.pattern import SignatureSet

AHEAD = 2
"""Decoded batches that may wait for the flow table; with the one being filled and the one being read
this stays within the source's rotating buffers (`capture.savefile.BUFFERS`)."""


class Source(Protocol):
    """What a capture must offer: an iterator of batches that raises CaptureError at damage.

    linktypes : LINKTYPE_ numbers known so far
    """

    @property
    def linktypes(self) -> tuple[int, ...]: ...

    def __iter__(self) -> Iterator[PacketBatch]: ...


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What can be set about the way from packets to results; the defaults are those of `fl0p -h`.

    threshold_ms : a gap of at least this many ms is a `+`
    fuzzy        : tolerance and edits (`-F` turns them off)
    vlan         : look into 802.1Q/802.1ad tags (`-v`)
    vlan_key     : the VLAN is part of what tells flows apart
    checksums    : "auto", "check" or "ignore"
    depth        : tokens stored (and printed) for each flow
    idle_s       : one idle timeout for all flows, in seconds; None: those of DESIGN (3600, 60, 180)
    flows        : most flows tracked at a time
    hash_key     : 16 bytes for the flow hash; random unless given
    """

    threshold_ms: int = 400
    fuzzy: bool = True
    vlan: bool = False
    vlan_key: bool = True
    checksums: str = "auto"
    depth: int = 64
    idle_s: float | None = None
    flows: int = 1 << 20
    hash_key: bytes | None = None


class Engine:
    """Runs one source through decoder, flow table and matcher.

    table, matcher, decoder : readable between two steps of the iteration
    position                : bytes of the source consumed so far
    """

    def __init__(
        self,
        source: Source,
        signatures: SignatureSet,
        options: EngineOptions = EngineOptions(),
        filter_expression: str = "",
    ) -> None:
        self.source = source
        self.options = options
        self.filter = FilterSet(filter_expression, vlan=options.vlan) if filter_expression else None
        if self.filter:
            self.filter.check(source.linktypes)
        self.decoder = Decoder(
            vlan=options.vlan,
            vlan_key=options.vlan_key,
            checksums=options.checksums,
            key=options.hash_key or os.urandom(16),
        )
        self.table = FlowTable(
            capacity=options.flows,
            depth=options.depth,
            idle_s=options.idle_s,
            checksums=options.checksums,
            vlan_key=options.vlan_key,
        )
        self.matcher = Matcher(
            signatures, self.table, threshold_ms=options.threshold_ms, fuzzy=options.fuzzy
        )
        self.packets = 0
        self.position = 0
        self.damage: CaptureError | None = None
        self._stop = threading.Event()

    def stop(self) -> None:
        """Read no further: the iteration finishes what was read and ends.  For a signal handler."""
        self._stop.set()

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield results until the source ends.

        Raises CaptureError after the last result if the source was damaged: what came before the
        damage has been processed by then.
        """
        try:
            for decoded in prefetch(self._decoded(), AHEAD, self._stop):
                yield from self._feed(decoded)
        except CaptureError as error:
            self.damage = error
        more = True
        while more:
            more = self.table.finish(EOF)
            yield from self._drain()
        if self.damage is not None:
            raise self.damage

    def _decoded(self) -> Iterator[DecodedBatch]:
        """The reader thread's half."""
        ring = [DecodedBatch() for _ in range(AHEAD + 2)]
        for turn, batch in enumerate(self.source):
            chosen = self.filter.apply(batch) if self.filter else batch
            into = ring[turn % len(ring)]
            self.decoder.decode(chosen, into)
            yield into

    def _feed(self, decoded: DecodedBatch) -> Iterator[NDArray[Any]]:
        packets = decoded.packets
        done = 0
        while done < len(packets):
            done = self.table.process(packets, done)
            yield from self._drain()
        self.packets += len(packets)
        batch = decoded.batch
        self.position = batch.position
        if batch.now_ns:
            more = True
            while more:
                more = self.table.advance(batch.now_ns)
                yield from self._drain()
            self.matcher.advance(batch.now_ns)
            yield from self._drain()

    def _drain(self) -> Iterator[NDArray[Any]]:
        """Match the events at hand, hand out what came of it, then free the flows that have ended."""
        more = True
        while more:
            more = self.matcher.run()
            results: NDArray[Any] = self.matcher.results
            if len(results):
                yield results
        self.matcher.release()
        self.table.release()


