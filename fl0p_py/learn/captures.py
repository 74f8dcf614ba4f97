"""Captures as a corpus: their flows through the same tracker as live, no signature involved."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.capture.savefile import SavefileSource
from fl0p_py.capture.stream import ByteStream
from fl0p_py.errors import CaptureError
from fl0p_py.flow.table import FlowTable
from fl0p_py.learn.corpus import Corpus, corpus_of
from fl0p_py.learn.intake import Account, Budget
from fl0p_py.learn.stage import Progress, silent
from fl0p_py.output.line import address_text
from fl0p_py.settings import EngineOptions
from fl0p_py.signature.pattern import PROTOCOLS
from fl0p_py.tracker import Tracker

END, FINISH = 1, 2  # flow/record.pxd, EventKind
START_SEEN, END_SEEN = 2, 4  # flow/record.pxd, RowFlag
NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}
NS_PER_MS = 1_000_000
HASH_KEY = bytes(16)
"""Fixed, so that the same capture gives the same flows in the same order."""


def read_capture(
    stream: ByteStream, account: Account, budget: Budget, threshold_ms: int, progress: Progress = silent
) -> Corpus:
    """The flows of a capture that carried payload; damage goes into the account."""
    flows = _Flows(threshold_ms, budget, account)
    try:
        source = SavefileSource(account.source, stream)
        options = EngineOptions(threshold_ms=threshold_ms, vlan=True, hash_key=HASH_KEY)
        tracker = Tracker(source, options)
        for step in tracker:
            with tracker.table.steady:
                flows.take(tracker.table, step.events.events)
            progress(account.source, step.position, source.size)
    except CaptureError as error:
        account.damage = error
    return flows.corpus()


class _Flows:
    """Finished flows, as they come out of the table."""

    def __init__(self, threshold_ms: int, budget: Budget, account: Account) -> None:
        self._threshold_ms, self._budget, self._account = threshold_ms, budget, account
        self._ended_ns: dict[int, int] = {}  # rows whose end was seen, and when
        self._rows: list[NDArray[Any]] = []
        self._tokens: list[NDArray[np.int32]] = []
        self._gaps: list[NDArray[np.float32]] = []
        self._silent: list[bool] = []
        self._number: list[int] = []
        self._count = 0

    def take(self, table: FlowTable, events: NDArray[Any]) -> None:
        """The flows that these events finish; `table` is that of the events, its rows still readable."""
        events = events[(events["kind"] == END) | (events["kind"] == FINISH)]
        known = zip(events["kind"].tolist(), events["flow"].tolist(), events["ts_ns"].tolist(), strict=True)
        for kind, row, ts_ns in known:
            if kind == END:
                self._ended_ns[row] = ts_ns
                continue
            self._count += 1
            last_ns = self._ended_ns.pop(row, ts_ns)
            tokens = table.tokens_of(row)
            if not self._budget.take(len(tokens)):
                self._account.left_out += 1
                continue
            record = table.rows[row].copy()
            self._rows.append(record)
            self._tokens.append(tokens)
            self._gaps.append(table.gaps_of(row))
            self._silent.append(last_ns - int(record["arrival_ns"]) >= self._threshold_ms * NS_PER_MS)
            self._number.append(self._count)
            self._account.flows += 1

    def corpus(self) -> Corpus:
        rows = np.array(self._rows)
        if not len(rows):
            return Corpus.concat([])
        offsets = np.cumsum([0, *map(len, self._tokens)])
        gaps = np.concatenate(self._gaps)
        gaps[offsets[:-1]] = np.nan
        hosts: dict[str, int] = {}
        ends = {
            end: [
                hosts.setdefault(_host(bytes(address), int(version)), len(hosts))
                for address, version in zip(rows[end], rows["version"], strict=True)
            ]
            for end in ("client", "server")
        }
        proto = np.array([PROTOCOLS.index(NAMES[number]) for number in rows["proto"].tolist()])
        icmp = proto == PROTOCOLS.index("icmp")
        seen = rows["flags"] & END_SEEN != 0
        cut = rows["tokens"] > np.diff(offsets)
        return corpus_of(
            {
                "tokens": np.concatenate(self._tokens),
                "paused": gaps >= self._threshold_ms,
                "gaps_ms": gaps,
                "offsets": offsets,
                "proto": proto,
                "start_seen": rows["flags"] & START_SEEN != 0,
                "end_seen": seen & ~cut,
                "trailing_pause": np.array(self._silent) & ~cut,
                **ends,
                "client_port": np.where(icmp, 0, rows["cport"]),
                "server_port": np.where(icmp, 0, rows["sport"]),
                "start_ns": rows["start_ns"],
                "end_ns": rows["last_ns"],
                "source": np.zeros(len(rows)),
                "line": self._number,
            },
            tuple(hosts),
            (self._account.source,),
        )


@lru_cache(1 << 16)
def _host(octets: bytes, version: int) -> str:
    return address_text(octets, version)
