"""RuleText: one rule as it stands in a file, over one or several lines.

A `\\` at the end of a line joins the next one to it; a line that begins with `#` is a comment, and one of its
own.  Lines and files are bounded, and bytes that are no UTF-8 are a fault of their line alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from fl0p_py.errors import Place, RuleError

LONGEST = 1 << 16
"""Characters of a rule; the longest of the public sets have a few thousand."""


@dataclass(frozen=True, slots=True)
class RuleText:
    """text : the lines joined; source : the file

    lines  : as they stand in the file; number : of the first one, from 1
    starts : for each line, characters of `text` before it
    """

    text: str
    source: str
    number: int
    lines: tuple[str, ...]
    starts: tuple[int, ...]

    def error(self, at: int, length: int, message: str, unsupported: str = "") -> RuleError:
        """The fault at this character of the joined text, with the place it has in the file."""
        i = bisect_right(self.starts, at) - 1
        place = Place(self.number + i, at - self.starts[i] + 1, max(1, length))
        return RuleError(self.source, place, message, self.lines[i], unsupported)


def rule_texts(data: bytes, source: str, errors: list[RuleError]) -> Iterator[RuleText]:
    """The rules of a file; errors : gets what is wrong with its lines."""
    lines: list[str] = []
    starts: list[int] = []
    text = ""
    first = 1
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        try:
            line = raw.decode().rstrip("\r")
        except UnicodeDecodeError as error:
            errors.append(RuleError(source, Place(number, error.start + 1), "is not UTF-8 from here on"))
            line = ""
        if not lines:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            first = number
        lines.append(line)
        starts.append(len(text))
        text += line.rstrip()
        if text.endswith("\\") and len(text) <= LONGEST:
            text = text[:-1]
            continue
        if len(text) > LONGEST:
            message = f"a rule has at most {LONGEST:,} characters"
            errors.append(RuleError(source, Place(first, 1), message, lines[0][:200]))
        elif text.strip():
            yield RuleText(text, source, first, tuple(lines), tuple(starts))
        lines, starts, text = [], [], ""
    if text.strip():
        yield RuleText(text, source, first, tuple(lines), tuple(starts))
