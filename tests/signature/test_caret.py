"""The caret stands under the fault, whatever the line holds."""

from __future__ import annotations

import pytest

from fl0p_py.errors import CaptureError, Place, SignatureError, SignatureFileError
from fl0p_py.signature.caret import BEFORE, WIDTH, excerpt, render

ROWS = [
    ("tcp * x40 : y", 6, 3, "tcp * x40 : y", "      ^~~"),
    ("tcp *", 5, 1, "tcp *", "     ^"),
    ("a\tbc", 2, 1, "a       bc", "        ^"),
    ("a\tb\tc", 4, 1, "a       b       c", "                ^"),
    ("\x1b[2J\u202ex", 5, 1, "·[2J·x", "     ^"),
    ("日本x", 2, 1, "日本x", "    ^"),
    ("a\u0301x", 2, 1, "a\u0301x", " ^"),
]


@pytest.mark.parametrize(("text", "at", "length", "shown", "caret"), ROWS)
def test_the_line_and_the_caret(text: str, at: int, length: int, shown: str, caret: str) -> None:
    assert excerpt(text, at, length) == (shown, caret)


def test_long_lines_are_cut_around_the_place() -> None:
    text = "".join(str(i % 10) for i in range(1000))
    shown, caret = excerpt(text, 505, 300)
    assert shown == "…" + text[505 - BEFORE : 505 - BEFORE + WIDTH] + "…"
    assert shown[caret.index("^")] == "5"
    assert len(caret) <= len(shown)


def test_all_faults_are_rendered() -> None:
    first = SignatureError("x.fp", Place(3, 7, 3), "'x40' is not a token", "tcp * x40 : y")
    second = SignatureError("y.toml", "a.b: pattern, column 5", "no port", "tcp x c5", Place(1, 5))
    third = SignatureError("z.fp", "", "No such file or directory")
    assert render(SignatureFileError([first, second, third])) == (
        "x.fp:3:7: 'x40' is not a token\n"
        "    tcp * x40 : y\n"
        "          ^~~\n"
        "y.toml: a.b: pattern, column 5: no port\n"
        "    tcp x c5\n"
        "        ^\n"
        "z.fp: No such file or directory"
    )


def test_other_errors_are_their_message() -> None:
    assert render(CaptureError("x.pcap", "truncated", 40)) == "x.pcap: offset 40: truncated"
