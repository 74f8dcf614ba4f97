"""The text of a pattern becomes its syntax tree.

    pattern = proto WS ports ["="] ["<"] seq [">"]
    proto   = "tcp" | "udp" | "icmp"
    ports   = "*" | prange { "," prange }                 no blanks inside; icmp has "*"
    seq     = item { WS item }
    item    = atom [ "{" n [ "," [ m ] ] "}" ] | "+" | "+?"
    atom    = ("c"|"s"|"C"|"S") size | "(" seq { "|" seq } ")" | "(" seq "&" seq ")"
    size    = n | n "-" m | n "-" | "-" n | "*"

Blanks (space, tab) are optional around `= < > ( ) | &`.  Valid: `tcp 22 < c41 s41 + c148`,
`udp 53,5353 c20-60 s*`, `tcp *=<( c1560 & s1136 )s8{2,}>`.  Invalid: `tcp 22 c5s6` (no blank),
`tcp * c9-5` (reversed), `tcp * + + c1` (two pauses), `tcp * ( c1 ){0,}` (can match nothing).

Guarantees: a `PatternError` is the only exception; depth, length after expansion of repeats and work
are bounded; what comes back can match something.  `c0` and `s0`, the bare packets of the 2006 format,
are left out with a warning.
"""

from __future__ import annotations

import re
from typing import NoReturn

from fl0p_py.errors import PatternError, Place
from fl0p_py.signature import viability
from fl0p_py.signature.extent import expanded, has_segment, shortest
from fl0p_py.signature.pattern import (
    MAX_REPEAT,
    MAX_SIZE,
    PROTOCOLS,
    UNORDERED_ITEMS,
    Atom,
    Choice,
    Gap,
    Item,
    Pattern,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Size,
    Unordered,
)

MAX_DEPTH = 32
"""Groups inside groups: deeper ones are a mistake, and the stages behind walk the tree recursively."""

MAX_ITEMS = 4096
"""Tokens and bursts after writing counted repeats out: bounds the work of every stage behind."""

BLANKS = " \t"
_WORD = re.compile(r"[^ \t()|&<>=:{}]+")
_SEGMENT = re.compile(r"([csCS])(?:(\*)|([0-9]+)|([0-9]+)-([0-9]*)|-([0-9]+))")
_REPEAT = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_PORT_RANGE = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_TOKEN = "a token such as c40, a burst such as S1-2920, '+' or '('"
_ADDRESSES = re.compile(r"[ \t]*(?!(?:tcp|udp|icmp)[ \t])[^ \t].*? -> .*? (?=(?:tcp|udp|icmp) )")

ADDRESSES = "found the addresses of an output line, expected what follows them"
"""What is said of a line of `fl0p -l -U` pasted whole."""


def parse_pattern(text: str, line: int = 1, warnings: list[PatternError] | None = None) -> Pattern:
    """The tree of `text`, which ends where the pattern ends (no `:`).

    line : for the places in the tree; warnings : gets what is odd but loads
    """
    return _Parser(text, line, [] if warnings is None else warnings).pattern()


def parse_segment(word: str) -> Segment | None:
    """A word such as `c40` without place; None if it is not exactly one valid segment."""
    try:
        segment = _Parser(word, 1, []).segment(word, 0)
    except PatternError:
        return None
    return Segment(segment.direction, segment.size, segment.burst)


def parse_ports(word: str) -> tuple[tuple[int, int], ...]:
    """The server's ports of a tcp or udp pattern, sorted and joined; raises PatternError."""
    return _Parser(word, 1, []).ports(word, 0, "tcp")


def address_prefix(line: str) -> int:
    """Characters before the protocol in a whole line of output; 0 if it is none."""
    match = _ADDRESSES.match(line)
    return match.end() if match else 0


