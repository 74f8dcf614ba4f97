"""Tallies: the counts behind `threshold` and `detection_filter`, per rule and address.

Windows are whole seconds of packet time, and begin with a match, as in Suricata.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from fl0p_py.rules.bounded import Bounded
from fl0p_py.rules.moment import Moment
from fl0p_py.rules.rule import Rule
from fl0p_py.rules.threshold import FILTER, Threshold

TALLIES = 1 << 17
"""Counts at a time: about 40 MB."""

SECOND_NS = 1_000_000_000


class Window(NamedTuple):
    begun_s: int
    matches: int


class Tallies:
    def __init__(self, capacity: int = TALLIES) -> None:
        self.windows: Bounded[Window] = Bounded(capacity)

    def says(self, rule: Rule, moment: Moment) -> bool:
        """Count a match; whether the alert is to be said."""
        threshold = rule.threshold
        if threshold is None:
            return True
        key = rule.gid, rule.sid, _whose(threshold.track, moment)
        now_s = moment.ts_ns // SECOND_NS
        window = self.windows.get(key)
        if window is None or now_s - window.begun_s >= threshold.seconds:
            window = Window(now_s, 1)
        else:
            window = Window(window.begun_s, window.matches + 1)
        said = _said(threshold, window.matches)
        if said and threshold.type == "threshold":
            window = Window(now_s, 0)
        self.windows.put(key, window)
        return said


def _said(threshold: Threshold, count: int) -> bool:
    if threshold.type == "limit":
        return count <= threshold.count
    if threshold.type == "threshold":
        return count >= threshold.count
    if threshold.type == FILTER:
        return count > threshold.count
    return count == threshold.count


def _whose(track: str, moment: Moment) -> Hashable:
    if track == "by_src":
        return moment.src
    if track == "by_dst":
        return moment.dst
    return (moment.src, moment.dst) if track == "by_both" else ""
