"""Unrolled: how large a regular expression is when its repeats are written out.

The regex library writes out what has to be there at least: `(?:x{60000}){60000}` would take all memory.
"""

from __future__ import annotations

import re

_PART = re.compile(
    r"""
    (?P<class> \[ \^? \]? (?: \\. | [^\]\\] )* \] )  # as far as the first bracket: inner ones count too much
    | \\ (?P<escaped> .? )
    | (?P<open> \( )
    | (?P<close> \) )
    | (?P<repeat> \s* \{ \s* (?P<least> [0-9]+ ) (?: \s* , \s* [0-9]* )? \s* \} )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def unrolled(expression: str, most: int) -> int:
    """Its pieces, each as often as it has to be there; an estimate, and never above most + 1."""
    groups = [0]
    last = 0  # pieces of what a repeat would repeat
    for part in _PART.finditer(expression):
        if part["open"]:
            groups.append(0)
            last = 0
        elif part["close"] and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif part["repeat"]:
            digits = part["least"].lstrip("0")
            times = most + 1 if len(digits) > len(str(most)) else int(digits or 0)
            more = last * max(0, times - 1)
            groups[-1] += more
            last += more
        elif not part.group().isspace():
            last = 1
            groups[-1] += 1
        if groups[-1] > most:
            return most + 1
    return min(sum(groups), most + 1)
