"""Edits of a TOML signature file that leave every byte alone which they are not about.

A size of a pattern is replaced where it stands, a new entry is put behind another one.  Each edit is
proved: the file is read before and after, and all but what was meant to change must be the same, or
nothing is changed and a UsageError says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import tomli

from fl0p_py.errors import UsageError
from fl0p_py.signature.pattern import Size
from fl0p_py.signature.printer import size_text

UNEDITABLE = "it is not written in a way that can be edited"

_HEAD = re.compile(r"\ufeff?[ \t]*\[\[[ \t]*signature[ \t]*\]\][ \t]*(#.*)?$")
_TABLE = re.compile(r"[ \t]*\[")
_PATTERN = re.compile(r"""[ \t]*(?:pattern|"pattern"|'pattern')[ \t]*=[ \t]*""")
_SIZE = re.compile(r"(?<![A-Za-z])([csCS])(\d+(?:-\d*)?|-\d+|\*)")
_QUOTES = ('"""', "'''", '"', "'")


class Entry(NamedTuple):
    """One `[[signature]]`: places in the text of its pattern (behind the quotes) and of its end."""

    pattern: int
    pattern_end: int
    end: int


def entries(text: str) -> list[Entry]:
    """The entries in order; an entry whose pattern was not found has -1 there."""
    found: list[list[int]] = []
    at, inside = 0, False
    for line in text.splitlines(keepends=True):
        if at < _skip(found):
            at += len(line)
            continue
        bare = line.rstrip("\r\n")
        if _HEAD.match(bare):
            found.append([-1, -1, at + len(line), at + len(line)])
            inside = True
        elif found:
            inside &= not _TABLE.match(bare)
            match = _PATTERN.match(line)
            if inside and match and found[-1][0] < 0:
                begin, end, behind = _string(text, at + match.end())
                found[-1][:2] = begin, end
                found[-1][2] = found[-1][3] = behind
            elif (opened := _open_string(text, at, line)) is not None:
                found[-1][2] = found[-1][3] = opened
            elif bare.strip() and not bare.lstrip().startswith("#"):
                found[-1][2] = at + len(line)
        at += len(line)
    return [Entry(begin, end, _line_end(text, last)) for begin, end, last, _ in found]


def _entry(text: str, number: int) -> Entry:
    found = entries(text)
    if number >= len(found):
        raise UsageError(f"entry {number + 1}: {UNEDITABLE}")
    return found[number]


def _skip(found: list[list[int]]) -> int:
    """Up to where the text belongs to a string that was entered before."""
    return found[-1][3] if found else 0


def _string(text: str, at: int) -> tuple[int, int, int]:
    """(begin, end, behind the quotes) of the string at a place."""
    quote = next((quote for quote in _QUOTES if text.startswith(quote, at)), None)
    if quote is None:
        return -1, -1, at
    begin = end = at + len(quote)
    while end < len(text) and not text.startswith(quote, end):
        end += 2 if text[end] == "\\" and quote[0] == '"' else 1
    return begin, end, min(len(text), end + len(quote))


def _open_string(text: str, at: int, line: str) -> int | None:
    """Behind a string of several lines that begins in this line; None if there is none."""
    place = at
    while place < at + len(line):
        if text[place] == "#":
            return None
        if text[place] in "\"'":
            _, _, behind = _string(text, place)
            if behind > at + len(line):
                return behind
            place = max(behind, place + 1)
        else:
            place += 1
    return None


def _line_end(text: str, at: int) -> int:
    """Behind the line that a place is in; the place itself if it begins one."""
    if at == 0 or text[at - 1] == "\n":
        return at
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def widened(text: str, entry: int, sizes: Mapping[int, Size]) -> str:
    """The text with some sizes of one entry's pattern, by their number, replaced."""
    place = _entry(text, entry)
    if place.pattern < 0:
        raise UsageError(f"entry {entry + 1}: {UNEDITABLE}")
    pattern = text[place.pattern : place.pattern_end]
    number = -1

    def replaced(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return match[1] + size_text(sizes[number]) if number in sizes else match[0]

    changed = text[: place.pattern] + _SIZE.sub(replaced, pattern) + text[place.pattern_end :]
    _prove(text, changed, entry, added=0)
    return changed


def inserted(text: str, entry: int, addition: str) -> str:
    """The text with a new entry behind one of its entries."""
    at = _entry(text, entry).end
    newline = "\r\n" if "\r\n" in text else "\n"
    before = "" if text[:at].endswith("\n") else newline
    changed = text[:at] + before + newline + addition.replace("\n", newline) + text[at:]
    _prove(text, changed, entry, added=1)
    return changed


def _prove(before: str, after: str, entry: int, added: int) -> None:
    """That only one pattern changed, or only one entry was added behind it."""
    try:
        old, new = _read(before), _read(after)
    except tomli.TOMLDecodeError:
        old, new = {}, {"": None}
    if added:
        del new.get("signature", [None] * (entry + 2))[entry + 1]
    else:
        for document in (old, new):
            for number, table in enumerate(document.get("signature", [])):
                if number == entry:
                    table.pop("pattern", None)
    if old != new:
        raise UsageError(f"entry {entry + 1}: {UNEDITABLE}")


def _read(text: str) -> dict[str, Any]:
    return tomli.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
