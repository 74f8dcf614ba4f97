"""Signatures tried on flows that are written down, without packets, by the kernel that does it live.

For `fl0p --check`, which runs examples and counter-examples, and for tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.signature.matcher import EVENT_DTYPE, ROW_DTYPE, Matcher
from fl0p_py.signature.pattern import Pattern, Pause, Segment, SignatureSet
from fl0p_py.signature.verdict import Identification, Verdict

PROTOCOL_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1}
TOKEN, END, FINISH = 0, 1, 2
CLOSED, EOF = 1, 4
START_SEEN = 2
IDENTIFIED = 0
MS = 1_000_000
START_NS = 1_000 * 1_000_000_000
PAUSE_MS = 60_000
"""What a `+` of an example lasts: longer than any threshold."""


@dataclass(frozen=True, slots=True)
class TrialFlow:
    """A flow.

    sizes      : of its tokens, positive from the client, negative from the server
    gaps_ms    : before each token (the first is ignored); fewer than tokens: 0 for the others
    start, end : whether its start and its end are seen
    silence_ms : from its last token to its end, or to the end of the capture
    """

    sizes: Sequence[int]
    gaps_ms: Sequence[float] = ()
    start: bool = True
    end: bool = False
    silence_ms: float = 0
    proto: str = "tcp"
    port: int = 0


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What became known of a flow, in order, and the verdict at its end."""

    identifications: tuple[Identification, ...]
    verdict: Verdict


def flow_of(pattern: Pattern) -> TrialFlow:
    """The flow that an example describes: sizes written as numbers, `+` where it paused."""
    sizes: list[int] = []
    gaps: list[float] = []
    pause = 0.0
    for item in pattern.sequence.items:
        if isinstance(item, Pause):
            pause = PAUSE_MS
        elif isinstance(item, Segment):
            sizes.append(item.size.low if item.direction == "c" else -item.size.low)
            gaps.append(pause)
            pause = 0.0
    port = pattern.ports[0][0] if pattern.ports else 0
    return TrialFlow(sizes, gaps, pattern.start, pattern.end, pause, pattern.proto, port)


def events_of(flows: Sequence[TrialFlow]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(TokenEvents, FlowRows) of flows that follow one another, each in a row of its own."""
    rows = np.zeros(len(flows), ROW_DTYPE)
    events = np.zeros(sum(len(flow.sizes) + 2 for flow in flows), EVENT_DTYPE)
    n, now = 0, START_NS
    for row, flow in enumerate(flows):
        rows["proto"][row], rows["sport"][row] = PROTOCOL_NUMBERS[flow.proto], flow.port
        rows["flags"][row] = START_SEEN if flow.start else 0
        number = 0
        for number, size in enumerate(flow.sizes, 1):
            given = flow.gaps_ms[number - 1] if number <= len(flow.gaps_ms) and number > 1 else 0
            gap = round(given * MS)
            now += gap
            events[n] = (now, now, gap if number > 1 else -1, row, number, size, TOKEN, 0)
            n += 1
        now += round(flow.silence_ms * MS)
        rows["last_ns"][row] = now
        if flow.end:
            events[n] = (now, now, -1, row, number, 0, END, CLOSED)
            n += 1
        if flow.sizes:
            events[n] = (now, now, -1, row, number, 0, FINISH, CLOSED if flow.end else EOF)
            n += 1
    return events[:n], rows


def run(
    signatures: SignatureSet, flows: Iterable[TrialFlow], *, threshold_ms: int = 400, fuzzy: bool = True
) -> list[TrialResult]:
    """What the signatures say of each flow."""
    flows = list(flows)
    events, rows = events_of(flows)
    matcher = Matcher(signatures, threshold_ms=threshold_ms, fuzzy=fuzzy, capacity=max(1, len(flows)))
    matcher.feed(events, rows)
    while matcher.run():
        pass
    return [
        TrialResult(tuple(matcher.identifications(row)), matcher.verdict(row)) for row in range(len(flows))
    ]
