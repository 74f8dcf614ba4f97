"""Tools that meet SSH servers by the dozen: guessers of passwords, scanners, readers of banners."""

from __future__ import annotations

from dataclasses import replace

from tools.lab import words
from tools.lab.accounts import random_account
from tools.lab.errors import ProgramError, UncertainError
from tools.lab.human import INTERRUPT, Typist
from tools.lab.link import Link
from tools.lab.net import until
from tools.lab.scenario import Context, scenario
from tools.lab.ssh import server
from tools.lab.ssh.algorithm import Choice
from tools.lab.ssh.login import facts
from tools.lab.ssh.server import OPENSSH10, Server, version
from tools.lab.terminal import Terminal

OPENSSH = ("openssh9", "openssh10")
GUESSES_S = 120.0


def start(context: Context, *kinds: str, method: str = "password") -> Server:
    """A server with an account that nobody here knows."""
    kind = server.draw_kind(context, *kinds)
    account = random_account(context.rng, context.server)
    return server.start(context, kind, account, ("publickey", method), Choice())


def installed(context: Context, package: str) -> str:
    """The version of a Debian package."""
    told = context.client.run("dpkg-query", "-W", "-f", "${Version}", package).stdout
    return str(told).split("-")[0]


def guess(context: Context, where: Server) -> tuple[str, str]:
    """Files of names and of passwords to try; in some runs the right password is among them."""
    rng, folder = context.rng, context.client.folder
    users = [where.account.name] if rng.random() < 0.6 else [where.account.name, words.user_name(rng)]
    passwords = [words.password(rng) for _ in range(rng.randint(2, 10))]
    if rng.random() < 0.35:
        passwords[rng.randrange(len(passwords))] = where.account.password
    for name, lines in (("users", users), ("passwords", passwords)):
        (folder / name).write_text("\n".join(dict.fromkeys(lines)) + "\n")
    return str(folder / "users"), str(folder / "passwords")


def label_guesses(context: Context, where: Server) -> None:
    """Each connection by what the server's log says of it; those without a credential are left out."""
    until(lambda: context.server.connections() == 0, "the end of the connections")
    told = {
        port: history for port, history in where.histories().items() if history.refused or history.accepted
    }
    if not told:
        raise UncertainError("the server logged no credential")
    for port, history in told.items():
        outcome = "auth-success" if history.accepted else "auth-failed"
        context.label(
            {"class": "ssh", "outcome": outcome, "attempts": len(history.refused), "actor": "bot"},
            port=where.port,
            client_port=port,
            refused=history.refused,
            accepted=history.accepted,
            **facts(where, Choice()),
        )


@scenario("ssh.guess.hydra", runs=60)
def hydra(context: Context) -> None:
    """hydra tries passwords, a few connections at a time."""
    rng = context.rng
    where = start(context, "openssh9", "openssh10", "dropbear", "asyncssh")
    context.software("client", "hydra", installed(context, "hydra"))
    users, passwords = guess(context, where)
    family = ["-6"] if context.link.family == 6 else []
    address = f"[{context.server.address}]" if family else context.server.address
    command = [
        "hydra",
        *family,
        "-I",
        "-L",
        users,
        "-P",
        passwords,
        "-t",
        str(rng.randint(1, 4)),
        "-s",
        str(where.port),
    ]
    context.client.run(
        *command, f"ssh://{address}", cwd=context.client.folder, within_s=GUESSES_S, check=False
    )
    label_guesses(context, where)


def over_ipv4(link: Link) -> Link:
    """For programs that know nothing else."""
    return replace(link, family=4)


@scenario("ssh.guess.medusa", runs=40, link=over_ipv4)
def medusa(context: Context) -> None:
    """medusa tries passwords, a few connections at a time."""
    where = start(context, "openssh9", "openssh10", "dropbear", "asyncssh")
    context.software("client", "medusa", installed(context, "medusa"))
    users, passwords = guess(context, where)
    threads = str(context.rng.randint(1, 4))
    target = ["-h", context.server.address, "-n", str(where.port), "-M", "ssh"]
    command = ["medusa", *target, "-U", users, "-P", passwords, "-t", threads]
    context.client.run(*command, within_s=GUESSES_S, check=False)
    label_guesses(context, where)


BANNER = {"class": "ssh", "outcome": "banner-only"}


@scenario("ssh.banner.keyscan", runs=45)
def keyscan(context: Context) -> None:
    """ssh-keyscan asks for the host's keys: a connection for each kind, closed in the key exchange."""
    rng = context.rng
    where = start(context)
    kind = rng.choice(OPENSSH)
    context.software("client", "ssh-keyscan", version(kind))
    kinds = (
        ["-t", ",".join(rng.sample(("rsa", "ecdsa", "ed25519"), rng.randint(1, 3)))]
        if rng.random() < 0.5
        else []
    )
    scan = "ssh-keyscan" if kind == "openssh9" else str(OPENSSH10 / "usr" / "bin" / "ssh-keyscan")
    context.client.run(scan, "-p", str(where.port), "-T", "8", *kinds, context.server.address, check=False)
    context.label({**BANNER, "actor": "bot"}, port=where.port, every=True, **facts(where, Choice()))


@scenario("ssh.banner.nmap", runs=35)
def nmap(context: Context) -> None:
    """nmap asks for version, algorithms or host keys."""
    rng = context.rng
    where = start(context)
    context.software("client", "nmap", installed(context, "nmap"))
    family = ["-6"] if context.link.family == 6 else []
    what = rng.choice(
        (["-sV"], ["--script", "banner"], ["--script", "ssh2-enum-algos"], ["--script", "ssh-hostkey"])
    )
    context.facts["scan"] = what[-1]
    command = ["nmap", *family, "-Pn", "-n", "-sT", "-p", str(where.port), *what, context.server.address]
    context.client.run(*command, within_s=GUESSES_S)
    context.label({**BANNER, "actor": "bot"}, port=where.port, every=True, **facts(where, Choice()))


@scenario("ssh.banner.nc", runs=40)
def netcat(context: Context) -> None:
    """A program reads the banner with netcat, and sometimes says something first."""
    rng = context.rng
    where = start(context)
    context.software("client", "netcat-openbsd", installed(context, "netcat-openbsd"))
    said = rng.choice(
        ("", "", "SSH-2.0-scanner\r\n", "\r\n", "GET / HTTP/1.0\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n")
    )
    wait_s = rng.choice((1, 2, 3))
    options = ["-w", str(wait_s), *(("-N",) if rng.random() < 0.5 else ())]
    context.client.run("nc", *options, context.server.address, str(where.port), input=said, check=False)
    context.label({**BANNER, "actor": "bot"}, port=where.port, said=said)


@scenario("ssh.banner.human", runs=25)
def by_hand(context: Context) -> None:
    """A person looks at the banner with netcat, perhaps types a word, and leaves."""
    rng = context.rng
    where = start(context)
    context.software("client", "netcat-openbsd", installed(context, "netcat-openbsd"))
    typist, said = Typist(rng), rng.random() < 0.5
    with context.terminal("nc", context.server.address, str(where.port)) as terminal:
        terminal.expect("SSH-2.0-")
        if said:
            typist.line(terminal, rng.choice(("hello", "help", "quit", "", words.password(rng))))
        typist.think(terminal)
        _leave(terminal)
    context.label({**BANNER, "actor": "human"} if said else BANNER, port=where.port)


def _leave(terminal: Terminal) -> None:
    if terminal.ended():
        return  # the server did not like what was said
    try:
        terminal.send(INTERRUPT)
    except ProgramError:
        return  # the same, a moment later
    terminal.wait()
