"""SSH servers: OpenSSH 9 and 10, dropbear, and ones made of asyncssh and paramiko."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as package_version
from pathlib import Path

from tools.lab import words
from tools.lab.accounts import Account, install
from tools.lab.scenario import Context
from tools.lab.ssh import asyncssh_server, history, keys, paramiko_server
from tools.lab.ssh.algorithm import Choice
from tools.lab.ssh.history import History

OPENSSH10 = Path("/opt/fl0p-lab/openssh10")
KINDS = {"openssh9": 40, "openssh10": 20, "dropbear": 14, "asyncssh": 13, "paramiko": 13}
"""Each kind and its weight in the draw."""
HELD_OUT = ("openssh10",)
NAMES = {"openssh9": "OpenSSH", "openssh10": "OpenSSH", "dropbear": "dropbear", "asyncssh": "asyncssh",
         "paramiko": "paramiko", "dbclient": "dbclient", "plink": "plink"}  # fmt: skip
METHODS = {"dropbear": {"password", "publickey"}}
"""Methods of each kind that has not all three."""
HOME_FOLDER_SERVERS = ("openssh9", "openssh10", "dropbear")
"""Those that run real shells for the account."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with its one account."""

    kind: str
    port: int
    account: Account
    host_key: keys.Key
    methods: tuple[str, ...]
    read_log: Callable[[], str]

    def histories(self) -> dict[int, History]:
        reader = {
            "openssh9": history.of_openssh,
            "openssh10": history.of_openssh,
            "dropbear": history.of_dropbear,
        }
        return reader.get(self.kind, history.of_ours)(self.read_log())


def draw_kind(context: Context, *only: str) -> str:
    """A kind at random, of these if some are named."""
    kinds = {kind: weight for kind, weight in KINDS.items() if not only or kind in only}
    return context.rng.choices(list(kinds), list(kinds.values()))[0]


def start(
    context: Context,
    kind: str,
    account: Account,
    methods: tuple[str, ...],
    choice: Choice,
    *,
    pam: bool = True,
) -> Server:
    """Start a server for this account that offers these methods, and no algorithms but those of `choice`.

    pam : OpenSSH may use PAM, which ends the use of passwords after the third
    """
    rng, host = context.rng, context.server
    port = 22 if rng.random() < 0.9 else rng.choice((2222, 2200, 22022))
    install(host, account, fail_delay=rng.random() < 0.5)
    form = "PEM" if kind in ("dropbear", "paramiko") else "openssh"
    host_key = keys.make(rng, host.folder / "host_key", rng.randrange(4), form)
    context.software("server", NAMES[kind], version(kind), held_out=kind in HELD_OUT)
    if kind.startswith("openssh"):
        _openssh(context, kind, port, host_key, methods, choice, pam)
    elif kind == "dropbear":
        password = () if "password" in methods else ("-s",)
        banner = ("-b", str(_banner(context))) if rng.random() < 0.15 else ()
        options = ("-F", "-E", "-p", str(port), "-r", str(host_key.for_dropbear()), *password, *banner)
        host.spawn("dropbear", *options, log="server")
    else:
        serve = {"asyncssh": asyncssh_server.serve, "paramiko": paramiko_server.serve}[kind]
        host.spawn_python(serve, port, host_key.path, account, methods, choice, log="server")
    host.wait_for_port(port)
    return Server(kind, port, account, host_key, methods, lambda: host.log_text("server"))


def program(kind: str, name: str) -> str:
    """Where a program of OpenSSH 9 or 10 is."""
    folder = {
        "ssh": "bin",
        "scp": "bin",
        "sftp": "bin",
        "ssh-keyscan": "bin",
        "ssh-agent": "bin",
        "sshd": "sbin",
    }[name]
    root = OPENSSH10 if kind == "openssh10" else Path("/")
    return str(root / "usr" / folder / name)


@cache
def version(kind: str) -> str:
    """The version of a program, as it says itself."""
    if kind in ("asyncssh", "paramiko"):
        return package_version(kind)
    command = {
        "openssh9": ("/usr/bin/ssh", "-V"), "openssh10": (program("openssh10", "ssh"), "-V"),
        "dropbear": ("dropbear", "-V"), "dbclient": ("dbclient", "-V"), "plink": ("plink", "-V"),
    }[kind]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    match = re.search(r"(?:OpenSSH_|Dropbear v|Release )(\S+?),?(?:\s|$)", told.stdout + told.stderr)
    return match[1] if match else "?"


def _banner(context: Context) -> Path:
    path = context.server.folder / "banner"
    path.write_text(words.text(context.rng, context.rng.randint(1, 12)))
    return path


def _openssh(
    context: Context,
    kind: str,
    port: int,
    host_key: keys.Key,
    methods: tuple[str, ...],
    choice: Choice,
    pam: bool,
) -> None:
    rng, host = context.rng, context.server

    def yes(which: bool) -> str:
        return "yes" if which else "no"

    lines = [
        f"Port {port}", f"HostKey {host_key.path}", "PidFile none", f"UsePAM {yes(pam)}", "UseDNS no",
        "LogLevel VERBOSE",
        f"PasswordAuthentication {yes('password' in methods)}",
        f"KbdInteractiveAuthentication {yes('keyboard-interactive' in methods)}",
        f"PubkeyAuthentication {yes('publickey' in methods)}",
        f"MaxAuthTries {rng.choice((6, 6, 10))}", "MaxStartups 100", f"PrintMotd {yes(rng.random() < 0.5)}",
        f"PrintLastLog {yes(rng.random() < 0.3)}", f"X11Forwarding {yes(rng.random() < 0.5)}",
        f"DebianBanner {yes(rng.random() < 0.7)}",
        f"Compression {yes(rng.random() < 0.8 or choice.compression)}",
        f"Subsystem sftp {rng.choice(('internal-sftp', '/usr/lib/openssh/sftp-server'))}",
    ]  # fmt: skip
    if rng.random() < 0.5:
        lines.append("AcceptEnv LANG LC_*")
    if rng.random() < 0.15:
        lines.append(f"Banner {_banner(context)}")
    named = {"Ciphers": choice.cipher, "MACs": choice.mac, "KexAlgorithms": choice.kex}
    lines += [f"{word} {name}" for word, name in named.items() if name]
    if kind == "openssh10":
        library = OPENSSH10 / "usr" / "lib" / "openssh"
        lines += [
            "PerSourcePenalties no",
            f"SshdSessionPath {library}/sshd-session",
            f"SshdAuthPath {library}/sshd-auth",
        ]
    config = host.folder / "sshd_config"
    config.write_text("\n".join(lines) + "\n")
    host.spawn(program(kind, "sshd"), "-D", "-e", "-f", str(config), log="server")
