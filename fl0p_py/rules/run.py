"""Run: a set of rules at work on what one engine yields, for as long as the process lives.

Variables outlive a change of signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from fl0p_py.errors import UsageError
from fl0p_py.output.alert import Alert
from fl0p_py.rules.explain import Explainer
from fl0p_py.rules.identified import Identified
from fl0p_py.rules.loader import RuleSet
from fl0p_py.rules.machine import Machine

if TYPE_CHECKING:
    from fl0p_py.engine import Engine


class Run:
    """rules : loaded; explain : sid of the rule of which `say` is told at each evaluation, 0 none"""

    def __init__(self, rules: RuleSet, explain: int = 0, say: Callable[[str], None] | None = None) -> None:
        self.rules = rules
        for one in rules.rules:
            if not one.rule.of_identifications:
                raise UsageError(f"--rules: rule {one.rule.name} has neither flowsig nor actor")
        self._machine = Machine(rules.rules)
        if explain and say is not None:
            self._machine.explained = explain
            self._machine.explain = Explainer(say).told
        self._identified = Identified(self._machine)

    def alerts(self, results: NDArray[Any], engine: Engine) -> Iterator[tuple[int, list[Alert]]]:
        """For each result of the engine's that brings any: its number, and the alerts."""
        return self._identified.alerts(results, engine.table, engine.signatures)

    def counts(self) -> dict[str, dict[str, int]]:
        """Fields of output/stats.py Stats: what each rule did, and what the tables gave up."""
        machine = self._machine
        variables = machine.variables
        given_up = {
            "flows_evicted": variables.flows.evicted,
            "hosts_evicted": variables.hosts.evicted,
            "hosts_expired": variables.expired,
            "thresholds_evicted": machine.tallies.windows.evicted,
        }
        return {
            "rules_matched": {one.rule.id: one.matched for one in machine.rules if one.matched},
            "rules_alerts": {one.rule.id: one.said for one in machine.rules if one.said},
            "rules_given_up": {what: count for what, count in given_up.items() if count},
        }
