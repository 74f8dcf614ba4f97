"""Document: the manual of a command, printed by `-h` and rendered as its man page (manpage.py).

The options come from the command's table; the rest is prose.  A paragraph that begins with two blanks is
shown as it stands (a command, a line of output); all others are filled to the width.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from fl0p_py.cli.option import Option, Table, groups
from fl0p_py.errors import UsageError


@dataclass(frozen=True, slots=True)
class Section:
    """title : its heading; tight : its paragraphs follow each other without a blank line"""

    title: str
    paragraphs: tuple[str, ...]
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Manual:
    """All there is to say about a command.

    command     : its name as it is typed: "flowgrep", or "fl0p-learn explore" for a subcommand
    summary     : what it does, in one line that completes "NAME - "
    synopsis    : the ways to call it, a line each
    sections    : what follows the options
    subcommands : manuals of what may stand as its first word
    """

    command: str
    summary: str
    synopsis: tuple[str, ...]
    description: Section
    table: Table
    sections: tuple[Section, ...] = ()
    subcommands: tuple[Manual, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.command} - {self.summary}"

    @property
    def word(self) -> str:
        """What picks it among its siblings: the last word of its name."""
        return self.command.rpartition(" ")[2]


def subcommand(manual: Manual, argv: Sequence[str]) -> tuple[Manual | None, list[str]]:
    """The subcommand that the first word names, and the arguments after it.

    None if an option stands first, or nothing at all; UsageError if the word names none.
    """
    if not argv or argv[0].startswith("-"):
        return None, list(argv)
    for each in manual.subcommands:
        if each.word == argv[0]:
            return each, list(argv[1:])
    raise UsageError(f"'{argv[0]}' is none of {', '.join(each.word for each in manual.subcommands)}")


def help_text(manual: Manual, width: int) -> str:
    """The whole manual as plain text, at most `width` columns wide where lines can be filled.

    Of a subcommand there is a line; the rest is in its own.
    """
    lines = ["NAME", *_fill(manual.name, width, 4), "", "SYNOPSIS"]
    lines += [f"    {line}" for line in manual.synopsis]
    lines += _section_text(manual.description, width)
    if manual.subcommands:
        lines += ["", "COMMANDS"]
        for each in manual.subcommands:
            lines += [f"    {each.word}", *_fill(f"{each.summary} ({each.command} -h)", width, 10)]
    for group, options in groups(manual.table).items():
        lines += ["", f"OPTIONS: {group.value}"]
        for option in options:
            lines += _option_text(option, width)
    for section in manual.sections:
        lines += _section_text(section, width)
    return "\n".join(lines) + "\n"


def _section_text(section: Section, width: int) -> list[str]:
    lines = ["", section.title.upper()]
    for number, paragraph in enumerate(section.paragraphs):
        if number and not section.tight:
            lines.append("")
        if paragraph.startswith("  "):
            lines += [f"    {line}" for line in paragraph.splitlines()]
        else:
            lines += _fill(paragraph, width, 4)
    return lines


def _option_text(option: Option, width: int) -> list[str]:
    return [f"    {option.signature}", *_fill(option.sentences, width, 10)]


def _fill(text: str, width: int, indent: int) -> list[str]:
    blanks = " " * indent
    return textwrap.wrap(text, width, initial_indent=blanks, subsequent_indent=blanks, break_on_hyphens=False)
