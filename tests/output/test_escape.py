"""Nothing that leaves here can move a cursor, turn text around or pass for an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.output.escape import escape, host_name


@given(st.text())
def test_what_is_escaped_is_printable_utf_8_on_one_line(text: str) -> None:
    escaped = escape(text)
    assert escaped.isprintable()
    escaped.encode()
    if text.isprintable():
        assert escaped == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Grüße, SSH ✓", "Grüße, SSH ✓"),
        ("a\tb\n", r"a\x09b\x0a"),
        ("\x1b[2J", r"\x1b[2J"),
        ("x\u202etxt", r"x\u202etxt"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_examples(text: str, expected: str) -> None:
    assert escape(text) == expected


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("mail.example", "mail.example"),
        ("mail.example.", "mail.example"),
        ("_dmarc.a-b.example", "_dmarc.a-b.example"),
        ("localhost", "localhost"),
        ("10.0.0.9", None),
        ("1.", None),
        ("a\x1b[2J.example", None),
        ("a b", None),
        ("-a.example", None),
        ("a..b", None),
        ("", None),
        ("fe80::1%eth0", None),
        ("a\n", None),
        ("ü.example", None),
        ("a." * 128 + "a", None),
    ],
)
def test_names_are_taken_from_resolvers_only_if_they_are_names(answer: str, name: str | None) -> None:
    assert host_name(answer) == name
