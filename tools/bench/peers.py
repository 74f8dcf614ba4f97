"""The programs that fl0p is measured beside, and how each is asked to read one capture.

Every one reads the whole file once and does its ordinary work with it; what it prints is thrown away.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Peer:
    """One program.

    command : its words; {trace}, {work} (an empty folder of its own), {python} and {here} are filled in
    fine    : its exit statuses that mean success
    package : Debian package, or what pip installs into the peers' own environment
    python  : it is a library, run by this interpreter's {python}; `package` must be importable there
    """

    name: str
    does: str
    command: tuple[str, ...]
    package: str
    python: bool = False
    fine: tuple[int, ...] = (0,)

    def installed(self, python: str) -> bool:
        if not self.python:
            return shutil.which(self.command[0]) is not None
        asked = subprocess.run([python, "-c", f"import {self.package}"], capture_output=True, check=False)
        return asked.returncode == 0

    def words(self, trace: Path, python: str) -> list[str]:
        """The command for this trace; {work} stays for whoever makes the folder."""
        places = {"trace": str(trace), "python": python, "here": str(HERE), "work": "{work}"}
        return [word.format(**places) for word in self.command]


PEERS = (
    Peer("tcpdump", "reads and writes", ("tcpdump", "-r", "{trace}", "-w", "/dev/null"), "tcpdump"),
    Peer(
        "ngrep",
        "a pattern in payloads",
        ("ngrep", "-q", "-I", "{trace}", "no-such-words"),
        "ngrep",
        fine=(0, 1),  # 1: as grep, nothing matched
    ),
    Peer(
        "softflowd",
        "flow records",
        ("softflowd", "-d", "-c", "none", "-p", "{work}/pid", "-r", "{trace}"),
        "softflowd",
    ),
    Peer("nfpcapd", "flow records, written", ("nfpcapd", "-r", "{trace}", "-l", "{work}"), "nfdump"),
    Peer("p0f", "fingerprints of hosts", ("p0f", "-r", "{trace}"), "p0f"),
    Peer("ndpiReader", "applications of flows", ("ndpiReader", "-q", "-i", "{trace}"), "libndpi-bin"),
    Peer(
        "nfstream",
        "flows with packet sequences",
        ("{python}", "{here}/peer_nfstream.py", "{trace}"),
        "nfstream",
        python=True,
    ),
    Peer(
        "dpkt",
        "a loop that counts by flow",
        ("{python}", "{here}/peer_dpkt.py", "{trace}"),
        "dpkt",
        python=True,
    ),
    Peer(
        "tshark",
        "stream and length of packets",
        ("tshark", "-n", "-r", "{trace}", "-T", "fields", "-e", "tcp.stream", "-e", "tcp.len"),
        "tshark",
    ),
)
