"""Small programs of the lab's own, for what no Debian package does: scripts that run on a host.

Each module of this folder is a script of its own: its settings are one JSON object, its only argument; a
client prints one JSON object about what it saw.  They import nothing of the lab.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.lab.net import RUN_S, Host

FOLDER = Path(__file__).parent


def words(name: str, /, **settings: object) -> list[str]:
    """The command that runs a program with these settings."""
    return [sys.executable, str(FOLDER / f"{name}.py"), json.dumps(settings)]


def spawn(host: Host, name: str, /, **settings: object) -> subprocess.Popen[bytes]:
    """Start a program and leave it running; its output goes to the log of its name."""
    return host.spawn(*words(name, **settings), log=name)


def run(host: Host, name: str, /, within_s: float = RUN_S, **settings: object) -> dict[str, Any]:
    """Run a client to its end; what it said.  ProgramError if it did not end well."""
    done = host.run(*words(name, **settings), within_s=within_s)
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said
