"""Report: identifications and ends of flows as an engine tells them to the process that has the rules.

Records of one size, all bounded.  `moments` trusts none of them: what comes from an engine that is in the
hands of whoever sent the packets is a moment that could have been, or ValueError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.output.alert import Alert
from fl0p_py.output.eve import SAFE_INTEGER
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.identified import Identified
from fl0p_py.rules.integer import Integer, Scope
from fl0p_py.rules.loader import RuleSet
from fl0p_py.rules.machine import Machine, counts
from fl0p_py.rules.moment import Kind, Moment
from fl0p_py.signature.pattern import ACTORS

if TYPE_CHECKING:
    from fl0p_py.engine import Engine

REPORT = np.dtype(
    [
        ("ts_ns", "i8"),
        ("flow_id", "u8"),
        ("vlan", "u4"),
        ("sport", "i4"),
        ("dport", "i4"),
        ("icmp_id", "i4"),
        ("kind", "u1"),
        ("proto", "u1"),
        ("octets", "u1"),  # of an address
        ("established", "u1"),
        ("actor", "u1"),  # place in ACTORS, from 1; 0 none
        ("src", "S16"),  # without zeros at the end
        ("dst", "S16"),
        ("id", "S256"),
        ("class_", "S128"),
    ]
)

REMEMBERED = 1 << 14
"""Signatures whose rules are known at a time."""


class Reporter:
    """The engine's side.  rules : over identifications, evaluated elsewhere"""

    def __init__(self, rules: RuleSet) -> None:
        self._identified = Identified(Machine(rules.rules), all_ends=_have_flow_variables(rules))

    def records(self, results: NDArray[Any], engine: Engine) -> NDArray[Any]:
        """REPORT[n], what these results bring the rules, in order; the rows of the table are read."""
        found = self._identified.due(results, engine.signatures, engine.table)
        return np.array([_packed(one.moment) for one in found], REPORT)


def _have_flow_variables(rules: RuleSet) -> bool:
    return any(
        isinstance(option, FlowBit) or (isinstance(option, Integer) and option.scope is Scope.FLOW)
        for loaded in rules.rules
        for option in loaded.rule.options
    )


def _packed(moment: Moment) -> tuple[Any, ...]:
    return (
        moment.ts_ns,
        moment.flow_id,
        moment.vlan,
        moment.sport,
        moment.dport,
        moment.icmp_id,
        int(moment.kind),
        moment.proto,
        len(moment.src),
        moment.established,
        ACTORS.index(moment.actor) + 1 if moment.actor else 0,
        moment.src,
        moment.dst,
        moment.id.encode(),
        moment.class_.encode(),
    )


def moments(data: bytes, engine: int) -> Iterator[Moment]:
    """What REPORTs say; ValueError if they are none.  engine : which of them sent it"""
    for row in np.frombuffer(data, REPORT).tolist():
        yield _moment(engine, *row)


def _moment(
    engine: int,
    ts_ns: int,
    flow_id: int,
    vlan: int,
    sport: int,
    dport: int,
    icmp_id: int,
    kind: int,
    proto: int,
    octets: int,
    established: int,
    actor: int,
    src: bytes,
    dst: bytes,
    id: bytes,
    class_: bytes,
) -> Moment:
    fits = (
        ts_ns >= 0
        and flow_id <= SAFE_INTEGER
        and -1 <= min(sport, dport, icmp_id) <= max(sport, dport, icmp_id) <= 0xFFFF
        and kind in (Kind.IDENTIFIED, Kind.ENDED)
        and octets in (4, 16)
        and max(len(src), len(dst)) <= octets
        and actor <= len(ACTORS)
    )
    if not fits:
        raise ValueError("a report of what cannot be")
    return Moment(
        Kind(kind),
        ts_ns,
        proto,
        src.ljust(octets, b"\0"),
        sport,
        dst.ljust(octets, b"\0"),
        dport,
        flow=(engine, flow_id),
        flow_id=flow_id,
        vlan=vlan,
        established=bool(established),
        id=id.decode(),
        class_=class_.decode(),
        actor=ACTORS[actor - 1] if actor else "",
        icmp_id=icmp_id,
    )


class Judge:
    """The rules' side: evaluates what several engines report.

    entry : makes an alert an entry of the output
    """

    def __init__(self, rules: RuleSet, entry: Callable[[Alert], bytes]) -> None:
        self._machine = Machine(rules.rules)
        identified = Identified(self._machine)
        self._at_ends = identified.at_ends
        self._rules_for = lru_cache(REMEMBERED)(identified.rules_for)
        self._entry = entry

    def entries(self, engine: int, data: bytes) -> bytes:
        """The alerts of these reports; ValueError if they are none."""
        alerts: list[Alert] = []
        for moment in moments(data, engine):
            ended = moment.kind is Kind.ENDED
            rules = self._at_ends if ended else self._rules_for(moment.id, moment.class_)
            if rules:
                alerts += self._machine.run(moment, rules)
            if ended:
                self._machine.variables.forget_flow(moment.flow)
        return b"".join(map(self._entry, alerts))

    def counts(self) -> dict[str, dict[str, int]]:
        """Fields of output/stats.py Stats."""
        return counts(self._machine)
