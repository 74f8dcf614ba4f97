"""Stats: what a run read and what became of it; the summary and the JSON stats object render it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.decode.status import FRAGMENT_COUNTER_NAMES, STATUS_NAMES
from fl0p_py.output.choice import FINISHED

if TYPE_CHECKING:
    from fl0p_py.engine import Engine
    from fl0p_py.signature.pattern import SignatureSet

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

DROPPED_WORDS = {
    "candidates": "signatures not tried, since too many came into question at one token",
    "threads": "signatures given up half-way, since too many were under way",
    "identifications": "identifications not kept, since the flow had too many",
    "tunnels": "ways to read what is inside of a tunnel not followed, since there were too many",
}
"""What the matcher drops at a bound, by its own names (`Matcher.overflow`)."""

GIVEN_UP_WORDS = {
    "flows_evicted": "flows whose variables were given up, since too many had some",
    "hosts_evicted": "hosts whose variables were given up, since too many had some",
    "hosts_expired": "variables of hosts or of the sensor that expired",
    "payloads": "pieces of payload on which a rule was given up, since it took too long",
    "thresholds_evicted": "thresholds begun anew, since too many were counting",
}
"""What the rules give up, by the names of rules/run.py."""

FRAGMENT_KEYS = ("seen", "duplicate", "completed", "timed_out", "no_memory", "overlapping")
FRAGMENT_WORDS = dict(zip(FRAGMENT_KEYS, FRAGMENT_COUNTER_NAMES, strict=True))


CLASSES = 100
"""Classes that are counted by name; those of a signature set with more come under OTHER."""

OTHER = "other"

CAPTURE_WORDS = {
    "kernel_packets": "received",
    "kernel_drops": "dropped by the kernel: not read in time",
    "kernel_ifdrops": "dropped by the interface or its driver",
}
"""Counters of a live capture, by the names that Suricata's stats have for them."""


@dataclass(frozen=True, slots=True)
class Stats:
    """The counts of a run.

    packets         : that the filter let pass
    flows           : begun; identified, unknown, empty (without a token) : ended as such
    identifications : completed signatures, those that set no facet too
    evicted         : flows given up because the table was full
    skipped         : packets that are in no flow, by reason (SKIPPED_KEYS)
    fragments       : by what became of them (FRAGMENT_KEYS)
    counters        : the flow table's own, see flow/stats.py
    end_ns          : latest packet time
    capture         : the kernel's own counts of a live capture (CAPTURE_WORDS); empty for a file
    lost            : entries that could not be written
    classes         : identifications by class, if they were counted (Tally); OTHER: signatures without one
    dropped         : by the matcher at its bounds (DROPPED_WORDS); only what is not 0
    rules_matched, rules_alerts : by rule (gid:sid), only what is not 0
    rules_given_up  : what the tables of the rules gave up at their bounds (GIVEN_UP_WORDS); likewise
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
    capture: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    rules_matched: dict[str, int] = field(default_factory=dict)
    rules_alerts: dict[str, int] = field(default_factory=dict)
    rules_given_up: dict[str, int] = field(default_factory=dict)


def total(parts: Iterable[Stats]) -> Stats:
    """What several engines counted together; the latest of their times."""
    sums: dict[str, Any] = {}
    for part in parts:
        for name, value in asdict(part).items():
            if isinstance(value, dict):
                into = sums.setdefault(name, {})
                for key, count in value.items():
                    into[key] = into.get(key, 0) + count
            elif name == "end_ns":
                sums[name] = max(sums.get(name, 0), value)
            else:
                sums[name] = sums.get(name, 0) + value
    return Stats(**sums)


class Tally:
    """Counts results as they pass, and at the end makes the Stats.

    signatures : the set that the results refer to; None: classes are not counted
    """

    def __init__(self, signatures: SignatureSet | None = None) -> None:
        self.identifications = self.identified = self.unknown = 0
        self._classes: dict[str, int] = {}
        self._names: tuple[str, ...] = ()
        self._class_of = np.zeros(0, np.intp)
        if signatures is not None:
            self.use(signatures)

    def use(self, signatures: SignatureSet) -> None:
        """Results refer to this set from now on."""
        numbers: dict[str, int] = {OTHER: 0}
        for signature in signatures.signatures:
            if signature.facets.class_ and len(numbers) <= CLASSES:
                numbers.setdefault(signature.facets.class_, len(numbers))
        self._names = tuple(numbers)
        names = (signature.facets.class_ or OTHER for signature in signatures.signatures)
        self._class_of = np.array([numbers.get(name, 0) for name in names], np.intp)

    def add(self, results: NDArray[Any]) -> None:
        finished = results["kind"] == FINISHED
        flows = int(np.count_nonzero(finished))
        identified = int(np.count_nonzero(finished & (results["identified"] != 0)))
        self.identifications += len(results) - flows
        self.identified += identified
        self.unknown += flows - identified
        if len(self._class_of) and flows < len(results):
            counts = np.bincount(self._class_of[results["signature"][~finished]]).tolist()
            for name, count in zip(self._names, counts, strict=False):
                if count:
                    self._classes[name] = self._classes.get(name, 0) + count

    def stats(self, engine: Engine) -> Stats:
        """Everything counted by the engine's parts so far."""
        counters = engine.table.stats
        by_status = zip(SKIPPED_KEYS, engine.tracker.statuses.tolist(), strict=True)
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
            dropped={what: count for what, count in engine.matcher.overflow.items() if count},
            counters=counters,
            end_ns=engine.table.clock_ns,
            classes=dict(self._classes),
        )
