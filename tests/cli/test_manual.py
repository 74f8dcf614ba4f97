"""`-h` and the man page: made from the option table, complete, within 80 columns, in step with docs/man."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.cli.manpage import man_page
from fl0p_py.cli.manual import AFTER_OPTIONS, DESCRIPTION, SYNOPSIS, help_text, signature_of
from fl0p_py.cli.table import TABLE, Option

ROOT = Path(__file__).parents[2]


def test_the_man_page_in_docs_is_up_to_date() -> None:
    checked_in = (ROOT / "docs/man/fl0p.1").read_text()
    assert checked_in == man_page(), "run: make man"


@pytest.mark.parametrize("option", TABLE, ids=lambda option: option.long)
def test_every_option_is_explained(option: Option) -> None:
    text = help_text(80)
    assert f"\n    {signature_of(option)}\n" in text
    assert option.help.endswith(".") and option.help[0].isupper()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_filled_text_keeps_to_the_width(width: int) -> None:
    shown = {
        line
        for section in (DESCRIPTION, *AFTER_OPTIONS)
        for p in section.paragraphs
        for line in p.split("\n")
    }
    too_long = [line for line in help_text(width).splitlines() if len(line) > width and line[4:] not in shown]
    assert [line for line in too_long if line.strip() not in SYNOPSIS] == []


def test_roff_takes_nothing_of_the_text_for_itself() -> None:
    macros = {".TH", ".SH", ".SS", ".TP", ".PP", ".RS", ".RE", ".nf", ".fi"}
    for line in man_page().splitlines():
        assert not line.startswith("'")
        assert not line.startswith(".") or line.split()[0] in macros
