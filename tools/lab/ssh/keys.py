"""Keys of hosts and users, in the forms that the programs want."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

KINDS = {
    "ed25519": [()],
    "ecdsa": [("-b", "256"), ("-b", "384"), ("-b", "521")],
    "rsa": [("-b", "2048"), ("-b", "3072")],
}
"""The kinds of keys and the sizes of each."""


POOL = Path("/var/cache/fl0p-lab/keys")
"""Keys are made once and used again: making one takes longer than everything else in a run."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair in a file of OpenSSH's own form, the public half beside it."""

    kind: str
    path: Path

    @property
    def public(self) -> str:
        return self.path.with_name(self.path.name + ".pub").read_text().strip()

    def for_dropbear(self) -> Path:
        """The private key in dropbear's form."""
        out = self.path.with_name(self.path.name + ".dropbear")
        if not out.exists():
            _run("dropbearconvert", "openssh", "dropbear", str(self.path), str(out))
        return out

    def for_putty(self) -> Path:
        """The private key in PuTTY's form."""
        out = self.path.with_name(self.path.name + ".ppk")
        if not out.exists():
            _run("puttygen", str(self.path), "-O", "private", "-o", str(out), "--ppk-param", "passes=1")
        return out


def make(rng: Random, path: Path, number: int, form: str = "openssh") -> Key:
    """A key at this path, out of the POOL: of any kind; keys of different numbers are different.

    form : "PEM" where OpenSSH's own is not understood
    """
    kind = rng.choice(list(KINDS))
    size = rng.choice(KINDS[kind])
    pem = ("-m", "PEM") if form == "PEM" and kind != "ed25519" else ()
    name = "-".join((kind, *size[1:], *pem[1:], str(number)))
    POOL.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (POOL / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (POOL / name).exists():
            _run("ssh-keygen", "-q", "-t", kind, *size, *pem, "-N", "", "-C", "lab", "-f", str(POOL / name))
    for end in ("", ".pub"):
        shutil.copy(POOL / (name + end), path.with_name(path.name + end))
    return Key(kind, path)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
