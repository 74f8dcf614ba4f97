"""Killer: which connections are to be ended, and how often that has to be asked for until they are.

A reset counts only with the sequence number that its receiver expects at that moment.  While both ends talk,
each may come too late, or overtake what it was made for; and one that its receiver does not believe may look
here like one that it does.  So no RST is taken for the end any more (FlowTable.doubt_resets), and it is asked
again

- when the connection says something, since then it goes on, and
- when it has been silent for each of QUIET_NS, since then what was seen last is what its ends expect,

with pauses that grow, AGAIN times at most: what chatters on is hit at some time, and nobody can make us send
without end.  Time is packet time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fl0p_py.capture.linktype import ETHERNET
from fl0p_py.flow.segment_batch import HOLE, OTHER
from fl0p_py.flow.table import FlowTable
from fl0p_py.grep.hit import TCP, Hit, segments_of
from fl0p_py.sensor.target import LARGEST_WINDOW, Target
from fl0p_py.stream.chunk_batch import ChunkBatch
from fl0p_py.tracker import Step

QUIET_NS = (200_000_000, 1_000_000_000)
"""Silences after which it is asked again.  The first is longer than we take from a packet to its reset; the
second is for a reset that was lost, or to which the receiver had to answer what it expects (RFC 5961
section 3.2)."""

AGAIN = 32
"""Asks for one connection."""

FIRST_PAUSE_NS, PAUSE = 1_000_000, 1.5
"""Between the first ask and the second, and how much longer each is than the one before: thirteen asks in a
quarter of a second, twenty in five seconds, all in ten minutes."""

FINISH = 2  # TokenEvent.kind: flow/record.pxd
ACKED, END_SEEN, SYN_WINDOW, NO_WSCALE = 2, 4, 16, 255  # flow/record.pxd, decode/record.pxd
LARGEST_SCALE = 14  # RFC 7323 section 2.3
RST = 4
MAC_BYTES = 12


@dataclass(slots=True)
class Condemned:
    """A flow that is to end.  spoke_ns : when it said something last; asked_ns : when this was asked for"""

    serial: int
    spoke_ns: int
    asked_ns: int
    asks: int = 0

    def due(self, now_ns: int) -> bool:
        """Whether it is time to ask again; not to be asked of one that is settled."""
        if now_ns < self.asked_ns + FIRST_PAUSE_NS * PAUSE ** (self.asks - 1):
            return False
        silences = (self.spoke_ns + quiet for quiet in QUIET_NS)
        return self.asked_ns < self.spoke_ns or any(self.asked_ns < at <= now_ns for at in silences)

    @property
    def settled(self) -> bool:
        """Whether there is nothing more to ask for; not for now, if it speaks again."""
        return self.asks >= AGAIN or self.asked_ns >= self.spoke_ns + QUIET_NS[-1]


class Killer:
    """Asks for the end of TCP connections; for a table that records segments.

    ask : takes the request; whether it is on its way
    """

    def __init__(self, table: FlowTable, ask: Callable[[Target], bool]) -> None:
        self._table, self._ask = table, ask
        self._macs = np.zeros((len(table.rows), MAC_BYTES), np.uint8)
        self._framed = np.zeros(len(table.rows), np.bool_)
        self._condemned: dict[int, Condemned] = {}  # by row, until the flow's record is complete
        self._waiting: set[int] = set()  # of these, those that may be due
        self._now_ns = 0

    def take(self, step: Step, chunks: ChunkBatch, hits: Sequence[Hit]) -> None:
        """End what is hit."""
        self.watch(step)
        for hit in hits:
            if hit.ends.proto == TCP:
                with self._table.steady:
                    target = self._condemn(hit.ends.row, hit.ends.serial)
                if target is not None:
                    self._ask_for(hit.ends.row, target)

    def watch(self, step: Step) -> None:
        """Learn from a step what is needed to end its connections; ask again where that is due."""
        self._learn(step)
        self._now_ns = max(self._now_ns, _time_of(step))
        if not self._condemned:
            return
        for row in self._speaking(step):
            self._condemned[row].spoke_ns = self._now_ns
            self._waiting.add(row)
        for row in self._finished(step):
            self._forget(row)
        for row in sorted(self._waiting):
            one = self._condemned[row]
            if one.settled:
                self._waiting.remove(row)
            elif one.due(self._now_ns):
                with self._table.steady:
                    target = self._target_of(row, one.serial)
                if target is None:
                    self._forget(row)
                else:
                    self._ask_for(row, target)

    def end(self, row: int, serial: int) -> bool:
        """End the connection of this flow, with the table's lock held; whether that is asked for by now."""
        target = self._condemn(row, serial)
        if target is not None and not self._ask_for(row, target):
            self._forget(row)
        return self._is_condemned(row, serial)

    def _condemn(self, row: int, serial: int) -> Target | None:
        """What is to be asked for the first time; None if it was already, or the flow has ended."""
        if self._is_condemned(row, serial):
            return None
        target = self._target_of(row, serial)
        if target is not None:
            self._table.doubt_resets(row)
            self._condemned[row] = Condemned(serial, self._now_ns, self._now_ns)
            self._waiting.add(row)
        return target

    def _is_condemned(self, row: int, serial: int) -> bool:
        return row in self._condemned and self._condemned[row].serial == serial

    def _ask_for(self, row: int, target: Target) -> bool:
        """False: there was no room to ask; later then."""
        if not self._ask(target):
            return False
        one = self._condemned[row]
        one.asks, one.asked_ns = one.asks + 1, self._now_ns
        return True

    def _forget(self, row: int) -> None:
        del self._condemned[row]
        self._waiting.discard(row)

    def _speaking(self, step: Step) -> list[int]:
        """Condemned flows that go on; to be reset is no sign of that."""
        records = segments_of(step).records
        signs = (records["flags"] & (HOLE | OTHER) == 0) & (records["tcp_flags"] & RST == 0)
        return sorted(self._condemned.keys() & set(records["flow"][signs].tolist()))

    def _finished(self, step: Step) -> list[int]:
        """Condemned flows of which nothing more is heard."""
        events = step.events.events
        return sorted(self._condemned.keys() & set(events["flow"][events["kind"] == FINISH].tolist()))

    def _learn(self, step: Step) -> None:
        """The addresses of frames from client to server, of every flow that has said something."""
        batch = step.batch
        if batch is None or not len(batch):
            return
        records = segments_of(step).records
        records = records[(records["proto"] == TCP) & (records["flags"] & (HOLE | OTHER) == 0)]
        packet = records["packet"]
        packet = packet[packet < len(batch)]
        records = records[: len(packet)]
        good = (batch.linktype[packet] == ETHERNET) & (batch.caplen[packet] >= MAC_BYTES)
        packet, records = packet[good], records[good]
        if not len(packet):
            return
        macs = batch.data[batch.offset[packet][:, None] + np.arange(MAC_BYTES)]
        back = records["direction"] == 1
        macs[back] = np.roll(macs[back], MAC_BYTES // 2, axis=1)
        self._macs[records["flow"]] = macs
        self._framed[records["flow"]] = True

    def _target_of(self, row: int, serial: int) -> Target | None:
        """The flow as a target; None if it has ended."""
        one = self._table.rows[row]
        if int(one["serial"]) != serial or int(one["flags"]) & END_SEEN:
            return None
        size = 4 if one["version"] == 4 else 16
        client, server = one["client_end"], one["server_end"]
        return Target(
            client=one["client"].tobytes()[:size].hex(),
            server=one["server"].tobytes()[:size].hex(),
            cport=int(one["cport"]),
            sport=int(one["sport"]),
            client_next=_next(client, server),
            server_next=_next(server, client),
            client_window=_window(client),
            server_window=_window(server),
            macs=self._macs[row].tobytes().hex() if self._framed[row] else "",
            vlan=int(one["vlan"]),
        )


def _time_of(step: Step) -> int:
    """Up to when the step tells what has happened."""
    batch = step.batch
    return max(step.now_ns, 0 if batch is None or not len(batch) else int(np.max(batch.ts_ns)))


def _next(end: Any, other: Any) -> int:
    """The sequence number that the other end expects next: packets may have been missed here that it got."""
    seen, acked = int(end["next_seq"]), int(other["acked"])
    missed = int(other["flags"]) & ACKED and 0 < (acked - seen & 0xFFFFFFFF) < 1 << 31
    return acked if missed else seen


def _window(end: Any) -> int:
    """Bytes that this end lets the other send, as it said last."""
    scale = int(end["wscale"])
    if scale == NO_WSCALE or int(end["flags"]) & SYN_WINDOW:
        scale = 0
    return min(int(end["window"]) << min(scale, LARGEST_SCALE), LARGEST_WINDOW)
