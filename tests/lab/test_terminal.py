"""Programs on a terminal of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.lab.errors import ProgramError
from tools.lab.terminal import Terminal


def shell(tmp_path: Path, script: str) -> Terminal:
    return Terminal(["sh", "-c", script], tmp_path / "log")


def test_what_is_printed_is_found_once(tmp_path: Path) -> None:
    with shell(tmp_path, "echo one two; read answer; echo got $answer") as terminal:
        assert terminal.expect("one") == "one"
        assert terminal.expect("two") == " two"
        terminal.send(b"three\r")
        assert terminal.expect("got three").endswith("got three")
        assert terminal.wait(5.0) == 0
    assert b"got three" in (tmp_path / "log").read_bytes()


def test_the_last_words_of_a_program_that_has_ended_are_found(tmp_path: Path) -> None:
    with shell(tmp_path, "echo goodbye; exit 3") as terminal:
        assert terminal.wait(5.0) == 3
        assert terminal.expect("goodbye")


@pytest.mark.parametrize(
    ("script", "within_s", "why"),
    [("exit 3", 5.0, "ended with 3 before"), ("sleep 9", 0.2, "waited 0.2 s in vain")],
)
def test_what_does_not_come_is_an_error(tmp_path: Path, script: str, within_s: float, why: str) -> None:
    with shell(tmp_path, script) as terminal, pytest.raises(ProgramError, match=why):
        terminal.expect("never", within_s)


def test_closing_ends_the_program(tmp_path: Path) -> None:
    terminal = shell(tmp_path, "echo up; sleep 60")
    terminal.expect("up")
    terminal.close()
    terminal.close()
    assert terminal.status is not None and terminal.status < 0
