"""Identified: the rules over identifications, fed with what the engine yields.

Promises that src is the client and dst the server, whoever sent the completing packet, that a flow's end
runs as a moment of its own, after all identifications of the flow, and that its variables are
forgotten behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.output.choice import FINISHED, IDENTIFIED
from fl0p_py.output.eve import flow_id
from fl0p_py.rules.identity import FlowSig
from fl0p_py.rules.machine import Machine, Ready
from fl0p_py.rules.moment import ICMP, ICMP6, TCP, Kind, Moment
from fl0p_py.signature.pattern import ACTORS

if TYPE_CHECKING:
    from fl0p_py.flow.table import FlowTable
    from fl0p_py.signature.pattern import SignatureSet

ESTABLISHED = 16  # flow/record.pxd, ROW_ESTABLISHED


class Identification(NamedTuple):
    """place : of the result; rules : to evaluate, none where an end is only to be told"""

    place: int
    rules: list[Ready]
    moment: Moment


class Identified:
    """The rules of `machine` that are evaluated at identifications and ends of flows.

    all_ends : ends of flows are relevant even if no rule is evaluated at them
    at_ends  : rules that are
    """

    def __init__(self, machine: Machine, all_ends: bool = False) -> None:
        self._machine = machine
        self._rules = [one for one in machine.rules if one.rule.of_identifications]
        self.at_ends = [one for one in self._rules if not _signatures_of(one)]
        self._ends_too = all_ends or bool(self.at_ends)
        self._signatures: SignatureSet | None = None
        self._facets: list[tuple[str, str, str]] = []
        self._chosen: list[list[Ready]] = []
        self._relevant = np.zeros(0, np.bool_)

    def due(
        self, results: NDArray[Any], signatures: SignatureSet, table: FlowTable
    ) -> Iterator[Identification]:
        """The engine's results that rules are evaluated at, or that (`all_ends`) are to be told, in order.

        The rows of the table are read now.
        """
        if signatures is not self._signatures:
            self._use(signatures)
        places = self._relevant_places(results)
        some = results[places]
        rows = table.rows[some["flow"]]
        client, server = rows["client"].tobytes(), rows["server"].tobytes()
        starts_ns, serials = rows["start_ns"].tolist(), rows["serial"].tolist()
        kinds, times_ns = some["kind"].tolist(), some["ts_ns"].tolist()
        numbers, actors, flows = some["signature"].tolist(), some["actor"].tolist(), some["flow"].tolist()
        protos, cports, sports = rows["proto"].tolist(), rows["cport"].tolist(), rows["sport"].tolist()
        octets = np.where(rows["version"] == 4, 4, 16).tolist()
        tcp_established = (rows["flags"] & ESTABLISHED).astype(np.bool_)
        established = np.where(rows["proto"] == TCP, tcp_established, rows["pkts"].all(axis=1)).tolist()
        vlans = rows["vlan"].tolist()
        for i, place in enumerate(places.tolist()):
            ended = kinds[i] == FINISHED
            echo = protos[i] in (ICMP, ICMP6)
            flow = flow_id(starts_ns[i], serials[i])
            at = 16 * i
            moment = Moment(
                Kind.ENDED if ended else Kind.IDENTIFIED,
                times_ns[i],
                protos[i],
                client[at : at + octets[i]],
                -1 if echo else cports[i],
                server[at : at + octets[i]],
                -1 if echo else sports[i],
                flow=flow,
                flow_id=flow,
                vlan=vlans[i],
                established=established[i],
                actor=ACTORS[actors[i] - 1] if actors[i] else "",
                icmp_id=cports[i] if echo else -1,
                place=None if ended else (flows[i], serials[i]),
            )
            rules = self.at_ends
            if not ended:
                rules = self._chosen[numbers[i]]
                moment.id, moment.class_, actor = self._facets[numbers[i]]
                moment.actor = actor or moment.actor
            yield Identification(place, rules, moment)

    def _relevant_places(self, results: NDArray[Any]) -> NDArray[np.intp]:
        kinds = results["kind"]
        identified = kinds == IDENTIFIED
        wanted = ~identified if self._ends_too else np.zeros(len(results), np.bool_)
        identified &= results["lost"] == 0  # more specific ones have said it already
        wanted[identified] = self._relevant[results["signature"][identified]]
        return np.flatnonzero(wanted)

    def forget_ended(self, results: NDArray[Any], table: FlowTable) -> None:
        """Give up the variables of the flows that end with these results, which have all been dealt with."""
        variables = self._machine.variables
        if not len(variables.flows):
            return
        rows = table.rows[results["flow"][results["kind"] == FINISHED]]
        for start_ns, serial in zip(rows["start_ns"].tolist(), rows["serial"].tolist(), strict=True):
            variables.forget_flow(flow_id(start_ns, serial))

    def _use(self, signatures: SignatureSet) -> None:
        """Find out which rules may be true of which signature."""
        self._signatures = signatures
        self._facets = [
            (signature.id, signature.facets.class_ or "", signature.facets.actor or "")
            for signature in signatures.signatures
        ]
        self._chosen = [self.rules_for(id, class_) for id, class_, _ in self._facets]
        self._relevant = np.array([bool(rules) for rules in self._chosen], np.bool_)

    def rules_for(self, id: str, class_: str) -> list[Ready]:
        """Those that may be true of a signature."""
        return [
            one for one in self._rules if all(option.accepts(id, class_) for option in _signatures_of(one))
        ]


def _signatures_of(one: Ready) -> list[FlowSig]:
    return [option for option in one.rule.options if isinstance(option, FlowSig)]
