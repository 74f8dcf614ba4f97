"""Fields of one packet: `dsize`, `itype`, `icode`, `icmp_id`, `ttl`, `flags`.

    dsize, itype, icode, ttl: [=] N | !N | <N | <=N | >N | >=N | N<>M        icmp_id: N
    flags: [+ | * | !] letters of FSRPAUEC, or 0 [, letters to ignore]

A range, which may be written N-M too, leaves out both its ends, as in Suricata; `!=` is `!`; `dsize:!N` is
true of packets with payload only.  Of flags, `+` means all of these and any other, `*` any of these, `!` not
all of these; without a sign it is exactly these.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fl0p_py.rules.value import Value, spell

KEYWORDS = {
    "dsize": (65535, "bytes"),
    "itype": (255, "a type"),
    "icode": (255, "a code"),
    "icmp_id": (65535, "an identifier"),
    "ttl": (255, "hops"),
}
"""The largest number of each, and what it counts."""

_COMPARES: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "!": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER = re.compile(r"(!=|<=|>=|[=!<>])?(.*)", re.DOTALL)
_RANGE = re.compile(r"(.+?)(<>|-)(.*)", re.DOTALL)

FLAG_LETTERS = "FSRPAUEC"
_OTHER_LETTERS = {"1": "C", "2": "E"}
_FLAGS = re.compile(r"([+*!]?)([FSRPAUEC12]+|0)([+*!]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    """op : "=", "!", "<", "<=", ">", ">=" or "<>"; high : for "<>" """

    keyword: str
    op: str
    low: int
    high: int = 0
    at: int = field(default=0, compare=False)

    def accepts(self, number: Any) -> Any:
        """Whether a number, or which of a column of them."""
        if self.op == "<>":
            return (number > self.low) & (number < self.high)
        if self.op == "!" and self.keyword == "dsize":
            return (number != self.low) & (number > 0)
        return _COMPARES[self.op](number, self.low)

    def __str__(self) -> str:
        if self.op == "<>":
            return f"{self.keyword}:{self.low}<>{self.high}"
        return f"{self.keyword}:{'' if self.op == '=' else self.op}{self.low}"


@dataclass(frozen=True, slots=True)
class Flags:
    """sign : "", "+", "*" or "!"; flags, ignored : bits of the TCP header's flags"""

    sign: str
    flags: int
    ignored: int = 0
    at: int = field(default=0, compare=False)

    keyword = "flags"

    def accepts(self, flags: int) -> bool:
        if not self.flags:
            return (flags & ~self.ignored == 0) is (self.sign != "!")
        flags &= ~self.ignored
        if self.sign == "*":
            return flags & self.flags != 0
        if self.sign:
            return (flags & self.flags == self.flags) is (self.sign == "+")
        return flags == self.flags

    def __str__(self) -> str:
        ignored = f",{_letters(self.ignored)}" if self.ignored else ""
        return f"flags:{self.sign}{_letters(self.flags)}{ignored}"


def _letters(bits: int) -> str:
    return "".join(letter for i, letter in enumerate(FLAG_LETTERS) if bits >> i & 1) or "0"


def _bits(letters: str) -> int:
    bits = 0
    for letter in letters.upper():
        if letter != "0":
            bits |= 1 << FLAG_LETTERS.index(_OTHER_LETTERS.get(letter, letter))
    return bits


def parse_number(keyword: str, value: Value, at: int) -> Number:
    most, what = KEYWORDS[keyword]
    if keyword == "icmp_id":
        bare = value.quoted() if value.text.startswith('"') else value
        return Number(keyword, "=", bare.number(0, most, what), 0, at)
    ends = _RANGE.fullmatch(value.text)
    if ends is not None:
        low = Value.trimmed(ends[1], value.at).number(0, most, what)
        high = value.rest(ends.start(3)).number(0, most, what)
        if high < low + 2:
            value.fail("nothing is between these; a range leaves out both its ends")
        return Number(keyword, "<>", low, high, at)
    match = _NUMBER.fullmatch(value.text)
    assert match is not None
    op = "!" if match[1] == "!=" else match[1] or "="
    return Number(keyword, op, value.rest(match.start(2)).number(0, most, what), 0, at)


def parse_flags(value: Value, at: int) -> Flags:
    wanted, *ignored = value.split(",")
    match = _FLAGS.fullmatch(wanted.text)
    if match is None or (match[1] and match[3]):
        wanted.fail(f"{spell(wanted.text)} is no set of flags: letters of {FLAG_LETTERS}, or 0")
    if len(ignored) > 1:
        value.fail("expected flags, and those to ignore after one comma")
    mask = 0
    if ignored:
        other = _FLAGS.fullmatch(ignored[0].text)
        if other is None or other[1] or other[3]:
            ignored[0].fail(f"{spell(ignored[0].text)} is no set of flags: letters of {FLAG_LETTERS}")
        mask = _bits(other[2])
    return Flags(match[1] or match[3], _bits(match[2]), mask, at)
