"""Stats: what a run read and what became of it; the summary and the JSON stats object render it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.decode.status import FRAGMENT_COUNTER_NAMES, STATUS_NAMES
from fl0p_py.output.choice import FINISHED

if TYPE_CHECKING:
    from fl0p_py.engine import Engine

SKIPPED_KEYS = (
    "",  # in flows
    "not_ip",
    "vlan_tagged",
    "no_flow_protocol",
    "icmp_no_echo",
    "",  # fragments are counted by themselves
    "short_link",
    "bad_ip",
    "bad_transport",
    "unknown_linktype",
)
"""JSON names of the reasons to skip a packet, by decode status."""

SKIPPED_WORDS = dict(zip(SKIPPED_KEYS, STATUS_NAMES, strict=True)) | {"wrong_checksum": "wrong checksum"}
"""The same for people."""

FRAGMENT_KEYS = ("seen", "duplicate", "completed", "timed_out", "no_memory", "overlapping")
FRAGMENT_WORDS = dict(zip(FRAGMENT_KEYS, FRAGMENT_COUNTER_NAMES, strict=True))


@dataclass(frozen=True, slots=True)
class Stats:
    """The counts of a run.

    packets         : that the filter let pass
    flows           : begun; identified, unknown, empty (without a token) : ended as such
    identifications : completed signatures, those that set no facet too
    evicted         : flows given up because the table was full
    skipped         : packets that are in no flow, by reason (SKIPPED_KEYS)
    fragments       : by what became of them (FRAGMENT_KEYS)
    counters        : the flow table's own, see flow/table.pyx STATS
    end_ns          : latest packet time
    """

    packets: int = 0
    flows: int = 0
    identified: int = 0
    unknown: int = 0
    empty: int = 0
    identifications: int = 0
    evicted: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    fragments: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    end_ns: int = 0


class Tally:
    """Counts results as they pass, and at the end makes the Stats."""

    def __init__(self) -> None:
        self.identifications = self.identified = self.unknown = 0

    def add(self, results: NDArray[Any]) -> None:
        finished = results["kind"] == FINISHED
        flows = int(np.count_nonzero(finished))
        identified = int(np.count_nonzero(finished & (results["identified"] != 0)))
        self.identifications += len(results) - flows
        self.identified += identified
        self.unknown += flows - identified

    def stats(self, engine: Engine) -> Stats:
        """Everything counted by the engine's parts so far."""
        counters = engine.table.stats
        by_status = zip(SKIPPED_KEYS, engine.decoder.counts.tolist(), strict=True)
        skipped = {key: count for key, count in by_status if key and count}
        if counters["wrong_checksum"]:
            skipped["wrong_checksum"] = counters["wrong_checksum"]
        return Stats(
            packets=engine.packets,
            flows=counters["flows"],
            identified=self.identified,
            unknown=self.unknown,
            empty=counters["flows_empty"],
            identifications=self.identifications,
            evicted=counters["evicted"],
            skipped=skipped,
            fragments=dict(zip(FRAGMENT_KEYS, engine.decoder.fragment_counts.tolist(), strict=True)),
            counters=counters,
            end_ns=engine.table.clock_ns,
        )
