"""Flows of a capture file, or of decoded packets, as plain Python: what tests compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.capture.savefile import open_savefile
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.errors import CaptureError
from fl0p_py.flow import table
from fl0p_py.flow.table import FlowTable

PROTOCOLS = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}
END, FINISH = 1, 2


@dataclass
class Flow:
    """One finished flow; tokens and gaps (ns, -1 for the first) are all of them, beyond the depth too."""

    proto: str
    client: str
    cport: int
    server: str
    sport: int
    start_seen: bool
    end_seen: bool
    reason: int
    pkts: tuple[int, int]
    bytes: tuple[int, int]
    tokens: list[int] = field(default_factory=list)
    gaps_ns: list[int] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    stored_gaps: list[float] = field(default_factory=list)
    serial: int = 0

    @property
    def ends(self) -> tuple[str, str, int, str, int]:
        return self.proto, self.client, self.cport, self.server, self.sport


def address(raw: bytes, version: int) -> str:
    return str(ip_address(raw[:4] if version == 4 else raw))


class Collector:
    """Reads a table's events as the matcher would, and keeps what is known of each flow until its FINISH."""

    def __init__(self, flow_table: FlowTable) -> None:
        self.table = flow_table
        self.open: dict[int, tuple[list[int], list[int], list[int]]] = {}
        self.flows: list[Flow] = []
        self.last_ts = -(1 << 63)

    def drain(self) -> None:
        for ts_ns, _arrival, gap, row, number, size, kind, reason in self.table.events.tolist():
            assert ts_ns >= self.last_ts, "event time went back"
            self.last_ts = ts_ns
            tokens, gaps, ends = self.open.setdefault(row, ([], [], []))
            if kind == FINISH:
                del self.open[row]
                self.flows.append(self._flow(row, tokens, gaps, ends, reason))
            elif kind == END:
                assert not ends, "END twice"
                ends.append(reason)
            else:
                assert not ends, "a token after END"
                tokens.append(size)
                gaps.append(gap)
            assert number == len(tokens)
        self.table.release()

    def _flow(self, row: int, tokens: list[int], gaps: list[int], ends: list[int], reason: int) -> Flow:
        r = self.table.rows[row]
        flags = int(r["flags"])
        flow = Flow(
            proto=PROTOCOLS[int(r["proto"])],
            client=address(bytes(r["client"]), int(r["version"])),
            cport=int(r["cport"]),
            server=address(bytes(r["server"]), int(r["version"])),
            sport=int(r["sport"]) if r["proto"] in (6, 17) else 0,
            start_seen=bool(flags & 2),
            end_seen=bool(flags & 4),
            reason=reason,
            pkts=tuple(r["pkts"].tolist()),
            bytes=tuple(r["bytes"].tolist()),
            tokens=tokens,
            gaps_ns=gaps,
            stored=self.table.tokens_of(row).tolist(),
            stored_gaps=self.table.gaps_of(row).tolist(),
            serial=int(r["serial"]),
        )
        assert ends == ([reason] if flow.end_seen else [])
        assert int(r["reason"]) == reason
        return flow


def flows_of_packets(packets: NDArray[Any], flow_table: FlowTable, cuts: int = 0) -> list[Flow]:
    """Run decoded packets through a table, in batches of `cuts` (0: one batch), up to the end."""
    collector = Collector(flow_table)
    for start in range(0, len(packets), cuts or max(1, len(packets))):
        feed(collector, packets[start : start + cuts] if cuts else packets)
    return finish(collector)


def feed(collector: Collector, packets: NDArray[Any]) -> None:
    done = 0
    while done < len(packets):
        done = collector.table.process(packets, done)
        collector.drain()


def finish(collector: Collector) -> list[Flow]:
    more = True
    while more:
        more = collector.table.finish(table.EOF)
        collector.drain()
    assert not collector.open, "a flow without FINISH"
    assert collector.table.open_flows == 0
    return collector.flows


def decoded(path: Path, **options: Any) -> Iterator[NDArray[Any]]:
    """The decoded packets of a capture, batch by batch; ends quietly at damage."""
    decoder = Decoder(**{"key": bytes(16), "vlan": True, "checksums": "auto", **options})
    into = DecodedBatch()
    try:
        with open_savefile(str(path)) as source:
            for batch in source:
                decoder.decode(batch, into)
                yield into.packets
    except CaptureError:
        return


def packets_of(path: Path, **options: Any) -> NDArray[Any]:
    """All decoded packets of a capture."""
    batches = [packets.copy() for packets in decoded(path, **options)]
    return np.concatenate(batches) if batches else np.empty(0, DecodedBatch().packets.dtype)
