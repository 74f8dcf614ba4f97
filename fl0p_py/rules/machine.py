"""Machine: rules evaluated at moments, one after the other.

At each moment those of the rules asked for are evaluated in their order (order.py).  A rule matches when
its header, all its conditions and its payload options hold; then its changes are made; then, unless a pass
rule has matched at this moment, or the threshold is against it, drop and reject kill and, but for noalert,
it says its alert.  What pass, drop and reject say of a flow or of its stream holds for all its further
packets: none of them is evaluated any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fl0p_py.output.alert import Alert
from fl0p_py.rules.change import Change, change_of
from fl0p_py.rules.classification import CLASSIFICATIONS
from fl0p_py.rules.condition import Condition, condition_of, header_of
from fl0p_py.rules.integer import TRACKS, Integer, Scope
from fl0p_py.rules.loader import Loaded
from fl0p_py.rules.moment import TCP, Kind, Moment
from fl0p_py.rules.order import order
from fl0p_py.rules.rule import KILLS, Option, Rule
from fl0p_py.rules.tally import Tallies, Weight
from fl0p_py.rules.variables import Variables
from fl0p_py.rules.view import View, view_of

SETTLES = ("pass", *KILLS)

HEADER, SETTLED = "header", "settled"
"""What fails, beside an option."""

Failed = Callable[[Rule, "Option | str | None", Moment], None]
"""Told of each evaluation: the option that failed, HEADER, SETTLED, or None if the rule matched."""

Payload = Callable[[Moment], "Option | str | None"]
"""What looks at a moment's payload: None if it fits, else what did not."""


@dataclass(slots=True)
class Ready:
    """A rule made ready, and its counters.

    fits    : the header
    settles : pass, drop or reject of a flow, or (with a payload) of a stream
    matched : times that everything held; said : alerts
    """

    loaded: Loaded
    fits: Callable[[Moment], bool]
    conditions: tuple[tuple[Option, Condition], ...]
    changes: tuple[Change, ...]
    settles: bool
    payload: Payload | None = None
    matched: int = 0
    said: int = 0

    @property
    def rule(self) -> Rule:
        return self.loaded.rule


def ready(loaded: Loaded) -> Ready:
    rule, options = loaded.rule, loaded.rule.options
    conditions = [(option, condition_of(option)) for option in options]
    changes = [change_of(option) for option in options]
    return Ready(
        loaded,
        header_of(rule.header, loaded.ends),
        tuple((option, condition) for option, condition in conditions if condition is not None),
        tuple(change for change in changes if change is not None),
        rule.header.action in SETTLES and (rule.of_header or view_of(rule) is View.STREAMS),
    )


class Machine:
    """rules : in the order of evaluation

    explain : told of every evaluation of the rule with the sid `explained`
    kill    : has the connection of a moment ended; whether that could be asked for.  None: nothing is ended
    """

    def __init__(self, rules: Iterable[Loaded], variables: Variables | None = None) -> None:
        self.rules = [ready(loaded) for loaded in sorted(rules, key=order)]
        self.variables = Variables() if variables is None else variables
        self.tallies = Tallies()
        self.explained = 0
        self.explain: Failed | None = None
        self.kill: Callable[[Moment], bool] | None = None

    def run(self, moment: Moment, rules: Sequence[Ready]) -> list[Alert]:
        """Evaluate these rules, which are in order; the alerts, in order."""
        variables = self.variables
        variables.now_ns = max(variables.now_ns, moment.ts_ns)
        alerts: list[Alert] = []
        passed = False
        if moment.kind is Kind.PACKET and variables.settled(moment):
            for one in rules if self.explain is not None else ():
                self._tell(one, SETTLED, moment)
            return alerts
        for one in rules:
            rule = one.loaded.rule
            failed = self._failed(one, moment)
            self._tell(one, failed, moment)
            if failed is not None:
                continue
            one.matched += 1
            for change in one.changes:
                change(moment, variables)
            weight = Weight.NOTHING if passed else self.tallies.weigh(rule, moment)
            if weight is Weight.NOTHING:
                continue
            if one.settles and (rule.of_header or moment.proto == TCP):
                variables.settle(moment)
            if rule.header.action == "pass":
                passed = weight is Weight.SAID
                continue
            killed = self._killed(rule, moment)
            if weight is Weight.SAID and not rule.noalert:
                one.said += 1
                alerts.append(self._alert(one, moment, killed))
        return alerts

    def _tell(self, one: Ready, failed: Option | str | None, moment: Moment) -> None:
        if one.rule.sid == self.explained and self.explain is not None:
            self.explain(one.rule, failed, moment)

    def _killed(self, rule: Rule, moment: Moment) -> bool:
        return rule.header.action in KILLS and self.kill is not None and self.kill(moment)

    def _failed(self, one: Ready, moment: Moment) -> Option | str | None:
        if not one.fits(moment):
            return HEADER
        for option, condition in one.conditions:
            if not condition(moment, self.variables):
                return option
        return None if one.payload is None else one.payload(moment)

    def _alert(self, one: Ready, moment: Moment, killed: bool) -> Alert:
        rule = one.rule
        known = CLASSIFICATIONS.get(rule.classtype)
        of_flow = self.variables.of_flow(moment)
        return Alert(
            ts_ns=moment.ts_ns,
            gid=rule.gid,
            sid=rule.sid,
            rev=rule.rev,
            msg=rule.msg,
            category=known.words if known else "",
            priority=one.loaded.priority,
            proto=moment.proto,
            src=moment.src,
            sport=moment.sport,
            dst=moment.dst,
            dport=moment.dport,
            of_client=moment.to_server,
            flow_id=moment.flow_id,
            vlan=moment.vlan,
            icmp_id=moment.icmp_id,
            itype=moment.itype,
            icode=moment.icode,
            blocked=killed,
            signature=moment.id,
            references=rule.references,
            metadata=rule.metadata,
            flowints=dict(sorted(of_flow.ints.items())) if of_flow else {},
            flowbits=tuple(sorted(of_flow.bits)) if of_flow else (),
            globalints=self._values(rule, "", moment),
            hostints={track: values for track in TRACKS if (values := self._values(rule, track, moment))},
        )

    def _values(self, rule: Rule, track: str, moment: Moment) -> dict[str, int]:
        """The variables of the sensor, or of a host by this track, that the rule names and that are set."""
        values: dict[str, int] = {}
        for option in rule.options:
            if isinstance(option, Integer) and option.scope is not Scope.FLOW and option.track == track:
                value = self.variables.get(option, option.name, moment)
                if value is not None:
                    values[option.name] = value
        return values


def counts(machine: Machine, payloads: int = 0) -> dict[str, dict[str, int]]:
    """Fields of output/stats.py Stats: what each rule did, and what was given up at bounds.

    payloads : pieces on which a rule was not tried to the end
    """
    variables = machine.variables
    given_up = {
        "flows_evicted": variables.flows.evicted,
        "hosts_evicted": variables.hosts.evicted,
        "hosts_expired": variables.expired,
        "thresholds_evicted": machine.tallies.windows.evicted,
        "payloads": payloads,
    }
    return {
        "rules_matched": {one.rule.id: one.matched for one in machine.rules if one.matched},
        "rules_alerts": {one.rule.id: one.said for one in machine.rules if one.said},
        "rules_given_up": {what: count for what, count in given_up.items() if count},
    }
