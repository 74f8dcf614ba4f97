"""`-h` and the man pages: made from the option tables, complete, within 80 columns, in step with docs/man."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest

from fl0p_py.cli.document import Manual, Section, help_text, subcommand
from fl0p_py.cli.manpage import COMMANDS, man_page
from fl0p_py.cli.option import Option
from fl0p_py.errors import UsageError
from fl0p_py.signature.loader import SignatureText, parse_texts

ROOT = Path(__file__).parents[2]
FORMAT = ROOT / "docs/man/fl0p.fp.5"


def manuals() -> Iterator[Manual]:
    for manual in COMMANDS:
        yield manual
        yield from manual.subcommands


every_command = pytest.mark.parametrize("manual", COMMANDS, ids=lambda manual: manual.command)
every_manual = pytest.mark.parametrize("manual", list(manuals()), ids=lambda manual: manual.command)


@every_command
def test_the_man_page_in_docs_is_up_to_date(manual: Manual) -> None:
    checked_in = (ROOT / f"docs/man/{manual.command}.1").read_text()
    assert checked_in == man_page(manual), "run: make man"


def test_docs_man_has_no_other_pages() -> None:
    pages = {path.name for path in (ROOT / "docs/man").iterdir()}
    assert pages == {f"{manual.command}.1" for manual in COMMANDS} | {FORMAT.name}


def test_signatures_on_the_page_of_the_format_are_signatures() -> None:
    text = FORMAT.read_text().replace("\\-", "-")
    lines = [line for line in text.splitlines() if re.match(r"#:|(tcp|udp|icmp) .* : ", line)]
    signatures = parse_texts([SignatureText("page.fp", "\n".join(lines).encode())])
    assert len(signatures.signatures) == 7 and not signatures.warnings


@pytest.mark.parametrize(
    ("manual", "option"),
    [
        pytest.param(manual, option, id=f"{manual.command} {option.long}")
        for manual in manuals()
        for option in manual.table
    ],
)
def test_every_option_is_explained(manual: Manual, option: Option) -> None:
    assert f"\n    {option.signature}\n" in help_text(manual, 80)
    assert option.help.endswith(".") and option.help[0].isupper()


@every_manual
def test_no_spelling_is_used_twice(manual: Manual) -> None:
    spellings = [o.short for o in manual.table if o.short] + [o.long for o in manual.table]
    assert len(spellings) == len(set(spellings))


@every_manual
@pytest.mark.parametrize("width", [60, 80, 120])
def test_filled_text_keeps_to_the_width(manual: Manual, width: int) -> None:
    shown = {
        line
        for section in (manual.description, *manual.sections)
        for p in section.paragraphs
        for line in p.split("\n")
    }
    text = help_text(manual, width)
    too_long = [line for line in text.splitlines() if len(line) > width and line[4:] not in shown]
    assert [line for line in too_long if line.strip() not in manual.synopsis] == []


@every_command
def test_roff_takes_nothing_of_the_text_for_itself(manual: Manual) -> None:
    macros = {".TH", ".SH", ".SS", ".TP", ".PP", ".RS", ".RE", ".nf", ".fi"}
    for line in man_page(manual).splitlines():
        assert not line.startswith("'")
        assert not line.startswith(".") or line.split()[0] in macros


class Heading(Enum):
    ONLY = "All"


def test_a_command_with_subcommands() -> None:
    """Its manual names them, its page holds them whole, and its first word picks one."""
    text = Section("Description", ("Counts things.",))
    size = Option("n", "size", Heading.ONLY, "How many.", "N", 5, "things", 1, 9)
    add = Manual("tool add", "add a thing", ("tool add [-n N]",), text, (size,))
    drop = Manual("tool drop", "drop a thing", ("tool drop",), text, ())
    tool = Manual("tool", "keep things", ("tool add|drop",), text, (), subcommands=(add, drop))
    assert "COMMANDS\n    add\n          add a thing (tool add -h)\n    drop\n" in help_text(tool, 80)
    assert "--size" not in help_text(tool, 80) and "-n N, --size N" in help_text(add, 80)
    assert ".SH COMMAND ADD\nadd a thing.\n" in man_page(tool) and "How many.\nDefault: 5." in man_page(tool)
    assert subcommand(tool, ["add", "-n", "3"]) == (add, ["-n", "3"])
    assert subcommand(tool, ["-h"]) == (None, ["-h"])
    assert subcommand(tool, []) == (None, [])
    with pytest.raises(UsageError, match=r"^'ad' is none of add, drop$"):
        subcommand(tool, ["ad"])
