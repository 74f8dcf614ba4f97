"""Option: one row of a command's table, from which parsing, `-h`, the man page and `--config` derive.

Each command has a table of its own: a tuple of options, in the order in which they are listed.  Nothing
here imports more than small modules, since `-h` must be quick.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, NamedTuple

BARE = "1"


class Option(NamedTuple):
    """One row of a table.

    short, long : spellings without dashes; short may be empty.  `long` with `_` for `-` is the
                  name of the field in the command's options
    group       : the heading under which it is listed: a member of the command's own enumeration
    help        : sentences for `-h` and the man page
    metavar     : name of the argument; empty for a switch
    default     : what the field holds when the option is not given
    unit        : for numbers, what they count, for messages; BARE for a number of nothing
    low, high   : the range of a number, both ends included
    choices     : the words an argument may be
    repeat      : may be given several times; the field is a tuple
    whole       : a number without fraction
    once        : why it is refused when given twice; empty if the last one counts
    implied     : what the argument is when it is left out; one that is given is attached, `--color=always`
    many        : takes all words up to the next option; the field is a tuple of such tuples
    """

    short: str
    long: str
    group: Enum
    help: str
    metavar: str = ""
    default: Any = False
    unit: str = ""
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    repeat: bool = False
    whole: bool = True
    once: str = ""
    implied: str = ""
    many: bool = False

    @property
    def field(self) -> str:
        return self.long.replace("-", "_")

    @property
    def spelling(self) -> str:
        """The option as a message names it: the short spelling if there is one."""
        return f"-{self.short}" if self.short else f"--{self.long}"

    @property
    def signature(self) -> str:
        """How the option is written: `-T MS, --threshold MS`."""
        if self.implied:
            return f"--{self.long}[={self.metavar}]"
        argument = f" {self.metavar}" if self.metavar else ""
        spellings = [f"-{self.short}{argument}"] if self.short else []
        return ", ".join([*spellings, f"--{self.long}{argument}"])

    @property
    def sentences(self) -> str:
        """The help with what the table knows besides: choices are in the text, the default is added."""
        if self.choices or (self.unit and self.default is not None):
            return f"{self.help} Default: {self.default}."
        return self.help


Table = tuple[Option, ...]


def groups(table: Iterable[Option]) -> dict[Enum, list[Option]]:
    """The options by their heading, headings in the order in which the table first uses them."""
    found: dict[Enum, list[Option]] = {}
    for option in table:
        found.setdefault(option.group, []).append(option)
    return found
