"""What the kernels need to know of a signature apart from its pattern.

Its specificity, ports, facets and threshold, as one record each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.errors import SignatureError
from fl0p_py.signature import specificity
from fl0p_py.signature.automaton import ANY, SOME
from fl0p_py.signature.extent import in_rounds, shortest
from fl0p_py.signature.machine import DTYPES
from fl0p_py.signature.pattern import ACTORS, FACETS, PROTOCOLS, Facets, Signature
from fl0p_py.signature.specificity import ANCHOR, PAUSE, WIDTH
from fl0p_py.signature.tunnel import HELLO

MAX_THRESHOLDS = 7
MAX_VALUES = 65535
"""Of a facet; the kernels number them in 16 bits."""
ONCE, APART, OPENS, ROUNDS = 0, 1, 2, 3
"""Rule.count (state.pxd)"""
MS = 1_000_000

Array = NDArray[Any]


class Rules:
    """One record a signature, and what the records refer to.

    records     : structured array of Rule
    ports       : uint32[n, 2], ranges; thresholds : int64[k], ns, ascending
    facet_names : for each facet its values, None first
    start, end  : bool[signatures], the pattern's anchors; protocol : index into PROTOCOLS
    """

    def __init__(self, signatures: tuple[Signature, ...], threshold_ms: int) -> None:
        self.signatures = signatures
        count = len(signatures)
        self.records = np.zeros(count, DTYPES["Rule"])
        self.records["count"] = [_count(signature) for signature in signatures]
        self.start = np.array([signature.pattern.start for signature in signatures], np.bool_)
        self.end = np.array([signature.pattern.end for signature in signatures], np.bool_)
        numbers = {name: number for number, name in enumerate(PROTOCOLS)}
        self.protocol = np.array([numbers[s.pattern.proto] for s in signatures], np.int64)
        self._set_thresholds(threshold_ms)
        self._set_ports()
        self._set_facets()

    def _set_thresholds(self, threshold_ms: int) -> None:
        own = [threshold_ms if s.threshold_ms is None else s.threshold_ms for s in self.signatures]
        distinct = sorted({threshold_ms, *own})
        if len(distinct) > MAX_THRESHOLDS:
            late = next(s for s in reversed(self.signatures) if s.threshold_ms not in (None, threshold_ms))
            raise SignatureError(
                late.source or "signature",
                late.where or late.id,
                f"too many different thresholds: {len(distinct)}, at most {MAX_THRESHOLDS} (with -T)",
            )
        index = {threshold: number for number, threshold in enumerate(distinct)}
        self.thresholds = np.array(distinct, np.int64) * MS
        self.records["threshold"] = [index[threshold] for threshold in own]

    def _set_ports(self) -> None:
        ranges: list[tuple[int, int]] = []
        places: dict[tuple[tuple[int, int], ...], tuple[int, int, float]] = {(): (0, 0, 0.0)}
        rows = []
        for signature in self.signatures:
            ports = signature.pattern.ports
            place = places.get(ports)
            if place is None:
                place = len(ranges), len(ports), specificity.port_bits(signature.pattern)
                places[ports] = place
                ranges += ports
            rows.append(place)
        table = np.array(rows, np.float64).reshape(-1, 3)
        self.records["port"], self.records["ports"] = table[:, 0], table[:, 1]
        self.records["bits"] = table[:, 2] + ANCHOR * (self.start.astype(int) + self.end)
        self.ports = np.array(ranges, np.uint32).reshape(-1, 2)

    def _set_facets(self) -> None:
        values: list[dict[str | None, int]] = [{None: 0} for _ in FACETS]
        for actor in ACTORS:  # their numbers are known to the output
            values[FACETS.index("actor")][actor] = len(values[FACETS.index("actor")])
        nothing = Facets()
        for number, signature in enumerate(self.signatures):
            if signature.facets == nothing:
                continue
            for facet, value in enumerate(signature.facets):
                known = values[facet]
                if len(known) > MAX_VALUES:
                    raise SignatureError(
                        signature.source or "signature",
                        signature.where or signature.id,
                        f"too many different values of {FACETS[facet]}: more than {MAX_VALUES:,}",
                    )
                self.records["facets"][number, facet] = known.setdefault(value, len(known))
        self.facet_names = tuple(tuple(known) for known in values)

    def rate(self, branches: Array, trailing: Array, items: Array) -> None:
        """Set specificity and number of items; branches : those of whole patterns, trailing : their last
        condition.  A signature with several counts its least; `specificity.bits` does the others, and
        would say the same of these, but ten thousand times one by one."""
        own = branches["signature"]
        least = np.full(len(self.records), np.inf)
        fewest = np.full(len(self.records), np.iinfo(np.int64).max)
        if len(own):
            bits = _size_bits(items) + PAUSE * (items["condition"] != ANY)
            # heads of machine patterns lie between the branches, so sums of pieces
            total = np.concatenate([[0.0], np.cumsum(bits)])
            begin, length = branches["item"].astype(np.int64), branches["length"].astype(np.int64)
            np.minimum.at(least, own, total[begin + length] - total[begin] + (PAUSE * (trailing == SOME)))
            np.minimum.at(fewest, own, length)
        self.records["bits"] += least
        for number in np.flatnonzero(np.isinf(least)):
            pattern = self.signatures[number].pattern
            self.records["bits"][number] = specificity.bits(pattern)
            fewest[number] = max(1, shortest(pattern.sequence))
        self.records["items"] = fewest


def _size_bits(items: Array) -> Array:
    """`specificity.size_bits` of all items."""
    server = items["exact_low"] < 0
    low = np.where(server, -items["exact_high"], items["exact_low"]).astype(np.int64)
    high = np.where(server, -items["exact_low"], items["exact_high"])
    high = np.where(low < WIDTH, np.minimum(high, WIDTH - 1), high)
    return np.maximum(0.0, np.log2(WIDTH / (high - low + 1)))


def _count(signature: Signature) -> int:
    if signature.via == HELLO:
        return OPENS
    if not signature.count:
        return ONCE
    return ROUNDS if in_rounds(signature.pattern) else APART
