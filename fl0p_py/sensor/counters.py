"""Counters: an engine's or the merger's statistics as a message carries them, and back.

What comes from an engine is not trusted: only names that we know pass, so that nothing else reaches a
log, a terminal or a metrics page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fl0p_py.flow.stats import STATS
from fl0p_py.output.stats import (
    CAPTURE_WORDS,
    CLASSES,
    DROPPED_WORDS,
    FRAGMENT_KEYS,
    GIVEN_UP_WORDS,
    SKIPPED_WORDS,
    Stats,
)
from fl0p_py.sensor.channel import ChannelError

GROUPS = {
    "skipped": frozenset(SKIPPED_WORDS),
    "fragments": frozenset(FRAGMENT_KEYS),
    "dropped": frozenset(DROPPED_WORDS),
    "counters": frozenset(STATS),
    "capture": frozenset(CAPTURE_WORDS),
    "rules_given_up": frozenset(GIVEN_UP_WORDS),
}
RULES = ("rules_matched", "rules_alerts")
RULES_TOLD = 100
"""Rules whose counts fit into a message: those that matched most."""

RULE = re.compile(r"[0-9]{1,10}:[0-9]{1,10}")
CLASS = re.compile(r"[a-z0-9.-]{1,64}")
FIELDS = frozenset(Stats.__dataclass_fields__)
MERGER_FIELDS = frozenset({"lost", "rules_given_up", *RULES})


def to_body(stats: Stats) -> dict[str, Any]:
    """The body of COUNTERS, without `final`."""
    return asdict(stats) | _told(asdict(stats))


def _told(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Of the counts of rules, those that fit into a message."""
    told = {}
    for name in RULES:
        most = sorted(counts.get(name, {}).items(), key=lambda entry: entry[1], reverse=True)
        told[name] = dict(most[:RULES_TOLD])
    return told


def merger_body(lost: int, rules: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """The merger's.  lost : entries; rules : what the rules in it counted"""
    return {"lost": lost, "rules_given_up": dict(rules.get("rules_given_up", {})), **_told(rules)}


def from_merger(counters: dict[str, Any]) -> Stats:
    """Raises ChannelError for a name or a shape that `merger_body` does not make."""
    if counters.keys() != MERGER_FIELDS:
        raise ChannelError("COUNTERS with other fields")
    return from_body(asdict(Stats()) | counters)


def from_body(counters: dict[str, Any]) -> Stats:
    """Raises ChannelError for a name or a shape that `to_body` does not make."""
    if counters.keys() != FIELDS:
        raise ChannelError("COUNTERS with other fields")
    for name, value in counters.items():
        if name == "classes":
            fits = isinstance(value, dict) and len(value) <= CLASSES + 1 and all(map(CLASS.fullmatch, value))
        elif name in RULES:
            fits = isinstance(value, dict) and len(value) <= RULES_TOLD and all(map(RULE.fullmatch, value))
        elif name in GROUPS:
            fits = isinstance(value, dict) and value.keys() <= GROUPS[name]
        else:
            fits = isinstance(value, int)
        if not fits:
            raise ChannelError(f"COUNTERS with another shape of {name}")
    return Stats(**counters)
