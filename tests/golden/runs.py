"""The golden runs: commands on the captures of tests/data, and what each must print.

`python -m tests.golden.runs` (`make golden`) writes expected/ anew; look at the difference before you
commit it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CAPTURES = ROOT / "tests/data"
EXPECTED = HERE / "expected"
SIGNATURES = "../golden/golden.fp"

RUNS: dict[str, list[str]] = {
    "line": ["-s", "demo.pcap", "-f", SIGNATURES, "-l"],
    "line-time-unknown": ["-s", "ssh-program.pcap", "-f", SIGNATURES, "-tlU"],
    "line-all": ["-s", "mail.pcap", "-f", SIGNATURES, "-l", "--all"],
    "line-exact": ["-s", "web.pcap", "-f", SIGNATURES, "-lUF"],
    "line-depth": ["-s", "ssh-typed.pcap", "-f", SIGNATURES, "-lU", "--depth", "5"],
    "line-threshold": ["-s", "typing.pcap", "-f", SIGNATURES, "-lU", "-T", "100"],
    "only-unknown": ["-s", "dns.pcap", "-f", SIGNATURES, "-lK"],
    "filter": ["-s", "demo.pcap", "-f", SIGNATURES, "-lU", "icmp", "or", "icmp6"],
    "nothing": ["-s", "typing.pcap", "-f", SIGNATURES, "-l"],
    "block": ["-s", "mail.pcap", "-f", SIGNATURES],
    "block-time-unknown": ["-s", "web.pcap", "-f", SIGNATURES, "-tU"],
    "json": ["-s", "ssh-program.pcap", "-f", SIGNATURES, "--json"],
    "json-unknown": ["-s", "ping.pcap", "-f", SIGNATURES, "--json", "-U"],
    "shipped": ["-s", "demo.pcap", "-l"],
    "json-only-unknown": ["-s", "web.pcap", "-f", SIGNATURES, "--json", "-K", "-q"],
}


class Outcome(NamedTuple):
    status: int
    out: bytes
    err: bytes


def run(arguments: list[str], *, stdin: bytes | None = None) -> Outcome:
    """fl0p with these arguments, in the folder of the captures."""
    done = subprocess.run(
        [sys.executable, "-m", "fl0p_py.cli.fl0p", *arguments],
        cwd=CAPTURES,
        input=stdin if stdin is not None else b"",
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def refresh() -> None:
    for old in EXPECTED.iterdir():
        old.unlink()
    for name, arguments in RUNS.items():
        outcome = run(arguments)
        if outcome.status:
            raise SystemExit(f"{name}: status {outcome.status}\n{outcome.err.decode()}")
        (EXPECTED / f"{name}.out").write_bytes(outcome.out)
        (EXPECTED / f"{name}.err").write_bytes(outcome.err)


if __name__ == "__main__":
    refresh()
