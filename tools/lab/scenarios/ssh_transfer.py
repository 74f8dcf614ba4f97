"""Files over SSH: scp (new and old protocol) and sftp, both ways, by program and by hand."""

from __future__ import annotations

from tools.lab import words
from tools.lab.bot import Bot
from tools.lab.errors import UncertainError
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.ssh.login import Login, plan
from tools.lab.ssh.server import program
from tools.lab.terminal import Terminal

OPENSSH = ("openssh9", "openssh10")
SERVERS = (*OPENSSH, "dropbear", "asyncssh")
LARGEST = 1_500_000
PROMPT = r"sftp> $"


def draw_files(context: Context, login: Login, upload: bool) -> list[str]:
    """Files to be sent, on the right side, of 1 byte to 1.5 MB."""
    rng, account = context.rng, login.server.account
    folder = context.client.folder if upload else account.home
    names = [f"{number}{words.file_name(rng)}" for number in range(rng.choice((1, 1, 1, 2, 4)))]
    for name in names:
        (folder / name).write_bytes(rng.randbytes(int(LARGEST ** rng.random())))
        if not upload:
            account.own(folder / name)
    return names


def arrived(context: Context, login: Login, names: list[str], upload: bool) -> None:
    """The files are there, whole; Uncertain if not."""
    here, there = context.client.folder, login.server.account.home
    for name in names:
        copy = (there if upload else here / "in") / name
        if not copy.exists() or copy.read_bytes() != ((here if upload else there) / name).read_bytes():
            raise UncertainError(f"{name} did not arrive")


def base(context: Context, login: Login, name: str) -> list[str]:
    """scp or sftp up to the operands."""
    client = login.client
    options = client.openssh_options(context)
    return [
        program(client.kind, name),
        "-S",
        program(client.kind, "ssh"),
        "-P",
        str(login.server.port),
        *options,
    ]


def target(context: Context, login: Login, path: str = "") -> str:
    address = context.server.address
    bare = f"[{address}]" if ":" in address else address
    return f"{login.server.account.name}@{bare}:{path}"


def draw(context: Context, actor: str) -> Login:
    """A login for a transfer; people who do not type the password leave no trace of theirs."""
    method = context.rng.choice(("password", "keyboard-interactive")) if actor == "human" else ""
    login = plan(context, actor, True, method=method, ask=0.15 if actor == "human" else 0.05,
                 clients=OPENSSH, servers=SERVERS)  # fmt: skip
    (context.client.folder / "in").mkdir()
    return login


def copy(context: Context, actor: str, upload: bool) -> None:
    """scp, started by a program or a person."""
    login = draw(context, actor)
    names = draw_files(context, login, upload)
    here = context.client.folder
    old = ["-O"] if context.rng.random() < 0.3 else []
    context.facts["protocol"] = "scp" if old else "sftp"
    if upload:
        operands = [*(str(here / name) for name in names), target(context, login)]
    else:
        operands = [*(target(context, login, name) for name in names[:1]), str(here / "in")]
        names = names[:1]  # each further one would be a connection of its own
    with login.through(context, [*base(context, login, "scp"), *old, *operands]) as terminal:
        terminal.wait(90.0)
    arrived(context, login, names, upload)
    login.label(context, activity="upload" if upload else "download")


def work(context: Context, actor: str, upload: bool) -> None:
    """sftp with its own command line, worked by a program or a person."""
    login = draw(context, actor)
    names = draw_files(context, login, upload)
    here = context.client.folder
    context.facts["protocol"] = "sftp"
    with login.through(context, [*base(context, login, "sftp"), target(context, login)[:-1]]) as terminal:
        terminal.expect(PROMPT)
        for name in names:
            if context.rng.random() < 0.4:
                line(login, terminal, context.rng.choice(("ls", "pwd", "ls -l")))
            line(login, terminal, f"put {here / name}" if upload else f"get {name} {here}/in/")
        login.hands.line(terminal, context.rng.choice(("bye", "quit", "exit")))
        terminal.wait()
    arrived(context, login, names, upload)
    login.label(context, activity="upload" if upload else "download")


def line(login: Login, terminal: Terminal, text: str) -> None:
    hands: Typist | Bot = login.hands
    hands.line(terminal, text)
    hands.read(terminal, terminal.expect(PROMPT, within_s=90.0))


@scenario("ssh.scp.up.bot", runs=50)
def scp_up(context: Context) -> None:
    """A program sends files with scp."""
    copy(context, "bot", True)


@scenario("ssh.scp.down.bot", runs=50)
def scp_down(context: Context) -> None:
    """A program fetches a file with scp."""
    copy(context, "bot", False)


@scenario("ssh.scp.up.human", runs=25)
def scp_up_by_hand(context: Context) -> None:
    """A person types the password for an scp that sends."""
    copy(context, "human", True)


@scenario("ssh.scp.down.human", runs=25)
def scp_down_by_hand(context: Context) -> None:
    """A person types the password for an scp that fetches."""
    copy(context, "human", False)


@scenario("ssh.sftp.up.bot", runs=40)
def sftp_up(context: Context) -> None:
    """A program works sftp to send files."""
    work(context, "bot", True)


@scenario("ssh.sftp.down.bot", runs=40)
def sftp_down(context: Context) -> None:
    """A program works sftp to fetch files."""
    work(context, "bot", False)


@scenario("ssh.sftp.up.human", runs=25)
def sftp_up_by_hand(context: Context) -> None:
    """A person works sftp to send files."""
    work(context, "human", True)


@scenario("ssh.sftp.down.human", runs=25)
def sftp_down_by_hand(context: Context) -> None:
    """A person works sftp to fetch files."""
    work(context, "human", False)
