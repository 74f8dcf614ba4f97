r"""Pattern: what is looked for, on which side, and where it was written.

A pattern is bytes: text stands for its UTF-8, `\xNN` for any byte.  A pattern file has one on each line; a
line without a character is none, a line's end may be CR LF, and a byte order mark at the file's start counts
for nothing.  Faults of a file are reported together, each as `file:line:column: what`.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from fl0p_py.errors import Fl0pError, PatternError
from fl0p_py.grep.expression import Expression, read
from fl0p_py.grep.piece import MOST_PIECES
from fl0p_py.output.escape import escape

MOST_PATTERNS = 100_000
MOST_PIECES_IN_ALL = 50_000
"""Of a file: classes of bytes are written out only where there are few patterns."""

MOST_REPEATED_IN_ALL = 1 << 20
"""Bytes of patterns that RE2 does not have: 300 MB of memory, or twice as much."""

MOST_FAULTS = 20
"""Lines that a broken file is worth."""

LARGEST_FILE = 64 << 20
"""Bytes."""


class Side(IntEnum):
    """Whose bytes a pattern is looked for in; of what is no TCP, in all."""

    CLIENT = 0
    SERVER = 1
    ANY = 2


class GrepError(Fl0pError):
    """A pattern, or what goes with it, does not make sense."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class Pattern:
    """text : as it was written; place : where: "-a", or "file:line" """

    text: bytes
    side: Side
    place: str
    ignore_case: bool
    expression: Expression

    @property
    def shown(self) -> str:
        """For people and for JSON."""
        return escape(self.text.decode("utf-8", "backslashreplace"))


def from_argument(argument: str, side: Side, option: str, ignore_case: bool) -> Pattern:
    """Raises GrepError."""
    text = os.fsencode(argument)
    try:
        return Pattern(text, side, option, ignore_case, read(text, ignore_case))
    except PatternError as error:
        raise GrepError(f"{option}: '{escape(argument)}': {error}") from None


def from_file(path: str, side: Side, ignore_case: bool) -> list[Pattern]:
    """Every line of the file; raises GrepError."""
    patterns: list[Pattern] = []
    faults: list[str] = []
    lines = _lines(path)
    most = max(1, min(MOST_PIECES, MOST_PIECES_IN_ALL // len(lines)))
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        place = f"{path}:{number}"
        fault = _unreadable(line)
        if fault is None:
            try:
                patterns.append(Pattern(line, side, place, ignore_case, read(line, ignore_case, most)))
            except PatternError as error:
                fault = error
        if fault is not None:
            faults.append(f"{place}:{fault.column + 1}: {fault.message}")
        if len(faults) == MOST_FAULTS:
            faults.append(f"{path}: and maybe more")
            break
    if faults:
        raise GrepError("\n".join(faults))
    if not patterns:
        raise GrepError(f"{path}: there is no pattern in it")
    return patterns


def bounded(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    """All of them; raises GrepError if they are too many, or too large together."""
    found = tuple(patterns)
    if len(found) > MOST_PATTERNS:
        raise GrepError(f"{len(found)} patterns; {MOST_PATTERNS} are the most")
    expressions = [pattern.expression for pattern in found]
    size = sum(one.size for one in expressions if one.exact is None and one.literal is None)
    if size > MOST_REPEATED_IN_ALL:
        raise GrepError(
            f"patterns of {size} bytes, their repeats written out; {MOST_REPEATED_IN_ALL} are the most"
        )
    return found


def _lines(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib costs start-up time
            text = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise GrepError(f"{path}: {error.strerror}") from None
    if len(text) > LARGEST_FILE:
        raise GrepError(f"{path}: it is larger than {LARGEST_FILE >> 20} MiB")
    return [line.removesuffix(b"\r") for line in text.removeprefix(codecs.BOM_UTF8).split(b"\n")]


def _unreadable(line: bytes) -> PatternError | None:
    r"""A NUL or what is no UTF-8: maybe no pattern file at all."""
    nul = line.find(b"\0")
    if nul >= 0:
        return PatternError(nul, 1, r"a NUL byte, which is written \x00")
    try:
        line.decode()
    except UnicodeDecodeError as error:
        byte = line[error.start]
        return PatternError(error.start, 1, rf"0x{byte:02x} is no UTF-8; a byte is written \x{byte:02x}")
    return None
