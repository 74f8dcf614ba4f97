"""Tallies: the counts behind `threshold` and `detection_filter`, per rule and address.

Windows are whole seconds of packet time, and begin with a match, as in Suricata.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum
from typing import NamedTuple

from fl0p_py.rules.bounded import Bounded
from fl0p_py.rules.moment import Moment
from fl0p_py.rules.rule import Rule
from fl0p_py.rules.threshold import FILTER, Threshold

TALLIES = 1 << 17
"""Counts at a time: about 40 MB."""

SECOND_NS = 1_000_000_000


class Weight(Enum):
    """What a match comes to: nothing, the rule's action without an alert, or both."""

    NOTHING = 0
    SILENT = 1
    SAID = 2


class Window(NamedTuple):
    """until_s : when another begins"""

    until_s: int
    matches: int


class Tallies:
    def __init__(self, capacity: int = TALLIES) -> None:
        self.windows: Bounded[Window] = Bounded(capacity, self._over)
        self._now_s = 0

    def _over(self, window: Window) -> bool:
        return window.until_s <= self._now_s

    def weigh(self, rule: Rule, moment: Moment) -> Weight:
        """Count a match, and say what it comes to."""
        threshold = rule.threshold
        if threshold is None:
            return Weight.SAID
        key = rule.gid, rule.sid, _whose(threshold.track, moment)
        now_s = self._now_s = moment.ts_ns // SECOND_NS
        window = self.windows.get(key)
        if window is None or now_s >= window.until_s:
            window = Window(now_s + threshold.seconds, 1)
        else:
            window = Window(window.until_s, window.matches + 1)
        weight = _weight(threshold, window.matches)
        if weight is Weight.SAID and threshold.type == "threshold":
            window = Window(window.until_s, 0)
        self.windows.put(key, window)
        return weight


def _weight(threshold: Threshold, count: int) -> Weight:
    """As Suricata: past a limit the action goes on, below a number that has to be reached there is none."""
    if threshold.type == "limit":
        return Weight.SAID if count <= threshold.count else Weight.SILENT
    if threshold.type == "threshold":
        return Weight.SAID if count >= threshold.count else Weight.NOTHING
    if threshold.type == FILTER:
        return Weight.SAID if count > threshold.count else Weight.NOTHING
    if count > threshold.count:
        return Weight.SILENT
    return Weight.SAID if count == threshold.count else Weight.NOTHING


def _whose(track: str, moment: Moment) -> Hashable:
    if track == "by_src":
        return moment.src
    if track == "by_dst":
        return moment.dst
    return (moment.src, moment.dst) if track == "by_both" else ""
