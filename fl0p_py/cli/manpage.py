"""Man pages (man(7) macros), made of the manuals: `python -m fl0p_py.cli.manpage FOLDER` writes them all.

The pages are checked in under docs/man; a test compares them with what this module makes, and `make man`
renews them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from fl0p_py import __version__
from fl0p_py.cli.document import Manual, Section
from fl0p_py.cli.flowgrep_manual import MANUAL as FLOWGREP
from fl0p_py.cli.learn_manual import MANUAL as LEARN
from fl0p_py.cli.manual import MANUAL as FL0P
from fl0p_py.cli.option import groups

COMMANDS = (FL0P, FLOWGREP, LEARN)
"""Every command that is installed."""

_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_FLAG_OR_ARGUMENT = re.compile(rf"({_FLAG.pattern})|\b[A-Z]+\b")


def man_page(manual: Manual) -> str:
    """The page of a command, with its subcommands in it."""
    title = manual.command.upper()
    lines = [f'.TH {title} 1 "" "fl0p-py {__version__}" "User Commands"', ".SH NAME", _literal(manual.name)]
    lines += [".SH SYNOPSIS", *_synopsis(manual), *_section(manual.description)]
    lines.append(".SH OPTIONS")
    for group, options in groups(manual.table).items():
        lines.append(f".SS {group.value}")
        for option in options:
            lines += [".TP", _spelling(option.signature), *_prose(option.sentences)]
    for each in manual.subcommands:
        lines += _subcommand(each)
    for section in manual.sections:
        lines += _section(section)
    return "\n".join(lines) + "\n"


def _subcommand(manual: Manual) -> list[str]:
    """A section of its own, with all of its options in a row."""
    lines = [f".SH COMMAND {manual.word.upper()}", *_prose(f"{manual.summary}."), ".PP", *_synopsis(manual)]
    lines += [".PP", *_paragraphs(manual.description)]
    for options in groups(manual.table).values():
        for option in options:
            lines += [".TP", _spelling(option.signature), *_prose(option.sentences)]
    for section in manual.sections:
        lines += [f".SS {section.title}", *_paragraphs(section)]
    return lines


def _synopsis(manual: Manual) -> list[str]:
    return [".nf", *(_spelling(line) for line in manual.synopsis), ".fi"]


def _section(section: Section) -> list[str]:
    return [f".SH {section.title.upper()}", *_paragraphs(section)]


def _paragraphs(section: Section) -> list[str]:
    lines: list[str] = []
    for number, paragraph in enumerate(section.paragraphs):
        if number:
            lines.append(".PP")
        if paragraph.startswith("  "):
            shown = (_literal(line.strip()) for line in paragraph.splitlines())
            lines += [".RS 4", ".nf", *shown, ".fi", ".RE"]
        else:
            lines += _prose(paragraph)
    return lines


def _prose(text: str) -> list[str]:
    """Filled text: a sentence a line, as man pages are kept, with the options in bold."""
    sentences = re.split(r"(?<=[.:]) (?=[A-Z])", text)
    return [
        _FLAG.sub(lambda flag: f"\\fB{_literal(flag[0])}\\fR", _quoted(sentence)) for sentence in sentences
    ]


def _spelling(text: str) -> str:
    """How something is typed: options in bold, names of arguments in italics."""
    return _FLAG_OR_ARGUMENT.sub(
        lambda found: f"\\fB{_literal(found[0])}\\fR" if found[1] else f"\\fI{found[0]}\\fR", _quoted(text)
    )


def _literal(text: str) -> str:
    """Text to be copied: its hyphens are minus signs."""
    return _quoted(text).replace("-", "\\-")


def _quoted(text: str) -> str:
    """Text without anything that roff would take for itself or show as another character."""
    text = text.replace("\\", "\\e").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\&{text}" if text.startswith(".") else text


def main(folder: str) -> None:
    """Write every page into the folder."""
    for manual in COMMANDS:
        (Path(folder) / f"{manual.command}.1").write_text(man_page(manual))


if __name__ == "__main__":
    main(sys.argv[1])
