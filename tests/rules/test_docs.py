"""Every example of docs/rules.md runs, and every keyword is in it."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from fl0p_py.cli.fl0p import main
from fl0p_py.cli.options import parse
from fl0p_py.rules.flow_state import DIRECTIONS, SCOPES, STATES
from fl0p_py.rules.flowbit import READS, WRITES
from fl0p_py.rules.parser import KEYWORDS
from fl0p_py.rules.rule import ACTIONS, PROTOCOLS
from fl0p_py.rules.threshold import TRACKS, TYPES
from tests.rules.conversation import Talk
from tests.rules.test_shipped_rules import SSH, signatures
from tests.support.savefiles import pcap

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/rules.md").read_text()
EXAMPLES = [line[4:] for line in PAGE.splitlines() if re.match(r"    \S", line)]
COMMANDS = [line for line in EXAMPLES if line.startswith("fl0p ")]
RULES = [line for line in EXAMPLES if line.startswith("alert ")]
SETTINGS = [line for line in EXAMPLES if re.match(r"\[[a-z-]+\]$|[A-Z_]+ = ", line)]
BRUTE_FORCE = [line for line in RULES if "ssh.auth" in line]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the examples name, where they run."""
    shutil.copy(ROOT / "tests/data/demo.pcap", tmp_path / "day.pcap")
    (tmp_path / "signatures").symlink_to(ROOT / "signatures")
    (tmp_path / "mine.rules").write_text("\n".join(BRUTE_FORCE) + "\n")
    (tmp_path / "fl0p.toml").write_text("\n".join(SETTINGS) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_examples_are_of_a_kind_that_is_tested() -> None:
    line = [one for one in EXAMPLES if one.startswith("[**]")]
    form = [one for one in EXAMPLES if one.startswith("action protocol")]
    assert len(COMMANDS + RULES + SETTINGS + line + form) == len(EXAMPLES)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command(command: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    argv = shlex.split(command)[1:]
    if "-i" in argv:
        assert parse(argv).interface == "eth0"  # as far as it goes without that device
    else:
        assert main(argv) == 0
        assert "fl0p: " not in capfd.readouterr().err


@pytest.mark.parametrize("line", RULES)
def test_a_rule_with_the_configuration(line: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "one.rules").write_text(line + "\n")
    assert main(["--rules-check", "one.rules", "--config", "fl0p.toml"]) == 0
    assert capfd.readouterr().out.startswith(("1 rule, no warnings", "one.rules:1:"))


def test_the_alert_is_printed_as_it_stands_there(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (expected,) = [line for line in EXAMPLES if line.startswith("[**]")]
    talk = Talk()
    for number in range(5):
        ends = {"src": "192.0.2.10", "dst": "192.0.2.20", "sport": 37996 + number, "dport": 22}
        talk.at_s(number).tcp(**ends).c(b"p" * 50).s(b"n" * 33).close()
    (folder / "day.pcap").write_bytes(pcap(talk.packets))
    options = ["-q", "-s", "day.pcap", "-l", "--rules", "mine.rules", "--alerts-only"]
    assert main([*options, *signatures(folder, *SSH)]) == 0
    assert capfd.readouterr().out.splitlines() == [expected]


def test_all_words_of_the_language_are_there() -> None:
    words = set(re.findall(r"[\w-]+", PAGE))
    assert words >= {*KEYWORDS, *ACTIONS, *PROTOCOLS, *STATES, *DIRECTIONS, *SCOPES, *WRITES, *READS}
    assert words >= {*TYPES, *TRACKS}


def test_every_file_that_ships_is_named() -> None:
    names = {path.name for path in (ROOT / "signatures/rules").glob("*.rules")}
    assert {name for name in names if f"`{name}`" in PAGE} == names
