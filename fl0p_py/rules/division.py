"""Division: rules at work in several processes, one engine for each share of the flows.

Rules over identifications go to the one process that hears of all flows, rules over packets into every
engine.  What cannot be divided so is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fl0p_py.errors import UsageError
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.integer import Integer, Scope
from fl0p_py.rules.loader import RuleSet
from fl0p_py.rules.rule import KILLS, Rule


@dataclass(frozen=True, slots=True)
class Division:
    """engines : rules that each engine evaluates; shared : those over identifications"""

    engines: RuleSet
    shared: RuleSet


def divide(rules: RuleSet) -> Division:
    """Raises UsageError for the first rule that needs all flows in one process."""
    shared = tuple(one for one in rules.rules if one.rule.of_identifications)
    engines = tuple(one for one in rules.rules if not one.rule.of_identifications)
    joined = _names(one.rule for one in shared) & _names(one.rule for one in engines)
    for one in rules.rules:
        why = _why_not(one.rule, joined)
        if why:
            rule = one.rule
            place = "" if rule.text is None else f"{rule.text.source}:{rule.text.number}: "
            raise UsageError(f"{place}rule {rule.name} {why}: leave out --workers")
    return Division(replace(rules, rules=engines), replace(rules, rules=shared))


def _why_not(rule: Rule, joined: set[tuple[str, str]]) -> str:
    if rule.of_identifications:
        return "kills by an identification" if rule.header.action in KILLS else ""
    if rule.shared:
        return "looks at packets, and has variables of hosts or of the sensor"
    if rule.threshold is not None:
        return "looks at packets, and counts over flows by its threshold"
    if _names([rule]) & joined:
        return "looks at packets, and has variables in common with rules over identifications"
    return ""


def _names(rules: Iterable[Rule]) -> set[tuple[str, str]]:
    """Variables of flows."""
    names: set[tuple[str, str]] = set()
    for rule in rules:
        for option in rule.options:
            if isinstance(option, FlowBit):
                names.update(("flowbits", name) for name in option.names)
            elif isinstance(option, Integer) and option.scope is Scope.FLOW:
                names.add(("flowint", option.name))
                if isinstance(option.operand, str):
                    names.add(("flowint", option.operand))
    return names
