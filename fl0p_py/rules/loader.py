"""Rule files become a RuleSet.

A higher rev of a sid replaces a lower one; the same rev again is a fault.  All faults of all files are
raised together.  With `lenient`, rules that hold something that is only not supported are left out and
counted instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fl0p_py.errors import RuleError, RuleFileError
from fl0p_py.output.escape import escape
from fl0p_py.rules.address import ADDRESSES
from fl0p_py.rules.classification import CLASSIFICATIONS
from fl0p_py.rules.parser import parse_rule
from fl0p_py.rules.port import PORTS
from fl0p_py.rules.ranges import Ranges
from fl0p_py.rules.rule import DEFAULT_PRIORITY, HEADER_TERMS, Rule
from fl0p_py.rules.term import ANY, Space, Term, UndefinedError, negates, resolve
from fl0p_py.rules.text import rule_texts
from fl0p_py.wording import counted

MAX_BYTES = 1 << 28
"""Of a rule file; the large public sets have 40 MB."""

MAX_ERRORS = 1000
"""A file with more is no rule file; reading stops there."""


@dataclass(frozen=True, slots=True)
class Groups:
    """What `$NAMES` stand for."""

    addresses: Mapping[str, Term] = field(default_factory=dict)
    ports: Mapping[str, Term] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ends:
    """Numbers that a rule's header accepts; None is any."""

    src: Ranges | None
    sport: Ranges | None
    dst: Ranges | None
    dport: Ranges | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A rule, and what the rest of the configuration makes of it.

    once : evaluated at the first packet of each direction of a flow only
    """

    rule: Rule
    ends: Ends
    priority: int
    once: bool = False


@dataclass(frozen=True, slots=True)
class RuleSet:
    """rules in file order; skipped : rules left out, by what is not supported in them"""

    rules: tuple[Loaded, ...]
    warnings: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    skipped_rules: int = 0

    @property
    def left_out(self) -> str:
        """How many rules are left out, and for what."""
        what = ", ".join(f"{escape(name)} ({count})" for name, count in sorted(self.skipped.items()))
        return f"{counted(self.skipped_rules, 'rule')} left out, since not supported: {what}"


def load_rules(
    paths: Sequence[str], groups: Groups | None = None, *, lenient: bool = False, allow_kill: bool = False
) -> RuleSet:
    """Raises RuleFileError."""
    texts: list[tuple[str, bytes]] = []
    errors: list[RuleError] = []
    for path in paths:
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs start-up time
                data = file.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                errors.append(RuleError(path, "", f"a rule file has at most {MAX_BYTES:,} bytes"))
            else:
                texts.append((path, data))
        except OSError as error:
            errors.append(RuleError(path, "", os.strerror(error.errno or 0)))
    if errors:
        raise RuleFileError(errors)
    return parse_rules(texts, groups, lenient=lenient, allow_kill=allow_kill)


def parse_rules(
    texts: Sequence[tuple[str, bytes]],
    groups: Groups | None = None,
    *,
    lenient: bool = False,
    allow_kill: bool = False,
) -> RuleSet:
    """texts : (name, content) of files.  Raises RuleFileError."""
    loader = _Loader(groups or Groups(), lenient, allow_kill)
    for name, data in texts:
        loader.read(name, data)
    return loader.finish()


class _Loader:
    def __init__(self, groups: Groups, lenient: bool, allow_kill: bool) -> None:
        self._groups, self._lenient, self._allow_kill = groups, lenient, allow_kill
        self._errors: list[RuleError] = []
        self._warnings: list[str] = []
        self._skipped: dict[str, int] = {}
        self._skipped_rules = 0
        self._rules: dict[tuple[int, int], Loaded] = {}

    def read(self, name: str, data: bytes) -> None:
        for text in rule_texts(data, name, self._errors):
            errors: list[RuleError] = []
            rule = parse_rule(text, errors, allow_kill=self._allow_kill)
            unsupported = {error.unsupported for error in errors if error.unsupported}
            if unsupported and self._lenient:
                self._skipped_rules += 1
                for what in unsupported:
                    self._skipped[what] = self._skipped.get(what, 0) + 1
                continue
            self._errors += errors
            if rule is not None:
                self._add(rule)
            if len(self._errors) >= MAX_ERRORS:
                self._errors.append(RuleError(name, "", f"more than {MAX_ERRORS} faults; reading stops here"))
                return

    def _add(self, rule: Rule) -> None:
        key = rule.gid, rule.sid
        before = self._rules.get(key)
        if before is not None:
            if rule.rev == before.rule.rev:
                self._fault(rule, "sid", f"{rule.name} stands in {_where(before.rule)} already")
                return
            newer, older = (rule, before.rule) if rule.rev > before.rule.rev else (before.rule, rule)
            by = f"rev {newer.rev} in {_where(newer)}"
            self._warnings.append(f"{_where(older)}: {older.name} gives way to {by}")
            if newer is before.rule:
                return
        if rule.classtype and rule.classtype not in CLASSIFICATIONS:
            self._warnings.append(str(_told(rule, "classtype", f"'{rule.classtype}' is not known")))
        header, groups = rule.header, self._groups.addresses
        once = rule.of_header and not any(negates(term, groups) for term in (header.src, header.dst))
        self._rules[key] = Loaded(rule, self._ends(rule), _priority(rule), once)

    def _ends(self, rule: Rule) -> Ends:
        header = rule.header
        return Ends(
            *(
                self._ranges(rule, term, space, what)
                for term, space, what in zip(
                    (header.src, header.sport, header.dst, header.dport),
                    (ADDRESSES, PORTS) * 2,
                    HEADER_TERMS,
                    strict=True,
                )
            )
        )

    def _ranges(self, rule: Rule, term: Term, space: Space, what: str) -> Ranges | None:
        if term == ANY:
            return None
        groups = self._groups.addresses if space is ADDRESSES else self._groups.ports
        try:
            ranges = resolve(term, space, groups)
        except UndefinedError as error:
            self._fault(rule, what, str(error))
            return None
        if not ranges:
            self._fault(rule, what, f"{term} is nothing at all")
        return None if ranges.pairs == ((0, space.most),) else ranges

    def _fault(self, rule: Rule, part: str, message: str) -> None:
        self._errors.append(_told(rule, part, message))

    def finish(self) -> RuleSet:
        if self._errors:
            raise RuleFileError(self._errors)
        return RuleSet(tuple(self._rules.values()), tuple(self._warnings), self._skipped, self._skipped_rules)


def _priority(rule: Rule) -> int:
    if rule.priority is not None:
        return rule.priority
    known = CLASSIFICATIONS.get(rule.classtype)
    return known.priority if known else DEFAULT_PRIORITY


def _told(rule: Rule, part: str, message: str) -> RuleError:
    """part : of rule.places"""
    assert rule.text is not None
    place = rule.places[part]
    return rule.text.error(place.at, len(place.text), f"{part}: {message}")


def _where(rule: Rule) -> str:
    return "" if rule.text is None else f"{rule.text.source}:{rule.text.number}"
