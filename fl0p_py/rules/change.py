"""Changes: what a rule that matches does to variables, in written order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fl0p_py.rules.arithmetic import changed
from fl0p_py.rules.condition import operand
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.integer import Integer
from fl0p_py.rules.moment import Moment
from fl0p_py.rules.rule import Option
from fl0p_py.rules.variables import Variables

Change = Callable[[Moment, Variables], None]


def change_of(option: Option) -> Change | None:
    """None: the option changes nothing."""
    if isinstance(option, Integer) and option.writes:
        return partial(_integer, option)
    if isinstance(option, FlowBit) and option.writes:
        return partial(_bit, option)
    return None


def _integer(option: Integer, moment: Moment, variables: Variables) -> None:
    left = variables.get(option, option.name, moment)
    value = changed(option.op, left, operand(option, moment, variables))
    if value is not None:
        variables.put(option, value, moment, anew=left is None or option.op == "=")


def _bit(option: FlowBit, moment: Moment, variables: Variables) -> None:
    of_flow = variables.made_for_flow(moment)
    if of_flow is None:
        return
    (name,) = option.names
    if option.op == "set" or (option.op == "toggle" and name not in of_flow.bits):
        of_flow.bits.add(name)
    else:
        of_flow.bits.discard(name)
