"""The order in which rules are evaluated at a moment.

By action; then rules that write flowbits, that write and read them, that read them, that do neither; then the
same for flowints, and for the variables of hosts and of the sensor; then by priority; then by sid.
What a rule writes those behind it see at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable

from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.integer import Integer, Scope
from fl0p_py.rules.loader import Loaded
from fl0p_py.rules.rule import ACTIONS, Option

WRITES, BOTH, READS, NEITHER = range(4)


def order(loaded: Loaded) -> tuple[int, ...]:
    """A key to sort by."""
    rule = loaded.rule
    return (
        ACTIONS.index(rule.header.action),
        _use(rule.options, lambda option: isinstance(option, FlowBit)),
        _use(rule.options, lambda option: isinstance(option, Integer) and option.scope is Scope.FLOW),
        _use(rule.options, lambda option: isinstance(option, Integer) and option.scope is not Scope.FLOW),
        loaded.priority,
        rule.sid,
        rule.gid,
    )


def _use(options: tuple[Option, ...], chosen: Callable[[Option], bool]) -> int:
    uses = {option.writes for option in options if isinstance(option, (FlowBit, Integer)) and chosen(option)}
    if uses == {True, False}:
        return BOTH
    return (WRITES if uses == {True} else READS) if uses else NEITHER
