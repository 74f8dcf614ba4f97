"""Half a minute of `make soak`: nothing lost, no memory taken but in the first half of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.net import lab

TOOL = Path(__file__).parents[2] / "tools" / "soak.py"
ON_A_BUSY_MACHINE = "0.5"

pytestmark = [lab.requires_lab, lab.requires("tcpreplay")]


def test_half_a_minute_of_soaking() -> None:
    words = ("--dry", "--seconds", "30", "--interval", "15", "--idle", "2", "--cpu-share", ON_A_BUSY_MACHINE)
    run = subprocess.run([sys.executable, TOOL, *words], capture_output=True, text=True, timeout=90)
    assert run.returncode == 0, run.stdout + run.stderr
