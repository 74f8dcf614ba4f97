"""Arguments: a command line read by the table of a command's options.

Promises: every value is inside the range that its row of the table states; what does not fit raises
UsageError with one line.  Options parse as getopt(3) does it: short ones combine (`-tlU`), take their
argument attached or apart, and may stand before or after the other words.  Nothing here imports more
than the standard library's small modules, since `-h` must be quick.
"""

from __future__ import annotations

import getopt
from collections.abc import Mapping, Sequence
from typing import Any

from fl0p_py.cli.option import BARE, Option, Table
from fl0p_py.errors import UsageError

Given = dict[str, Any]
"""Checked values by the name of their field; only those that were given."""


def arguments(table: Table, argv: Sequence[str]) -> tuple[Given, list[str]]:
    """What stands on the command line (without the program's name): values, and the words between them.

    Words that follow an option that takes many are its own; so are those behind `--` if it is the last.
    """
    letters = "".join(o.short + (":" if o.metavar else "") for o in table if o.short)
    names = [o.long + ("=" if o.metavar else "") for o in table]
    by_spelling = {f"--{o.long}": o for o in table} | {f"-{o.short}": o for o in table if o.short}
    rest, behind = _split(argv)
    _complete(rest, table, letters, names)
    given: Given = {}
    words: list[str] = []
    while rest or behind:
        try:
            pairs, rest = getopt.getopt(rest, letters, names)
        except getopt.GetoptError as error:
            raise UsageError(error.msg) from None
        for spelling, text in pairs:
            _note(given, by_spelling[spelling], text, spelling)
        count = next((at for at, word in enumerate(rest) if word.startswith("-") and word != "-"), len(rest))
        following, rest = rest[:count], rest[count:]
        if not rest:
            following, behind = following + behind, []
        last = by_spelling[pairs[-1][0]] if pairs else None
        if last is not None and last.many:
            *before, latest = given[last.field]
            given[last.field] = (*before, (*latest, *following))
        else:
            words += following
    return given, words


def _split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before and behind the first `--`."""
    words = list(argv)
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _complete(words: list[str], table: Table, letters: str, names: list[str]) -> None:
    """Give options that stand without an argument the one that is implied, which getopt cannot."""
    implied = {f"--{o.long}": o.implied for o in table if o.implied}
    for at, word in enumerate(words):
        if word in implied and not _wants_more(words[:at], letters, names):
            words[at] = f"{word}={implied[word]}"


def _wants_more(words: Sequence[str], letters: str, names: list[str]) -> bool:
    """Whether the next word is the argument of the last."""
    while words:
        try:
            _, words = getopt.getopt(words, letters, names)
        except getopt.GetoptError as error:
            return "requires argument" in error.msg
        words = words[1:]
    return False


def _note(given: Given, option: Option, text: str, spelling: str) -> None:
    """Add an option to what was given."""
    value = checked(option, text, spelling) if option.metavar else True
    if option.many:
        value = (*given.get(option.field, ()), (value,))
    elif option.repeat:
        value = (*given.get(option.field, ()), value)
    elif option.once and option.field in given:
        raise UsageError(f"{spelling}: {option.once}")
    given[option.field] = value


def fields(table: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    """A value for every field of the table: what was given, else the default."""
    return {option.field: given.get(option.field, option.default) for option in table}


def checked(option: Option, text: str, place: str) -> Any:
    """An argument as its row of the table wants it; `place` begins the message if it does not fit."""
    if option.choices:
        if text not in option.choices:
            raise UsageError(f"{place}: '{text}' is none of {', '.join(option.choices)}")
        return text
    if option.unit:
        return _number(option, text, place)
    if not text:
        raise UsageError(f"{place}: its argument {option.metavar} is empty")
    return text


def _number(option: Option, text: str, place: str) -> float:
    kind = "a whole number" if option.whole else "a number"
    of = "" if option.unit == BARE else f" of {option.unit}"
    wanted = f"{kind}{of} from {option.low:.12g} to {option.high:.12g}"
    try:
        number = int(text) if option.whole else float(text)
    except ValueError:
        raise UsageError(f"{place}: '{text}' is not {wanted}") from None
    if not option.low <= number <= option.high:
        raise UsageError(f"{place}: {text} is not {wanted}")
    return number
