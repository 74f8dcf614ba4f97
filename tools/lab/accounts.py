"""Accounts that exist on one host only: its own passwd, shadow, group, home folders and PAM."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tools.lab import words
from tools.lab.net import Host

FIRST_ID, NOBODY = 1000, 65534
PAM = """\
auth required pam_unix.so {nodelay}
account required pam_unix.so
session required pam_unix.so
"""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a host, with the names of the files in the home folder."""

    name: str
    password: str
    shell: str
    files: tuple[str, ...]
    home: Path

    def own(self, path: Path, mode: int = 0o600) -> None:
        """A file or folder becomes this user's."""
        os.chown(path, FIRST_ID, FIRST_ID)
        path.chmod(mode)


def random_account(rng: Random, host: Host, shell: str = "") -> Account:
    """An account drawn at random, with a few files at home; nothing is installed yet."""
    name, password = words.user_name(rng), words.password(rng)
    names = sorted({words.file_name(rng) for _ in range(rng.randint(2, 12))})
    home = host.folder / "home" / name
    account = Account(name, password, shell or rng.choice(("/bin/bash", "/bin/sh")), tuple(names), home)
    home.mkdir(parents=True)
    (home / ".ssh").mkdir()
    for each in names:
        (home / each).write_text(words.text(rng, rng.choice((1, 3, 10, 40, 200))))
        account.own(home / each, 0o644)
    account.own(home / ".ssh", 0o700)
    account.own(home, 0o755)
    return account


def install(
    host: Host, account: Account, services: tuple[str, ...] = ("sshd",), fail_delay: bool = True
) -> None:
    """Let the account be the only one that can log in on this host.

    services   : those whose PAM configuration becomes the simplest one
    fail_delay : pam_unix makes the user wait after a wrong password
    """
    etc = host.folder / "etc"
    etc.mkdir()
    system, groups = (_of_the_system(Path("/etc") / name) for name in ("passwd", "group"))
    entry = f"{account.name}:x:{FIRST_ID}:{FIRST_ID}::/home/{account.name}:{account.shell}"
    shadow = [f"{line.split(':')[0]}:!:19000:0:99999:7:::" for line in system]
    files = {
        "passwd": [*system, entry],
        "group": [*groups, f"{account.name}:x:{FIRST_ID}:"],
        "shadow": [*shadow, f"{account.name}:{_digest(account.password)}:19000:0:99999:7:::"],
    }
    for name, lines in files.items():
        (etc / name).write_text("\n".join(lines) + "\n")
    (etc / "shadow").chmod(0o640)
    script = [f"mount --bind {etc}/{name} /etc/{name}" for name in files]
    for name in services:
        (etc / f"pam-{name}").write_text(PAM.format(nodelay="" if fail_delay else "nodelay"))
        script += [f"mount --bind {etc}/pam-{name} /etc/pam.d/{name}"]
    script += [
        "mount -t tmpfs tmpfs /run",
        "mkdir -p /run/sshd",
        "mount -t tmpfs tmpfs /var/log",
        ": >/var/log/lastlog",
        f"mount --bind {host.folder}/home /home",
        f"hostname {words.host_name(Random(account.name))}",
    ]
    host.run("sh", "-ec", "\n".join(script))


def _digest(password: str) -> str:
    """The password as shadow holds it."""
    command = ("openssl", "passwd", "-6", "-stdin")
    return subprocess.run(command, input=password, text=True, capture_output=True, check=True).stdout.strip()


def _of_the_system(path: Path) -> list[str]:
    """The lines of users or groups that are not people."""
    lines = path.read_text().splitlines()
    return [line for line in lines if not FIRST_ID <= int(line.split(":")[2]) < NOBODY]
