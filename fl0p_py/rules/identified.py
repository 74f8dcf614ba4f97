"""Identified: the rules over identifications, fed with what the engine yields.

Promises that src is the client and dst the server, whoever sent the completing packet, that a flow's end
runs as a moment of its own, after all identifications of the flow, and that its variables are
forgotten behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.output.alert import Alert
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
        self._chosen: list[list[Ready]] = []
        self._relevant = np.zeros(0, np.bool_)

    def relevant(self, results: NDArray[Any], signatures: SignatureSet) -> list[int]:
        """Which of the engine's results are to be handed to `at`, in order."""
        if signatures is not self._signatures:
            self._use(signatures)
        kinds = results["kind"]
        identified = kinds == IDENTIFIED
        wanted = ~identified if self._ends_too else np.zeros(len(results), np.bool_)
        identified &= results["lost"] == 0  # more specific ones have said it already
        wanted[identified] = self._relevant[results["signature"][identified]]
        places: list[int] = np.flatnonzero(wanted).tolist()
        return places

    def at(self, result: Any, table: FlowTable) -> list[Alert]:
        """The alerts of one of them."""
        ended = result["kind"] == FINISHED
        rules = self.at_ends if ended else self._chosen[int(result["signature"])]
        return self._machine.run(self.moment(result, table), rules) if rules else []

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
        facets = [(signature.id, signature.facets.class_ or "") for signature in signatures.signatures]
        self._chosen = [self.rules_for(id, class_) for id, class_ in facets]
        self._relevant = np.array([bool(rules) for rules in self._chosen], np.bool_)

    def rules_for(self, id: str, class_: str) -> list[Ready]:
        """Those that may be true of a signature."""
        return [
            one for one in self._rules if all(option.accepts(id, class_) for option in _signatures_of(one))
        ]

    def moment(self, result: Any, table: FlowTable) -> Moment:
        """One of the results that are relevant, as rules see it."""
        row = table.rows[result["flow"]]
        flow = flow_id(int(row["start_ns"]), int(row["serial"]))
        octets = 4 if row["version"] == 4 else 16
        proto, echo = int(row["proto"]), row["proto"] in (ICMP, ICMP6)
        ended = result["kind"] == FINISHED
        actor = int(result["actor"])
        moment = Moment(
            Kind.ENDED if ended else Kind.IDENTIFIED,
            int(result["ts_ns"]),
            proto,
            bytes(row["client"])[:octets],
            -1 if echo else int(row["cport"]),
            bytes(row["server"])[:octets],
            -1 if echo else int(row["sport"]),
            flow=flow,
            flow_id=flow,
            vlan=int(row["vlan"]),
            established=bool(
                row["flags"] & ESTABLISHED if proto == TCP else row["pkts"][0] and row["pkts"][1]
            ),
            actor=ACTORS[actor - 1] if actor else "",
            icmp_id=int(row["cport"]) if echo else -1,
            place=None if ended else (int(result["flow"]), int(row["serial"])),
        )
        if not ended:
            assert self._signatures is not None
            signature = self._signatures.signatures[int(result["signature"])]
            moment.id, moment.class_ = signature.id, signature.facets.class_ or ""
            moment.actor = signature.facets.actor or moment.actor
        return moment


def _signatures_of(one: Ready) -> list[FlowSig]:
    return [option for option in one.rule.options if isinstance(option, FlowSig)]