class _Parser:
    """One pass over one pattern; `at` is the place of the next character."""

    def __init__(self, text: str, line: int, warnings: list[PatternError]) -> None:
        self.text, self.line, self.warnings = text, line, warnings
        self.at = 0

    # -- small things -----------------------------------------------------------------------------

    def fail(self, at: int, length: int, message: str) -> NoReturn:
        raise PatternError(at, length, message)

    def fail_at(self, place: Place | None, message: str) -> NoReturn:
        at, length = (place.column - 1, place.length) if place else (0, len(self.text))
        self.fail(at, length, message)

    def place(self, at: int, length: int) -> Place:
        return Place(self.line, at + 1, length)

    def skip(self) -> bool:
        """Go past blanks; whether there were any."""
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in BLANKS:
            self.at += 1
        return self.at > start

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def word(self) -> str:
        """The word here (not consumed); empty at a sign or at the end."""
        match = _WORD.match(self.text, self.at)
        return match.group() if match else ""

    def found(self) -> str:
        """What stands here, for a message."""
        if self.at >= len(self.text):
            return "the pattern ends here"
        return f"found {spell(self.word() or self.peek())}"

    def number(self, digits: str, most: int, at: int, what: str) -> int:
        """The value of `digits`, refused above `most`; never makes a huge integer."""
        digits = digits.lstrip("0") or "0"
        if len(digits) > len(str(most)) or int(digits) > most:
            self.fail(at, len(digits), f"{spell(digits)} is too large, {what} is at most {most}")
        return int(digits)

    # -- the grammar ------------------------------------------------------------------------------

    def pattern(self) -> Pattern:
        self.skip()
        proto = self.protocol()
        blank = self.skip()
        word = self.word()
        if not blank or not word:
            self.fail(self.at, len(word), f"{self.found()}, expected a blank and then a port or '*'")
        ports = self.ports(word, self.at, proto)
        self.at += len(word)
        blank = self.skip()
        exact = self.sign("=")
        start = self.sign("<")
        if not (blank or exact or start) and self.peek() not in ("(", ""):
            self.fail(self.at, 1, f"{self.found()}, expected a blank after the ports")
        first = self.at
        sequence = self.sequence(0, start)
        end = self.sign(">")
        if self.at < len(self.text):
            self.trailing(end)
        if not has_segment(sequence):
            self.fail(first, 1, f"no size in the sequence, expected {_TOKEN}")
        pattern = Pattern(proto, ports, exact, start, sequence, end)
        self.check(pattern, first)
        return pattern

    def protocol(self) -> str:
        word = self.word()
        if word in PROTOCOLS:
            self.at += len(word)
            return word
        prefix = address_prefix(self.text)
        if prefix:
            self.fail(0, prefix, ADDRESSES)
        hint = " in lower case" if word.lower() in PROTOCOLS else ""
        return self.fail(self.at, len(word), f"{self.found()}, expected tcp, udp or icmp{hint}")

    def ports(self, word: str, at: int, proto: str) -> tuple[tuple[int, int], ...]:
        if word == "*":
            return ()
        if proto == "icmp":
            self.fail(at, len(word), f"found {spell(word)}, icmp has no ports: expected '*'")
        ranges = []
        for part in word.split(","):
            match = _PORT_RANGE.fullmatch(part)
            if not match:
                self.fail(at, len(part), f"{spell(part)} is no port, expected '*', 22, 80,443 or 6000-6063")
            low = self.number(match[1], 65535, at, "a port")
            high = low if match[2] is None else self.number(match[2], 65535, at, "a port")
            if high < low:
                self.fail(at, len(part), f"{spell(part)} is reversed, expected {high}-{low}")
            ranges.append((low, high))
            at += len(part) + 1
        return _joined(ranges)

    def sign(self, char: str) -> bool:
        """Whether `char` stands here; goes past it and the blanks behind."""
        if self.peek() != char:
            return False
        self.at += 1
        self.skip()
        return True

    def trailing(self, end: bool) -> NoReturn:
        """Something stands behind the sequence that is no part of one."""
        char = self.peek()
        messages = {
            ")": "')' closes nothing",
            "|": "'|' stands only between ( and )",
            "&": "'&' stands only between ( and )",
            "<": "'<' stands once, before the first item",
            "=": "'=' stands once, after the ports and before '<'",
        }
        message = f"{self.found()}, expected nothing after '>'" if end else messages[char]
        self.fail(self.at, len(self.word()), message)

    def sequence(self, depth: int, start: bool = False) -> Sequence:
        """Items up to a sign that does not belong to one; `start`: a `<` stands before them."""
        items: list[Item | None] = []  # None: a bare packet of the old format
        joined = True  # a blank or a sign stands before the next item
        while True:
            joined = self.skip() or joined
            at = self.at
            if self.peek() in ("", ")", "|", "&", "<", ">", "="):
                break
            if not joined and self.peek() not in "({}":
                self.fail(at, 1, f"{self.found()}, expected a blank before it")
            item = self.item(depth)
            if isinstance(item, Pause) and items and isinstance(items[-1], Pause):
                self.fail(at, self.at - at, "two pauses in a row, expected one: '+' or '+?'")
            items.append(item)
            joined = self.text[self.at - 1] == ")"
        return Sequence(tuple(_without_bare(items, start)))

    def item(self, depth: int) -> Item | None:
        at = self.at
        atom: Atom
        if self.peek() == "(":
            atom = self.group(depth + 1)
        else:
            word = self.word()
            if word in ("+", "+?"):
                self.at += len(word)
                if self.peek() == "{":
                    self.fail(self.at, 1, "a pause takes no repeat")
                return Pause(Gap(word), self.place(at, len(word)))
            if not word:
                self.braces()
            if word in ("c0", "s0"):
                self.bare(word, depth)
                return None
            atom = self.segment(word, at)
            self.at += len(word)
        return self.repeat(atom, at)

    def bare(self, word: str, depth: int) -> None:
        """`c0`, `s0`: a packet without payload; our sequences have none."""
        if depth:
            self.fail(self.at, 2, f"{spell(word)} (a packet without payload) cannot stand inside ( )")
        message = f"{spell(word)} is left out: packets without payload are not in sequences"
        self.warnings.append(PatternError(self.at, 2, message))
        self.at += 2
        if self.peek() == "{":
            self.fail(self.at, 1, f"{spell(word)} (a packet without payload) takes no repeat")

    def braces(self) -> NoReturn:
        if self.peek() == "{":
            self.fail(self.at, 1, "found '{', expected it directly behind the item that it repeats")
        self.fail(self.at, 1, f"{self.found()}, expected {_TOKEN}")

    def segment(self, word: str, at: int) -> Segment:
        match = _SEGMENT.fullmatch(word)
        if not match:
            if word.startswith("+") or "+" in word:
                self.fail(at, len(word), f"found {spell(word)}, expected blanks around '+' and '+?'")
            sizes = "a size such as 40, 40-60, 40- or *"
            self.fail(at, len(word), f"{spell(word)} is not a token, expected c, s, C or S and {sizes}")
        kind, everything, one, low, high, most = match.groups()
        what = "a size"
        if everything:
            size = Size(1, MAX_SIZE, False)
        elif one:
            value = self.number(one, MAX_SIZE, at + 1, what)
            size = Size(value, value, True)
        else:
            lowest = self.number(low, MAX_SIZE, at + 1, what) if low else 1
            top = most or high
            highest = self.number(top, MAX_SIZE, at + len(word) - len(top), what) if top else MAX_SIZE
            if highest < lowest and highest > 0:
                self.fail(at, len(word), f"{spell(word)} is reversed, expected {kind}{highest}-{lowest}")
            size = Size(lowest, highest, False)
        if size.low == 0 or size.high == 0:
            self.fail(at, len(word), f"{spell(word)} takes in 0, expected sizes from 1 on")
        return Segment(kind.lower(), size, kind in "CS", self.place(at, len(word)))

    def repeat(self, atom: Atom, at: int) -> Item:
        if self.peek() != "{":
            return atom
        match = _REPEAT.match(self.text, self.at)
        if not match:
            self.fail(self.at, 1, "this is no repeat, expected {n}, {n,} or {n,m} without blanks")
        low = self.number(match[1], MAX_REPEAT, match.start(1), "a repeat")
        high: int | None = low
        if match[2]:
            high = self.number(match[3], MAX_REPEAT, match.start(3), "a repeat") if match[3] else None
        if high is not None and high < low:
            self.fail(self.at, len(match[0]), f"{match[0]} is reversed, expected {{{high},{low}}}")
        if high == 0:
            self.fail(self.at, len(match[0]), f"{match[0]} repeats nothing, expected at least 1")
        self.at = match.end()
        return atom if low == high == 1 else Repeat(atom, low, high, self.place(at, self.at - at))

    def group(self, depth: int) -> Choice | Unordered:
        opened = self.at
        if depth > MAX_DEPTH:
            self.fail(opened, 1, f"more than {MAX_DEPTH} groups inside each other")
        self.at += 1
        parts: list[Sequence] = []
        sign = ""
        while True:
            self.skip()
            at = self.at
            part = self.sequence(depth)
            if not has_segment(part):
                self.unfilled(opened, at)
            parts.append(part)
            char = self.peek()
            if char == ")":
                break
            if char not in ("|", "&"):
                self.fail_in_group(opened)
            if sign not in ("", char):
                self.fail(self.at, 1, "'|' and '&' in one group, expected more parentheses")
            if char == sign == "&":
                self.fail(self.at, 1, "a third side, expected two: ( a & b )")
            sign = char
            self.at += 1
        self.at += 1
        place = self.place(opened, self.at - opened)
        if sign == "&":
            return self.unordered(parts[0], parts[1], place)
        return Choice(tuple(parts), place)

    def unfilled(self, opened: int, at: int) -> NoReturn:
        """A part of a group without any token."""
        if self.at >= len(self.text):
            self.fail(opened, 1, "this '(' is not closed")
        if self.peek() in ("<", ">", "="):
            self.fail_in_group(opened)
        self.fail(at, self.at - at, f"a part of the group without size, expected {_TOKEN}")

    def fail_in_group(self, opened: int) -> NoReturn:
        if self.at >= len(self.text):
            self.fail(opened, 1, "this '(' is not closed")
        self.fail(self.at, 1, f"{self.found()}, which stands only outside of ( )")

    def unordered(self, left: Sequence, right: Sequence, place: Place) -> Unordered:
        if self.side(left) == self.side(right):
            message = "both sides of '&' have one direction, expected c on one and s on the other"
            self.fail_at(place, message)
        return Unordered(left, right, place)

    def side(self, side: Sequence) -> str:
        """The direction of a side of `&`, which is checked."""
        segments = []
        for item in side.items:
            if isinstance(item, Segment):
                segments.append(item)
            elif not isinstance(item, Pause):
                self.fail_at(item.place, "expected tokens and bursts alone on a side of '&'")
        last = side.items[-1]
        if isinstance(last, Pause):
            self.fail_at(last.place, "a pause at the end of a side of '&', expected it behind the ')'")
        for segment in segments:
            if segment.direction != segments[0].direction:
                self.fail_at(segment.place, "another direction, expected one for each side of '&'")
        if len(segments) > UNORDERED_ITEMS:
            self.fail_at(
                segments[UNORDERED_ITEMS].place, f"more than {UNORDERED_ITEMS} items on a side of '&'"
            )
        return segments[0].direction

    # -- what the grammar does not say ------------------------------------------------------------

    def check(self, pattern: Pattern, first: int) -> None:
        count = expanded(pattern.sequence)
        if count > MAX_ITEMS:
            message = f"{count:,} items with the repeats written out, expected at most {MAX_ITEMS:,}"
            self.fail(first, 1, message)
        if shortest(pattern.sequence) == 0:
            message = "this can match nothing at all, expected at least one size without {0,}"
            self.fail(first, self.at - first, message)
        dead = viability.dead(pattern)
        if dead:
            self.fail_at(dead.place, dead.reason)


def spell(text: str) -> str:
    """Text in quotes for a message; what cannot be seen is named, what is long is cut."""
    if len(text) == 1 and not (text.isascii() and text.isprintable()):
        return f"U+{ord(text):04X}"
    if len(text) > 40:
        text = text[:39] + "…"
    return "'" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text) + "'"


def _joined(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Port ranges sorted, those that overlap or touch made one."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return () if joined == [(0, 65535)] else tuple(joined)


def _without_bare(items: list[Item | None], start: bool) -> list[Item]:
    """Items without the bare packets; pauses that meet where one stood become one."""
    if None not in items:
        return [item for item in items if item is not None]
    kept: list[Item] = []
    for item in items:
        if isinstance(item, Pause) and kept and isinstance(kept[-1], Pause):
            kept[-1] = Pause(kept[-1].gap.and_(item.gap), kept[-1].place)
        elif item is not None and not (start and not kept and isinstance(item, Pause)):
            kept.append(item)
    return kept
