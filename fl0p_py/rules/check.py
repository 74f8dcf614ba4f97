"""Check: what is right in a set of rules and probably not meant (`--rules-check`).

Warns of an `=` that looks meant as `==`; of a compare that no rule can ever let through, since every rule
that would set the variable is behind such a compare; of variables and flowbits that are read
and never written; of only_stream in a rule that looks for nothing in the stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fl0p_py.rules.flow_state import FlowState
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.integer import COMPARES, Integer
from fl0p_py.rules.loader import RuleSet
from fl0p_py.rules.rule import Option, Rule
from fl0p_py.rules.view import View, view_of
from fl0p_py.wording import counted


class Name(NamedTuple):
    """A variable, or a flowbit; scope : the keyword"""

    scope: str
    name: str

    def __str__(self) -> str:
        return f"{self.scope} {self.name}"


def report(rules: RuleSet) -> str:
    """Warnings, one a line, and the count of rules."""
    lines = list(rules.warnings)
    if rules.skipped_rules:
        lines.append(rules.left_out)
    lines += findings([loaded.rule for loaded in rules.rules])
    warnings = counted(len(lines), "warning") if lines else "no warnings"
    return "".join(f"{line}\n" for line in (*lines, f"{counted(len(rules.rules), 'rule')}, {warnings}"))


def findings(rules: list[Rule]) -> list[str]:
    """What is odd, in the order of the rules."""
    found = [*_assignments(rules), *_gated(rules), *_unwritten(rules), *_blind(rules)]
    return [f"{_where(rule, option)}: {message}" for rule, option, message in sorted(found, key=_place)]


Finding = tuple[Rule, Option, str]


def _place(finding: Finding) -> tuple[str, int, int]:
    text = finding[0].text
    return (text.source, text.number, finding[1].at) if text else ("", 0, finding[1].at)


def _where(rule: Rule, option: Option) -> str:
    if rule.text is None:
        return f"{rule.name}: {option.keyword}"
    return str(rule.text.error(option.at, 1, f"{rule.name}: {option.keyword}"))


def _integers(rule: Rule) -> list[Integer]:
    return [option for option in rule.options if isinstance(option, Integer)]


def _of(option: Integer) -> Name:
    return Name(option.keyword, option.name)


def _assignments(rules: list[Rule]) -> Iterator[Finding]:
    """`isset` beside `=` of the same variable, in a rule that gives an alert: compared to, rather."""
    for rule in rules:
        tested = {_of(option) for option in _integers(rule) if not option.writes and option.op != "notset"}
        for option in _integers(rule):
            if option.op == "=" and not rule.noalert and _of(option) in tested:
                yield rule, option, f"= assigns {option.operand} to {option.name}; to compare it is =="


def _gated(rules: list[Rule]) -> Iterator[Finding]:
    """Compares of variables that can never be set: each rule that would set one needs it set before."""
    settable: set[Name] = set()
    grown = True
    while grown:
        grown = False
        for rule in rules:
            needs = {
                _of(option) for option in _integers(rule) if option.op == "isset" or option.op in COMPARES
            }
            if needs <= settable:
                sets = {_of(option) for option in _integers(rule) if option.op in ("=", "+")}
                grown = grown or not sets <= settable
                settable |= sets
    written = {_of(option) for rule in rules for option in _integers(rule) if option.op in ("=", "+")}
    for rule in rules:
        for option in _integers(rule):
            name = _of(option)
            needs_it = option.op == "isset" or option.op in COMPARES
            if needs_it and name in written and name not in settable:
                op = "isset" if option.op == "isset" else f"{option.op} {option.operand}"
                yield (
                    rule,
                    option,
                    f"{op} is never true: every rule that sets {option.name} needs it set before",
                )


def _unwritten(rules: list[Rule]) -> Iterator[Finding]:
    """Names that are read and never written."""
    written: set[Name] = set()
    for rule in rules:
        written |= {_of(option) for option in _integers(rule) if option.op in ("=", "+")}
        written |= {
            Name("flowbits", name)
            for option in rule.options
            if isinstance(option, FlowBit) and option.op in ("set", "toggle")
            for name in option.names
        }
    for rule in rules:
        for option in rule.options:
            for name in _read(option):
                if name not in written:
                    yield rule, option, f"{name.name} is never set by any rule"


def _blind(rules: list[Rule]) -> Iterator[Finding]:
    """Rules that see nothing but the stream, and look for nothing in it."""
    for rule in rules:
        for option in rule.options:
            if isinstance(option, FlowState) and view_of(rule) is View.NOTHING:
                yield rule, option, "only_stream is never true without a content, pcre or isdataat"


def _read(option: Option) -> list[Name]:
    """Names that an option reads."""
    if isinstance(option, FlowBit):
        return [] if option.writes else [Name("flowbits", name) for name in option.names]
    if not isinstance(option, Integer):
        return []
    names = [] if option.op in ("=", "+") else [_of(option)]
    if isinstance(option.operand, str):
        names.append(Name(option.keyword, option.operand))
    return names
