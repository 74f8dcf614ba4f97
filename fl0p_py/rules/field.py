"""Fields of one packet: `dsize`, `itype`, `icode`, `icmp_id`, `ttl`, `flags`.

    dsize: [!]N | <N | >N | N<>M          itype, icode: the same without !
    ttl:   N | <N | >N | N-M              icmp_id: N
    flags: [+ | * | !] letters of FSRPAUEC, or 0 [, letters to ignore]

A range leaves out both its ends, as in Suricata.  Of flags, `+` means all of these and any other, `*` any
of these, `!` not all of these; without a sign it is exactly these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fl0p_py.rules.value import Value, spell

KEYWORDS = {
    "dsize": (65535, "<>", "bytes"),
    "itype": (255, "<>", "a type"),
    "icode": (255, "<>", "a code"),
    "icmp_id": (65535, "", "an identifier"),
    "ttl": (255, "-", "hops"),
}
"""The largest number of each, how it writes a range, and what it counts."""

FLAG_LETTERS = "FSRPAUEC"
_OTHER_LETTERS = {"1": "C", "2": "E"}
_FLAGS = re.compile(r"([+*!]?)([FSRPAUEC12]+|0)([+*!]?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    """op : "=", "!", "<", ">" or "<>"; high : for "<>" """

    keyword: str
    op: str
    low: int
    high: int = 0
    at: int = field(default=0, compare=False)

    def accepts(self, number: int) -> bool:
        if self.op == "<>":
            return self.low < number < self.high
        if self.op in "<>":
            return number < self.low if self.op == "<" else number > self.low
        return (number == self.low) is (self.op == "=")

    def __str__(self) -> str:
        if self.op == "<>":
            return f"{self.keyword}:{self.low}{KEYWORDS[self.keyword][1]}{self.high}"
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
    most, between, what = KEYWORDS[keyword]
    if keyword == "icmp_id" and value.text.startswith('"'):
        value = value.quoted()
    if between and between in value.text[1:]:
        low, high = value.split(between, 1)
        first, last = low.number(0, most, what), high.number(0, most, what)
        if last < first + 2:
            value.fail("nothing is between these; a range leaves out both its ends")
        return Number(keyword, "<>", first, last, at)
    sign = value.text[:1]
    if sign and ((sign in "<>" and between) or (sign == "!" and keyword == "dsize")):
        return Number(keyword, sign, value.rest(1).number(0, most, what), 0, at)
    return Number(keyword, "=", value.number(0, most, what), 0, at)


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
