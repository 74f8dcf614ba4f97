"""A fault in a signature, shown: its message, the line, and a caret under the place.

    fl0p.fp:41:17: 'x40' is not a token, expected c, s, C or S and a size such as 40, 40-60, 40- or *
        tcp 22 < c41 s41 x40 : SSH
                         ^~~

What the line contains cannot harm a terminal: control and bidi characters are shown as a dot.  Long
lines are cut to a window around the place.
"""

from __future__ import annotations

import unicodedata

from fl0p_py.errors import Fl0pError, SignatureError, SignatureFileError

WIDTH = 100
"""Columns of the line that are shown: fits a terminal of 104 with the margin."""

BEFORE = 60
"""Of them, at most this many before the place in a line that is cut."""

_MARGIN = "    "
_TAB = 8


def render(error: Fl0pError) -> str:
    """The error's message; for faults in signatures, each with its line and caret."""
    if isinstance(error, SignatureFileError):
        return "\n".join(map(render, error.errors))
    if not isinstance(error, SignatureError) or error.mark is None or not error.text:
        return str(error)
    shown, caret = excerpt(error.text, error.mark.column - 1, error.mark.length)
    return f"{error}\n{_MARGIN}{shown}\n{_MARGIN}{caret}"


def excerpt(text: str, at: int, length: int) -> tuple[str, str]:
    """The line as it can be printed, and the line with the caret below it."""
    start = max(0, at - BEFORE) if len(text) > WIDTH else 0
    window = text[start : start + WIDTH]
    left = "…" if start else ""
    right = "…" if start + WIDTH < len(text) else ""
    cells = _cells(window, len(left))
    before = sum(map(_width, cells[: at - start])) + len(left)
    under = sum(map(_width, cells[at - start : at - start + length])) or 1
    return left + "".join(cells) + right, " " * before + "^" + "~" * (under - 1)


def _cells(window: str, column: int) -> list[str]:
    """What is printed for each character; a tab becomes the blanks up to the next stop."""
    cells = []
    for char in window:
        if char == "\t":
            char = " " * (_TAB - column % _TAB)
        elif not char.isprintable():
            char = "·"
        cells.append(char)
        column += _width(char)
    return cells


def _width(cell: str) -> int:
    """Columns that it takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in cell
    )
