"""fl0p-learn learn --update, as a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from fl0p_py.cli.learn import main

SIGNATURES = """# kept
[[signature]]
id = "web"
name = "web"
pattern = "tcp 80 = < c100-110 +? S10-"
class = "web"
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    def line(sequence: str) -> str:
        return f"10.0.0.1:40001 -> 10.0.0.2:80 {sequence} : unknown\n"

    (tmp_path / "web.log").write_text("".join(line(f"tcp 80 < c{100 + i} s900 >") for i in range(20)))
    (tmp_path / "other.log").write_text("".join(line(f"tcp 80 < c500 s{i} c9 >") for i in range(1, 9)))
    (tmp_path / "mine.toml").write_text(SIGNATURES)
    return tmp_path


def words(folder: Path, *options: str) -> list[str]:
    labels = ["--label", "web", str(folder / "web.log"), "--label", "other", str(folder / "other.log")]
    return [*options, *labels]


def test_update_shows_and_writes(logs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = logs / "mine.toml"
    assert main(words(logs, "learn", "--update", str(file))) == 0
    shown = capfd.readouterr()
    assert "-pattern = " in shown.out and "+pattern = " in shown.out
    assert "web: c100-110 is c100-120, for 9 flows" in shown.err
    assert file.read_text() == SIGNATURES
    assert main(words(logs, "learn", "-q", "--update", str(file), "--write")) == 0
    assert file.read_text() == SIGNATURES.replace("c100-110", "c100-120")
    capfd.readouterr()
    assert main(words(logs, "learn", "--update", str(file))) == 0
    again = capfd.readouterr()
    assert again.out == "" and "nothing to change" in again.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("learn", "--write", "--label", "a", "x.log"), "--write goes with --update"),
        (("learn", "--update", "x.fp", "--label", "a", "x.log"), "x.fp is no .toml file"),
        (("learn", "--update", "x.toml", "-o", "y", "--label", "a", "x.log"), "--output does not go with"),
    ],
)
def test_usage(options: tuple[str, ...], message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(options) == 2
    assert message in capfd.readouterr().err


def test_a_broken_signature_file(logs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (logs / "mine.toml").write_text(SIGNATURES.replace("c100", "x100"))
    assert main(words(logs, "learn", "-q", "--update", str(logs / "mine.toml"))) == 2
    assert "mine.toml: web: pattern" in capfd.readouterr().err
