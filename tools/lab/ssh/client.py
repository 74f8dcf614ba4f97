"""SSH clients that work a terminal: OpenSSH 9 and 10, dbclient and plink."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.lab.scenario import Context
from tools.lab.ssh import keys
from tools.lab.ssh.algorithm import Choice
from tools.lab.ssh.server import NAMES, Server, program, version

KINDS = {"openssh9": 50, "openssh10": 22, "dbclient": 14, "plink": 14}
"""Each kind and its weight in the draw."""
QUESTION = r"(?i)continue connecting|Store key in cache\?"
"""What each of them asks when the host key is not known."""
SECRET = r"(?i)(password|passphrase)[^\n]{0,80}: ?$"
"""The prompt for a password; at the end of the output, as only a prompt is."""


@dataclass(frozen=True, slots=True)
class Client:
    """One client, ready to be started.

    known    : it knows the host key already, or does not ask
    methods  : what it tries, in this order
    keys     : what it offers, in this order
    prompts  : how many passwords it asks for (OpenSSH only, the others go on until the server has enough)
    """

    kind: str
    server: Server
    choice: Choice
    methods: Sequence[str]
    keys: Sequence[keys.Key] = ()
    known: bool = True
    prompts: int = 3
    options: Sequence[str] = field(default=())

    def words(self, context: Context, *command: str, extra: Sequence[str] = ()) -> list[str]:
        """The command line: options of `extra`, then the server, then the remote command."""
        account = self.server.account
        return [
            *self._program(context),
            *extra,
            *self._target(account.name, context.server.address),
            *command,
        ]

    def _target(self, user: str, address: str) -> list[str]:
        return ["-l", user, address]

    def _program(self, context: Context) -> list[str]:
        port = str(self.server.port)
        if self.kind == "dbclient":
            names = ("-c", self.choice.cipher) if self.choice.cipher else ()
            macs = ("-m", self.choice.mac) if self.choice.mac else ()
            identities = [word for key in self.keys for word in ("-i", str(key.for_dropbear()))]
            return ["dbclient", "-p", port, *names, *macs, *identities]
        if self.kind == "plink":
            identities = [word for key in self.keys[:1] for word in ("-i", str(key.for_putty()))]
            known = ["-hostkey", fingerprint(self.server.host_key)] if self.known else []
            compressed = ["-C"] if self.choice.compression else []
            return [
                "plink",
                "-ssh",
                "-no-antispoof",
                "-noagent",
                "-P",
                port,
                *known,
                *compressed,
                *identities,
            ]
        return [program(self.kind, "ssh"), "-p", port, *self.openssh_options(context)]

    def openssh_options(self, context: Context) -> list[str]:
        """For ssh, scp and sftp alike."""
        rng, choice = context.rng, self.choice
        lines = [
            f"PreferredAuthentications={','.join(self.methods)}", f"NumberOfPasswordPrompts={self.prompts}",
            "IdentitiesOnly=yes", "GlobalKnownHostsFile=/dev/null", "ConnectTimeout=20",
            f"Compression={'yes' if choice.compression else 'no'}",
        ]  # fmt: skip
        if not self.keys:
            lines.append("PubkeyAuthentication=no")
        lines += [f"IdentityFile={key.path}" for key in self.keys]
        named = {"Ciphers": choice.cipher, "MACs": choice.mac, "KexAlgorithms": choice.kex}
        lines += [f"{word}=^{name}" for word, name in named.items() if name]
        if rng.random() < 0.4:
            lines.append("SendEnv=LANG LC_*")
        if rng.random() < 0.3:
            lines.append("HashKnownHosts=yes")
        lines += self.options
        return ["-F", "none", *(word for line in lines for word in ("-o", line))]


def prepare(context: Context, kind: str, server: Server, known: bool) -> None:
    """The client's own home folder, with the host key in it if it is known; notes who plays the client."""
    home = context.client.folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    (home / ".putty").mkdir()
    if known:
        address, port = context.server.address, server.port
        name = address if port == 22 else f"[{address}]:{port}"
        entry = " ".join(server.host_key.public.split()[:2])
        names = {name, address} if kind == "dbclient" else {name}
        (home / ".ssh" / "known_hosts").write_text("".join(f"{each} {entry}\n" for each in sorted(names)))
    context.client.bind(home, "/root")
    context.software("client", NAMES[kind], version(kind))


def draw_kind(context: Context, *only: str) -> str:
    """A kind at random, of these if some are named."""
    kinds = {kind: weight for kind, weight in KINDS.items() if not only or kind in only}
    return context.rng.choices(list(kinds), list(kinds.values()))[0]


def fingerprint(key: keys.Key) -> str:
    """As plink's -hostkey takes it."""
    told = subprocess.run(
        ("ssh-keygen", "-l", "-f", str(key.path)), capture_output=True, text=True, check=True
    )
    return told.stdout.split()[1]
