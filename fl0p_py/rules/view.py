"""What a rule looks at: each packet, packets with payload, or streams."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from fl0p_py.rules.content import Content
from fl0p_py.rules.field import Flags, Number
from fl0p_py.rules.flow_state import FlowState
from fl0p_py.rules.pcre import Pcre
from fl0p_py.rules.rule import BYTES, Rule

TAIL = 256
"""Bytes of a stream before the new ones that rules see whose options have no bound on their distance."""


class View(Enum):
    IDENTIFICATIONS = 0
    PACKETS = 1  # each packet, also those without payload
    PAYLOADS = 2  # packets with payload, each alone
    STREAMS = 3  # of TCP; of the rest each payload alone


def view_of(rule: Rule) -> View:
    """As Suricata decides it: a TCP rule looks at the stream unless something in it is of one packet."""
    if rule.of_identifications:
        return View.IDENTIFICATIONS
    if not any(isinstance(option, BYTES) for option in rule.options):
        return View.PACKETS
    if rule.header.proto not in ("tcp", "ip"):
        return View.PAYLOADS
    for option in rule.options:
        if isinstance(option, (Number, Flags)):
            return View.PAYLOADS
        if isinstance(option, FlowState) and option.scope == "no_stream":
            return View.PAYLOADS
    return View.STREAMS


def records_of(rules: Iterable[Rule]) -> str:
    """What the flow table has to record for these rules: EngineOptions.records."""
    views = {view_of(rule) for rule in rules}
    if View.PACKETS in views:
        return "packets"
    return "payload" if views & {View.PAYLOADS, View.STREAMS} else ""


def reach(rule: Rule) -> int:
    """Bytes that a match of a stream rule may take from its first to its last, as far as they are kept."""
    options = [option for option in rule.options if isinstance(option, BYTES)]
    if len(options) == 1 and isinstance(options[0], Content):
        return len(options[0].pattern)
    total = 0
    for option in options:
        if isinstance(option, Pcre):
            return max(TAIL, total)
        if isinstance(option, Content):
            within = len(option.pattern) if option.within is None else option.within
            total += within + max(0, option.distance or 0)
            if total > len(option.pattern) and option.within is None:
                total = max(TAIL, total)
    return total
