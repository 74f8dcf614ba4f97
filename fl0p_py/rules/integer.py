"""`flowint`, `globalint` and `hostint`: whole numbers kept for a flow, for all flows, for hosts.

    flowint:   name, op, value          flowint:   name, isset | notset
    globalint: name, op, value [, expire seconds]
    hostint:   by_src | by_dst | by_pair, name, op, value [, expire seconds]

    op = "<" | ">" | "<=" | ">=" | "==" | "!=" | "+" | "-" | "="

A value is 0 to 4294967295, of at most ten digits, or the name of another variable of the same scope.
What each operation does with variables that are not set: docs/rules.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from fl0p_py.rules.value import Value, spell

MOST = 0xFFFFFFFF
LONGEST_EXPIRE_S = 10**9

COMPARES = ("<", ">", "<=", ">=", "==", "!=")
CHANGES = ("=", "+", "-")
TESTS = ("isset", "notset")
TRACKS = ("by_src", "by_dst", "by_pair")

_NAME = re.compile(r"[A-Za-z][\w./]{1,255}", re.ASCII)
_OPERAND = re.compile(r"[A-Za-z]\w{1,255}", re.ASCII)
_SPELLINGS = {"isnotset": "notset"}
_NAME_WORDS = "name: a letter, then at least one letter, digit, _ . or /"
_OPERAND_WORDS = "number or name of a variable (a letter, then at least one letter, digit or _)"


class Scope(StrEnum):
    """Whose variables; the values are the keywords."""

    FLOW = "flowint"
    GLOBAL = "globalint"
    HOST = "hostint"


@dataclass(frozen=True, slots=True)
class Integer:
    """One operation.

    track    : one of TRACKS, for Scope.HOST; else ""
    operand  : a number, the name of a variable, or None for isset and notset
    expire_s : seconds after which a variable that this operation creates or assigns is unset again; 0 never
    """

    scope: Scope
    name: str
    op: str
    operand: int | str | None = None
    track: str = ""
    expire_s: int = 0
    at: int = field(default=0, compare=False)

    @property
    def keyword(self) -> str:
        return self.scope.value

    @property
    def writes(self) -> bool:
        return self.op in CHANGES

    def __str__(self) -> str:
        parts = [self.track, self.name, self.op, "" if self.operand is None else str(self.operand)]
        parts.append(f"expire {self.expire_s}" if self.expire_s else "")
        return f"{self.keyword}:" + ",".join(part for part in parts if part)


def parse_integer(scope: Scope, value: Value, at: int) -> Integer:
    parts = value.split(",")
    track = ""
    if scope is Scope.HOST:
        track = parts.pop(0).choice(TRACKS)
    expire_s = 0
    if scope is not Scope.FLOW and parts and re.match(r"expire\b", parts[-1].text):
        expire_s = parts.pop().rest(len("expire")).number(1, LONGEST_EXPIRE_S, "seconds")
    if not 2 <= len(parts) <= 3:
        value.fail(f"expected {track and 'by_..., '}name, operation{', value' * (len(parts) < 4)}")
    name = parts[0].name(_NAME, _NAME_WORDS)
    op = _SPELLINGS.get(parts[1].text, parts[1].text)
    if op not in COMPARES + CHANGES + TESTS:
        words = " ".join(COMPARES + CHANGES + TESTS)
        parts[1].fail(f"{spell(parts[1].text)} is no operation, expected one of {words}")
    if expire_s and op not in ("=", "+"):
        value.fail(f"expire goes with = and +, which create variables, not with {op}")
    operand: int | str | None = None
    if len(parts) == 3:
        operand = _operand(parts[2])
    elif op not in TESTS:
        value.fail(f"{op} needs a value")
    return Integer(scope, name, op, None if op in TESTS else operand, track, expire_s, at)


def _operand(value: Value) -> int | str:
    if value.text[:1].isdigit():
        if len(value.text) > 10:
            value.fail(f"{spell(value.text)} has more than ten digits")
        return value.number(0, MOST, "a value")
    return value.name(_OPERAND, _OPERAND_WORDS)
