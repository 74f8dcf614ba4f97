"""Term: which addresses or ports a rule's header names, as written.

    term = [ "!" ] ( "any" | "$" NAME | "[" term { "," term } "]" | leaf )

A leaf is a range: of addresses (address.py) or of ports (port.py).  Valid: `[10.0.0.0/8,!10.1.0.0/16]`,
`!$HOME_NET`, `[80,8000:8100,!8080]`.  Invalid: `!any` (nothing), `[]`, `[80`, `[[!80]` (not closed).
A list means those that one of its plain terms names (all, if it has none) less those that a negated
one names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from fl0p_py.errors import PatternError
from fl0p_py.rules.ranges import Ranges
from fl0p_py.rules.value import BLANKS, Value, spell

MAX_DEPTH = 16
"""Lists in lists, and variables in variables."""

_NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_LEAF = re.compile(r"[^\[\],! \t]+")


@dataclass(frozen=True, slots=True)
class Variable:
    """`$HOME_NET`."""

    name: str

    def __str__(self) -> str:
        return f"${self.name}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One range, both ends included; text : as it is printed"""

    low: int
    high: int
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Term:
    """item : None for `any`"""

    item: Leaf | Variable | tuple[Term, ...] | None
    negated: bool = False

    def __str__(self) -> str:
        if isinstance(self.item, tuple):
            text = "[" + ",".join(map(str, self.item)) + "]"
        else:
            text = "any" if self.item is None else str(self.item)
        return "!" + text if self.negated else text


ANY = Term(None)
ReadLeaf = Callable[[Value], Leaf]


@dataclass(frozen=True, slots=True)
class Space:
    """What terms of one kind are made of.

    read  : reads a leaf; most : the highest number of the kind, the lowest is 0
    what  : its name, for messages
    """

    read: ReadLeaf
    most: int
    what: str


def parse_term(value: Value, space: Space) -> Term:
    """The whole of `value` as a term; raises PatternError."""
    reader = _Reader(value, space)
    term = reader.term(0)
    if reader.at < len(value.text):
        value.rest(reader.at).fail(f"{spell(value.text[reader.at :])} after the end of the {space.what}s")
    return term


class _Reader:
    """at : the next character of the value's text"""

    def __init__(self, value: Value, space: Space) -> None:
        self._value, self._space, self.at = value, space, 0

    def term(self, depth: int) -> Term:
        self._skip()
        text, start = self._value.text, self.at
        negated = text.startswith("!", start)
        if negated:
            self.at += 1
            self._skip()
        if text.startswith("[", self.at):
            if depth == MAX_DEPTH:
                self._fail(f"more than {MAX_DEPTH} lists inside each other")
            return Term(self._list(depth), negated)
        leaf = _LEAF.match(text, self.at)
        if leaf is None:
            self._fail(f"expected {self._space.what}, $NAME, any or a list in brackets")
        word = Value(leaf.group(), self._value.at + self.at)
        self.at = leaf.end()
        if word.text == "any":
            if negated:
                Value(text[start : self.at], self._value.at + start).fail("!any is nothing at all")
            return ANY
        variable = _NAME.fullmatch(word.text)
        return Term(Variable(variable[1]) if variable else self._space.read(word), negated)

    def _list(self, depth: int) -> tuple[Term, ...]:
        self.at += 1
        terms = [self.term(depth + 1)]
        self._skip()
        text = self._value.text
        while text.startswith(",", self.at):
            self.at += 1
            terms.append(self.term(depth + 1))
            self._skip()
        if not text.startswith("]", self.at):
            self._fail("expected , or ] in a list")
        self.at += 1
        return tuple(terms)

    def _skip(self) -> None:
        while self.at < len(self._value.text) and self._value.text[self.at] in BLANKS:
            self.at += 1

    def _fail(self, message: str) -> NoReturn:
        raise PatternError(self._value.at + self.at, 1, message)


class UndefinedError(Exception):
    """A `$NAME` that no group defines, or that is defined by itself; str() says which."""


def resolve(term: Term, space: Space, groups: Mapping[str, Term], depth: int = 0) -> Ranges:
    """The numbers that `term` names; raises UndefinedError."""
    if depth > 4 * MAX_DEPTH:
        raise UndefinedError(f"{term} is defined by itself")
    everything = Ranges([(0, space.most)])
    if term.item is None:
        found = everything
    elif isinstance(term.item, Leaf):
        found = Ranges([(term.item.low, term.item.high)])
    elif isinstance(term.item, Variable):
        if term.item.name not in groups:
            raise UndefinedError(f"{term.item} is not in the {space.what} groups of the configuration file")
        found = resolve(groups[term.item.name], space, groups, depth + 1)
    else:
        plain = [one for one in term.item if not one.negated]
        found = everything if not plain else Ranges([])
        for one in plain:
            found = found.union(resolve(one, space, groups, depth + 1))
        for one in term.item:
            if one.negated:
                found = found.minus(resolve(Term(one.item), space, groups, depth + 1))
    return everything.minus(found) if term.negated else found


def negates(term: Term, groups: Mapping[str, Term]) -> bool:
    """Whether there is a `!` in what `term` names; groups : without circles"""
    if term.negated:
        return True
    if isinstance(term.item, Variable):
        return term.item.name in groups and negates(groups[term.item.name], groups)
    return isinstance(term.item, tuple) and any(negates(one, groups) for one in term.item)
