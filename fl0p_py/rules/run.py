"""Run: a set of rules at work on what one engine yields, for as long as the process lives.

Variables outlive a change of signatures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from fl0p_py.output.alert import Alert
from fl0p_py.rules.explain import Explainer
from fl0p_py.rules.identified import Identified
from fl0p_py.rules.loader import RuleSet
from fl0p_py.rules.machine import Machine, counts
from fl0p_py.rules.moment import TCP, Moment
from fl0p_py.rules.rule import KILLS
from fl0p_py.rules.view import View, records_of, view_of

if TYPE_CHECKING:
    from fl0p_py.engine import Engine
    from fl0p_py.rules.identified import Identification
    from fl0p_py.rules.inspection import Due, Inspection
    from fl0p_py.rules.report import Reporter
    from fl0p_py.tracker import Step


class Killer(Protocol):
    """Ends connections."""

    def watch(self, step: Step) -> None:
        """Sees every step of the tracker before it is asked about it."""

    def end(self, row: int, serial: int) -> bool:
        """End the connection of this flow, whose row can be read; whether that could be asked for."""


class Run:
    """rules : loaded; explain : sid of the rule of which `say` is told at each evaluation, 0 none

    kills   : some rules end connections, if there is a killer (see `arm`)
    records : what the flow table has to record for them, EngineOptions.records
    due     : packets of the step at which rules have still to be evaluated, in order
    """

    def __init__(self, rules: RuleSet, explain: int = 0, say: Callable[[str], None] | None = None) -> None:
        self.rules = rules
        self.records = records_of(loaded.rule for loaded in rules.rules)
        self.due: deque[Due] = deque()
        self.kills = any(loaded.rule.header.action in KILLS for loaded in rules.rules)
        self._machine = Machine(rules.rules)
        self._killer: Killer | None = None
        self._reporter: Reporter | None = None
        if explain and say is not None:
            self._machine.explained = explain
            self._machine.explain = Explainer(say).told
        self._identified = Identified(self._machine)
        self._inspection: Inspection | None = None

    @property
    def on_packets(self) -> bool:
        """Whether any rule looks at packets or streams."""
        return any(view_of(loaded.rule) is not View.IDENTIFICATIONS for loaded in self.rules.rules)

    def attach(self, engine: Engine) -> None:
        """Make ready for the engine's packets; to be called before its first step."""
        if self.on_packets and self._inspection is None:
            from fl0p_py.rules.inspection import Inspection  # hyperscan, only where it is needed

            self._inspection = Inspection(self._machine, engine.table)

    def arm(self, killer: Killer) -> None:
        """Let drop and reject kill."""

        def kill(moment: Moment) -> bool:
            return moment.proto == TCP and moment.place is not None and killer.end(*moment.place)

        self._killer, self._machine.kill = killer, kill

    def begin(self, step: Step) -> None:
        """A step of the engine's tracker: find the packets that are due."""
        if self._killer is not None:
            self._killer.watch(step)
        if self._inspection is not None:
            self.due.extend(self._inspection.due(step))

    def at_packet(self) -> list[Alert]:
        """Evaluate what is due first; the rows of the table are read."""
        assert self._inspection is not None
        due = self.due.popleft()
        of_flow = self._machine.variables.flows.get(due.ends.flow)
        if of_flow is not None and of_flow.settled and self._machine.explain is None:
            return []
        return self._machine.run(self._inspection.moment(due), due.rules)

    def identifications(self, results: NDArray[Any], engine: Engine) -> Iterator[Identification]:
        """At which results rules over identifications are due, in order; rows of the table are read."""
        return self._identified.due(results, engine.signatures, engine.table)

    def at_result(self, one: Identification) -> list[Alert]:
        """Evaluate them at one of these."""
        return self._machine.run(one.moment, one.rules)

    def dealt_with(self, results: NDArray[Any], engine: Engine) -> None:
        """All that these results bring has been evaluated."""
        self._identified.forget_ended(results, engine.table)

    def report(self, results: NDArray[Any], engine: Engine) -> None:
        """Tell what the rules need that are evaluated elsewhere."""
        if self._reporter is not None and len(records := self._reporter.records(results, engine)):
            self._report(records)

    def report_to(self, reporter: Reporter, report: Callable[[NDArray[Any]], None]) -> None:
        """Some rules are evaluated elsewhere, where `report` takes what `reporter` has to say."""
        self._reporter, self._report = reporter, report

    def counts(self) -> dict[str, dict[str, int]]:
        """Fields of output/stats.py Stats: what each rule did, and what was given up at bounds."""
        return counts(self._machine, self._inspection.given_up if self._inspection is not None else 0)
