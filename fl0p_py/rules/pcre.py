"""`pcre:[!]"/expression/modifiers"`: a regular expression over the payload.

Modifiers: `i` any case, `s` the dot takes line ends too, `m` `^` and `$` at line ends too, `x` blanks and
comments, `R` from the end of the match before.  Those of Suricata that name parts of an application
protocol are refused by name.  Expressions run in the regex library with a bound on time.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from fl0p_py.rules.unrolled import unrolled
from fl0p_py.rules.unsupported import UnsupportedError
from fl0p_py.rules.value import Value, spell

MODIFIERS = "ismxR"
LONGEST = 4096
"""Characters of an expression."""

MOST_PIECES = 1 << 16
"""Of an expression with its repeats written out, as PCRE has it: the library takes 270 bytes for each."""


@dataclass(frozen=True, slots=True)
class Pcre:
    """expression : between the slashes, as written; modifiers : in the order of MODIFIERS"""

    expression: str
    modifiers: str = ""
    negated: bool = False
    at: int = field(default=0, compare=False)

    keyword = "pcre"

    @property
    def relative(self) -> bool:
        return "R" in self.modifiers

    def __str__(self) -> str:
        expression = self.expression.replace(";", "\\;")
        return f'pcre:{"!" if self.negated else ""}"/{expression}/{self.modifiers}"'


@lru_cache(4096)
def compiled(expression: str, modifiers: str) -> Any:
    """The expression for bytes; raises regex.error."""
    import regex  # only where rules have expressions

    flags = regex.VERSION0
    for letter, flag in (("i", regex.I), ("s", regex.S), ("m", regex.M), ("x", regex.X)):
        if letter in modifiers:
            flags |= flag
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what may mean something else in future versions of the library
        return regex.compile(expression.encode(errors="surrogatepass"), flags)


def parse_pcre(value: Value, at: int) -> Pcre:
    negated = value.text.startswith("!")
    quoted = (value.rest(1) if negated else value).quoted()
    end = quoted.text.rfind("/")
    if not quoted.text.startswith("/") or end < 1:
        quoted.fail('expected an expression between slashes: "/expression/"')
    expression, letters = quoted.text[1:end].replace("\\;", ";"), quoted.text[end + 1 :]
    if len(expression) > LONGEST:
        quoted.fail(f"{len(expression)} characters are too many, an expression has at most {LONGEST}")
    for letter in letters:
        if letter not in MODIFIERS:
            place = Value(letter, quoted.at + end + 1 + letters.index(letter))
            known = " ".join(MODIFIERS)
            raise UnsupportedError(place, f"modifier {spell(letter)} is not supported, only {known}")
    if unrolled(expression, MOST_PIECES) > MOST_PIECES:
        quoted.fail(f"its repeats are too many: written out it has more than {MOST_PIECES} pieces")
    modifiers = "".join(letter for letter in MODIFIERS if letter in letters)
    _try(quoted, expression, modifiers)
    return Pcre(expression, modifiers, negated, at)


def _try(quoted: Value, expression: str, modifiers: str) -> None:
    import regex

    try:
        compiled(expression, modifiers)
    except regex.error as error:
        quoted.fail(f"the expression does not compile: {error.msg}")
    except (RecursionError, OverflowError, ValueError, IndexError, KeyError, MemoryError) as error:
        quoted.fail(f"the expression does not compile: {type(error).__name__}")
