"""Conditions: options that must be true for a rule to match, as functions of a moment.

They change nothing, so their order does not matter: the cheap ones come first.  The content of packets
is not here, but in payload.py.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fl0p_py.rules.address import address_number
from fl0p_py.rules.arithmetic import holds
from fl0p_py.rules.field import Flags, Number
from fl0p_py.rules.flow_state import FlowState
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.identity import Actor, FlowSig
from fl0p_py.rules.integer import TESTS, Integer, Scope
from fl0p_py.rules.loader import Ends
from fl0p_py.rules.moment import ICMP, ICMP6, TCP, UDP, Kind, Moment
from fl0p_py.rules.rule import Header, Option
from fl0p_py.rules.variables import Variables

Condition = Callable[[Moment, Variables], bool]

PROTOCOL_NUMBERS = {"tcp": (TCP,), "tcp-pkt": (TCP,), "udp": (UDP,), "icmp": (ICMP, ICMP6)}
_FIELDS = {"dsize": "size", "itype": "itype", "icode": "icode", "icmp_id": "icmp_id", "ttl": "ttl"}


def header_of(header: Header, ends: Ends) -> Callable[[Moment], bool]:
    """Whether protocol, addresses and ports fit, in the rule's direction or, with `<>`, in either."""
    numbers = PROTOCOL_NUMBERS.get(header.proto)
    src, sport, dst, dport = ends.src, ends.sport, ends.dst, ends.dport
    everywhere = src is sport is dst is dport is None

    def fit(one: bytes, one_port: int, other: bytes, other_port: int) -> bool:
        return (
            (dport is None or other_port in dport)
            and (sport is None or one_port in sport)
            and (dst is None or address_number(other) in dst)
            and (src is None or address_number(one) in src)
        )

    def fits(moment: Moment) -> bool:
        if numbers is not None and moment.proto not in numbers:
            return False
        if everywhere or fit(moment.src, moment.sport, moment.dst, moment.dport):
            return True
        return header.both and fit(moment.dst, moment.dport, moment.src, moment.sport)

    return fits


def condition_of(option: Option) -> Condition | None:
    """None: the option is none, or one of the payload's."""
    if isinstance(option, Integer):
        return None if option.writes else _integer(option)
    if isinstance(option, FlowBit):
        return None if option.writes else partial(_bits, option)
    if isinstance(option, FlowSig):
        return partial(_flowsig, option)
    if isinstance(option, Actor):
        return partial(_actor, option)
    if isinstance(option, FlowState):
        return partial(_flow_state, option)
    if isinstance(option, Number):
        return partial(_number, option)
    if isinstance(option, Flags):
        return partial(_flags, option)
    return None


def operand(option: Integer, moment: Moment, variables: Variables) -> int | None:
    if isinstance(option.operand, str):
        return variables.get(option, option.operand, moment)
    return option.operand


def _integer(option: Integer) -> Condition:
    name, wanted = option.name, option.op == "isset"
    of_flow = option.scope is Scope.FLOW

    def whether(moment: Moment, variables: Variables) -> bool:
        if of_flow and moment.flow is None:
            return False
        return (variables.get(option, name, moment) is not None) is wanted

    def compared(moment: Moment, variables: Variables) -> bool:
        left = variables.get(option, name, moment)
        return left is not None and holds(option.op, left, operand(option, moment, variables))

    return whether if option.op in TESTS else compared


def _bits(option: FlowBit, moment: Moment, variables: Variables) -> bool:
    if moment.flow is None:
        return False
    of_flow = variables.of_flow(moment)
    bits = of_flow.bits if of_flow is not None else ()
    wanted = option.op == "isset"
    return any((name in bits) is wanted for name in option.names)


def _flowsig(option: FlowSig, moment: Moment, variables: Variables) -> bool:
    return moment.kind is Kind.IDENTIFIED and option.accepts(moment.id, moment.class_)


def _actor(option: Actor, moment: Moment, variables: Variables) -> bool:
    return moment.actor == option.actor


def _flow_state(option: FlowState, moment: Moment, variables: Variables) -> bool:
    if moment.flow is None:
        return option.state == "stateless" and not option.direction
    if option.direction and moment.to_server is not (option.direction == "to_server"):
        return False
    return option.state in ("", "stateless") or moment.established is (option.state == "established")


def _number(option: Number, moment: Moment, variables: Variables) -> bool:
    number: int = getattr(moment, _FIELDS[option.keyword])
    return number >= 0 and bool(option.accepts(number))


def _flags(option: Flags, moment: Moment, variables: Variables) -> bool:
    return moment.flags >= 0 and option.accepts(moment.flags)
