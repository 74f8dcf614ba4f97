"""Variables: the integers and bits of flows, and the integers of hosts and of the sensor.

Everything is bounded, and what is given up is counted.  Time is packet time; it never goes back here.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from fl0p_py.rules.bounded import Bounded
from fl0p_py.rules.integer import Integer, Scope
from fl0p_py.rules.moment import Moment

FLOWS = 1 << 20
"""Flows with variables at a time, as many as the flow table has: about 600 bytes each, with one name."""

HOSTS = 1 << 17
"""Hosts and pairs of hosts with variables at a time: about 50 MB."""

SECOND_NS = 1_000_000_000
_SENSOR = ""


class Held(NamedTuple):
    """A value, and when it is unset again (packet time; 0 never)."""

    value: int
    until_ns: int


class FlowVariables:
    """Of one flow.  settled : a pass, drop or reject holds for all its further packets"""

    __slots__ = ("bits", "ints", "settled")

    def __init__(self) -> None:
        self.ints: dict[str, int] = {}
        self.bits: set[str] = set()
        self.settled = False


class Variables:
    """All variables of one run of rules.

    now_ns  : the latest packet time
    expired : variables of hosts or of the sensor that were unset since their time was over
    """

    def __init__(self, flows: int = FLOWS, hosts: int = HOSTS) -> None:
        self.flows: Bounded[FlowVariables] = Bounded(flows)
        self.hosts: Bounded[dict[str, Held]] = Bounded(hosts, self._over)
        self.expired = 0
        self.now_ns = 0

    def _over(self, of_host: dict[str, Held]) -> bool:
        """Whether the time of all of them is over."""
        over = sum(0 < held.until_ns <= self.now_ns for held in of_host.values())
        self.expired += over
        return over == len(of_host)

    def of_flow(self, moment: Moment) -> FlowVariables | None:
        """Those there are."""
        return None if moment.flow is None else self.flows.get(moment.flow)

    def made_for_flow(self, moment: Moment) -> FlowVariables | None:
        """Those there are, made if there are none; None: there is no flow."""
        if moment.flow is None:
            return None
        found = self.flows.get(moment.flow)
        if found is None:
            found = FlowVariables()
            self.flows.put(moment.flow, found)
        return found

    def settle(self, moment: Moment) -> None:
        """No rule is to be evaluated at further packets of this flow."""
        of_flow = self.made_for_flow(moment)
        if of_flow is not None:
            of_flow.settled = True

    def settled(self, moment: Moment) -> bool:
        of_flow = self.of_flow(moment)
        return of_flow is not None and of_flow.settled

    def get(self, option: Integer, name: str, moment: Moment) -> int | None:
        """The variable of this name in the option's scope; None: not set."""
        if option.scope is Scope.FLOW:
            of_flow = self.of_flow(moment)
            return None if of_flow is None else of_flow.ints.get(name)
        key = key_of(option.track, moment)
        of_host = self.hosts.get(key)
        held = None if of_host is None else of_host.get(name)
        if of_host is None or held is None:
            return None
        if held.until_ns and self.now_ns >= held.until_ns:
            del of_host[name]
            self.expired += 1
            if not of_host:
                self.hosts.forget(key)
            return None
        return held.value

    def put(self, option: Integer, value: int, moment: Moment, *, anew: bool) -> None:
        """Set what the option names; anew : its time starts now, if it has one."""
        if option.scope is Scope.FLOW:
            of_flow = self.made_for_flow(moment)
            if of_flow is not None:
                of_flow.ints[option.name] = value
            return
        key = key_of(option.track, moment)
        of_host = self.hosts.get(key)
        if of_host is None:
            of_host = {}
        until_ns = 0
        if not anew:
            until_ns = of_host[option.name].until_ns
        elif option.expire_s:
            until_ns = self.now_ns + option.expire_s * SECOND_NS
        of_host[option.name] = Held(value, until_ns)
        self.hosts.put(key, of_host)

    def forget_flow(self, flow: object) -> None:
        self.flows.forget(flow)


def key_of(track: str, moment: Moment) -> Hashable:
    """Whose variables: a host's as source, as destination, a pair's in either direction, or the sensor's."""
    if not track:
        return _SENSOR
    if track == "by_src":
        return moment.src
    if track == "by_dst":
        return moment.dst
    return (moment.src, moment.dst) if moment.src <= moment.dst else (moment.dst, moment.src)
