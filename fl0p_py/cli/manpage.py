"""The manual rendered as a man page (man(7) macros): `python -m fl0p_py.cli.manpage` prints docs/man/fl0p.1.

The page is checked in; a test compares it with what this module makes, and `make man` renews it.
"""

from __future__ import annotations

import re
import sys

from fl0p_py import __version__
from fl0p_py.cli.manual import (
    AFTER_OPTIONS,
    DESCRIPTION,
    NAME,
    SYNOPSIS,
    Section,
    sentences_of,
    signature_of,
)
from fl0p_py.cli.table import TABLE, Group

_FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_FLAG_OR_ARGUMENT = re.compile(rf"({_FLAG.pattern})|\b[A-Z]+\b")


def man_page() -> str:
    """docs/man/fl0p.1, whole."""
    lines = [f'.TH FL0P 1 "" "fl0p-py {__version__}" "User Commands"', ".SH NAME", _literal(NAME)]
    lines += [".SH SYNOPSIS", ".nf", *(_spelling(line) for line in SYNOPSIS), ".fi"]
    lines += _section(DESCRIPTION)
    lines.append(".SH OPTIONS")
    for group in Group:
        lines.append(f".SS {group.value}")
        for option in TABLE:
            if option.group is group:
                lines += [".TP", _spelling(signature_of(option)), *_prose(sentences_of(option))]
    for section in AFTER_OPTIONS:
        lines += _section(section)
    return "\n".join(lines) + "\n"


def _section(section: Section) -> list[str]:
    lines = [f".SH {section.title.upper()}"]
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


if __name__ == "__main__":
    sys.stdout.write(man_page())
