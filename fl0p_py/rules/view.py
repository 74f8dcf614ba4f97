"""What a rule looks at: each packet, packets with payload, or streams."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from fl0p_py.rules.content import Content, IsDataAt
from fl0p_py.rules.field import Flags, Number
from fl0p_py.rules.flow_state import FlowState
from fl0p_py.rules.rule import BYTES, Rule

TAIL = 256
"""Bytes of a stream before the new ones that rules see whose options have no bound on their distance."""


class View(Enum):
    IDENTIFICATIONS = 0
    PACKETS = 1  # each packet, also those without payload
    PAYLOADS = 2  # packets with payload, each alone
    STREAMS = 3  # of TCP; of the rest each payload alone
    NOTHING = 4  # streams, and nothing to find in them: as in Suricata never true


def view_of(rule: Rule) -> View:
    """As Suricata decides it: a TCP rule looks at the stream unless something in it is of one packet."""
    if rule.of_identifications:
        return View.IDENTIFICATIONS
    scopes = {option.scope for option in rule.options if isinstance(option, FlowState)}
    if not any(isinstance(option, BYTES) for option in rule.options):
        return View.NOTHING if "only_stream" in scopes else View.PACKETS
    if rule.header.proto not in ("tcp", "ip"):
        return View.PAYLOADS
    of_one = "no_stream" in scopes or any(isinstance(option, (Number, Flags)) for option in rule.options)
    return View.PAYLOADS if of_one else View.STREAMS


def records_of(rules: Iterable[Rule]) -> str:
    """What the flow table has to record for these rules: EngineOptions.records."""
    views = {view_of(rule) for rule in rules}
    if View.PACKETS in views:
        return "packets"
    return "payload" if views & {View.PAYLOADS, View.STREAMS} else ""


def reach(rule: Rule) -> int:
    """Bytes of a stream, up to the end of a match, that a stream rule has to see, as far as they are kept."""
    options = [option for option in rule.options if isinstance(option, BYTES)]
    total = 0
    bounded = True
    for option in options:
        if isinstance(option, Content):
            size = len(option.pattern)
            room = option.within if option.relative else size if option.startswith else option.depth
            total += max(0, (option.distance or 0) + (option.offset or 0)) + (room or size)
            alone = len(options) == 1 and option.offset is None
            bounded = bounded and (room is not None or alone)
        elif isinstance(option, IsDataAt):
            total += option.offset + 1
        else:
            bounded = False
    return total if bounded else max(TAIL, total)
