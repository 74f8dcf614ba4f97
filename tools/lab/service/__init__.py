"""Servers of the lab: each module starts real daemons on a host, configured at random.

A start function takes the host and the generator, waits until the service answers on its port and
returns a `Service`.  Files go below the host's folder; accounts exist only inside the run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tools.lab.net import Host


@dataclass(frozen=True, slots=True)
class Service:
    """A server that answers.

    software : its name, as the provenance of a signature would say it
    port     : where it listens
    log      : name of its log among the host's
    facts    : what was drawn for it
    """

    software: str
    port: int
    log: str = ""
    facts: dict[str, str] = field(default_factory=dict)


def folder(host: Host, name: str, mode: int = 0o755) -> Path:
    """A folder of this name in the host's, readable by every daemon whatever user it becomes."""
    made = host.folder / name
    made.mkdir(parents=True, exist_ok=True)
    made.chmod(mode)
    for above in made.parents:
        if above.stat().st_uid == os.geteuid() and above.stat().st_mode & 0o011 == 0:
            above.chmod(above.stat().st_mode | 0o011)
    return made


def bracketed(address: str) -> str:
    """An address as URLs and most configurations want it."""
    return f"[{address}]" if ":" in address else address


BESIDE = "/opt/fl0p-lab/usr/sbin/"
"""Where setup.sh unpacks servers that Debian does not let live on one machine with others."""


def nameless(host: Host) -> None:
    """The host asks nobody for names: a question to its own empty port is refused at once, not waited for."""
    for name, text in (
        ("resolv.conf", "nameserver 127.0.0.1\n"),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ):
        mine = folder(host, "etc") / name
        mine.write_text(text)
        host.bind(mine, f"/etc/{name}")


def accounts(host: Host, rng: Random, people: dict[str, str]) -> None:
    """Give the host these accounts (name: password) with empty homes; nothing on the machine changes."""
    private(host, "/home")
    _accounts_file(
        host, "passwd", [f"{name}:x:{1000 + n}:1000::/home/{name}:/bin/sh" for n, name in enumerate(people)]
    )
    _accounts_file(host, "group", ["people:x:1000:"])
    hashes = [
        host.run("openssl", "passwd", "-6", "-stdin", input=secret + "\n").stdout.strip()
        for secret in people.values()
    ]
    _accounts_file(
        host,
        "shadow",
        [f"{name}:{hash_}:19000:0:99999:7:::" for name, hash_ in zip(people, hashes, strict=True)],
    )
    for number, name in enumerate(people):
        host.run("install", "-d", "-o", str(1000 + number), "-g", "1000", f"/home/{name}")


def daemon_account(host: Host, name: str, uid: int) -> None:
    """Give the host an account that a daemon wants by name."""
    _accounts_file(host, "passwd", [f"{name}:x:{uid}:{uid}::/nonexistent:/bin/false"])
    _accounts_file(host, "group", [f"{name}:x:{uid}:"])


def private(host: Host, *folders: str) -> None:
    """Hide these folders of the machine under empty ones that only this host sees."""
    for path in folders:
        host.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path)


def _accounts_file(host: Host, name: str, lines: list[str]) -> None:
    mine = folder(host, "etc") / name
    if not mine.exists():
        mine.write_text(Path(f"/etc/{name}").read_text())
        mine.chmod(0o644 if name != "shadow" else 0o600)
        host.bind(mine, f"/etc/{name}")
    with mine.open("a") as file:
        file.write("\n".join(lines) + "\n")
