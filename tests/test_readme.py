"""What README.md shows of the captures of the tests is what the commands say."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]


def blocks() -> list[str]:
    """What stands in README.md as it would on a terminal."""
    text = (ROOT / "README.md").read_text()
    parts = [part for part in text.split("\n\n") if part.startswith("    ")]
    return [textwrap.dedent(part) for part in parts]


def output(command: str, *words: str) -> str:
    run = [sys.executable, "-m", f"fl0p_py.cli.{command}", *words]
    return subprocess.run(run, cwd=ROOT, capture_output=True, check=True, text=True).stdout


def test_the_lines_at_the_top_are_of_the_demo() -> None:
    shown = blocks()[0].splitlines()
    printed = output("fl0p", "-s", "tests/data/demo.pcap", "-lU").splitlines()
    assert len(shown) == 7 and [line for line in printed if line in shown] == shown


def test_the_cluster_is_one_of_those_in_the_captures() -> None:
    (shown,) = [block for block in blocks() if block.startswith("#") and "matches" in block]
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/data").glob("*.pcap"))
    assert shown in output("learn", "explore", *files)
