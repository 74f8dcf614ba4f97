"""Value: a piece of a rule's text that knows where it stands, so that every fault can point at it.

All readers of the rule language take Values and raise PatternError, whose column counts from the start
of the rule (its lines joined); the parser turns that into line and column of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from fl0p_py.errors import PatternError

BLANKS = " \t"
_SHOWN = 60
"""Characters of a piece of text that a message repeats."""


def spell(text: str) -> str:
    """`text` in quotes, shortened, for a message."""
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return "'" + "".join(c if c.isprintable() else "·" for c in text) + "'"


@dataclass(frozen=True, slots=True)
class Value:
    """text : without blanks around; at : characters before it in the rule"""

    text: str
    at: int

    @classmethod
    def trimmed(cls, text: str, at: int) -> Value:
        """`text`, which starts at `at`, without the blanks around it."""
        bare = text.lstrip(BLANKS)
        return cls(bare.rstrip(BLANKS), at + len(text) - len(bare))

    def fail(self, message: str) -> NoReturn:
        """Raise PatternError for all of this text."""
        raise PatternError(self.at, len(self.text), message)

    def split(self, separator: str, most: int = -1) -> list[Value]:
        """The parts between separators, trimmed."""
        parts, at = [], self.at
        for part in self.text.split(separator, most):
            parts.append(Value.trimmed(part, at))
            at += len(part) + len(separator)
        return parts

    def rest(self, start: int) -> Value:
        """What follows the first `start` characters, trimmed."""
        return Value.trimmed(self.text[start:], self.at + start)

    def number(self, low: int, high: int, what: str) -> int:
        """A decimal number in these bounds; never makes a huge integer."""
        negative = low < 0 and self.text.startswith("-")
        digits = self.text[1:] if negative else self.text
        if not (digits.isascii() and digits.isdigit()):
            self.fail(f"{spell(self.text)} is no number, expected {what} from {low} to {high}")
        digits = digits.lstrip("0") or "0"
        number = int(digits) if len(digits) <= len(str(max(-low, high))) else max(-low, high) + 1
        number = -number if negative else number
        if not low <= number <= high:
            self.fail(f"{spell(self.text)} is out of range, expected {what} from {low} to {high}")
        return number

    def name(self, shape: re.Pattern[str], what: str) -> str:
        """A name of this shape."""
        if not shape.fullmatch(self.text):
            self.fail(f"{spell(self.text)} is no {what}")
        return self.text

    def choice(self, words: tuple[str, ...]) -> str:
        """One of these words."""
        if self.text not in words:
            self.fail(f"{spell(self.text)} is none of {', '.join(words)}")
        return self.text

    def quoted(self) -> Value:
        """What stands between the quotes."""
        if len(self.text) < 2 or self.text[0] != '"' or self.text[-1] != '"':
            self.fail("expected text in quotes; a ; inside them is written \\;")
        return Value(self.text[1:-1], self.at + 1)
