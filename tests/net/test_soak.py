"""Not a minute of `make soak`: nothing lost, and no memory taken any more once it is warm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.net import lab

TOOL = Path(__file__).parents[2] / "tools" / "soak.py"
ON_A_BUSY_MACHINE = ("--rate", "20000", "--cpu-share", "9")
"""Memory does not depend on the rate; times of a busy machine say little."""

pytestmark = [lab.requires_lab, lab.requires("tcpreplay")]


def test_a_short_soak() -> None:
    words = ["--dry", "--seconds", "45", "--interval", "9", "--idle", "2", *ON_A_BUSY_MACHINE]
    run = subprocess.run([sys.executable, TOOL, *words], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
