"""SSH that carries something else: forwarded ports, reverse sessions, a forwarded agent."""

from __future__ import annotations

import functools
import http.server
import os
import pty
import select
import socket
from pathlib import Path
from shlex import quote

from tools.lab import words
from tools.lab.bot import Bot
from tools.lab.human import INTERRUPT, Typist
from tools.lab.net import until
from tools.lab.scenario import Context, scenario
from tools.lab.ssh.login import Login, plan
from tools.lab.ssh.server import program
from tools.lab.terminal import Terminal

OPENSSH = ("openssh9", "openssh10")
WEB, LOCAL, REMOTE, SHELL = 8000, 8080, 4022, 4444
LARGEST = 400_000
SESSION_S = 60.0


@scenario("ssh.forward.local", runs=60)
def local(context: Context) -> None:
    """A forwarded port (-L) with a web server behind it, asked a few times by a program."""
    rng = context.rng
    login = plan(context, "bot", True, ask=0.05, servers=(*OPENSSH, "dropbear", "asyncssh"))
    folder = context.server.folder / "web"
    folder.mkdir()
    names = [f"{number}.html" for number in range(rng.randint(1, 5))]
    for name in names:
        (folder / name).write_bytes(rng.randbytes(int(LARGEST ** rng.random())))
    context.server.spawn_python(serve_files, folder, log="web")
    context.server.wait_for_port(WEB)
    with login.open(context, extra=["-N", "-L", f"{LOCAL}:127.0.0.1:{WEB}"]) as terminal:
        until(lambda: context.client.listens(LOCAL), "the forwarded port", 30.0)
        for _ in range(rng.randint(1, 8)):
            context.client.run(
                "curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{LOCAL}/{rng.choice(names)}"
            )
            terminal.pause(rng.choice((0.0, rng.uniform(0, 2))))
        terminal.send(INTERRUPT)
        terminal.wait()
    login.label(context, activity="forward", tunnel="http-in-ssh")


def serve_files(folder: Path) -> None:
    """A web server on the loopback of the host it runs on."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    http.server.ThreadingHTTPServer(("127.0.0.1", WEB), handler).serve_forever()


def reverse(context: Context, actor: str) -> None:
    """A reverse tunnel (-R): a shell of the client's, worked from the server's side."""
    rng = context.rng
    login = plan(context, "bot", True, ask=0.05, servers=(*OPENSSH, "dropbear"))
    context.client.spawn_python(offer_shell, context.client.folder, log="shell")
    context.client.wait_for_port(SHELL)
    with login.open(context, extra=["-N", "-R", f"{REMOTE}:127.0.0.1:{SHELL}"]) as outer:
        until(lambda: context.server.listens(REMOTE), "the reverse port", 30.0)
        outer.pause(rng.uniform(0, 3))
        command = context.server.words("nc", "127.0.0.1", str(REMOTE))
        hands = Typist(rng) if actor == "human" else Bot(rng)
        with Terminal(command, context.server.log("reverse")) as inner:
            inner.expect(r"\$ $")
            for _ in range(rng.randint(1, 8)):
                hands.line(inner, words.command(rng, ["notes.txt"]))
                hands.read(inner, inner.expect(r"\$ $", within_s=SESSION_S))
            hands.line(inner, "exit")
            inner.pause(1.0)
            inner.close()  # netcat would wait for more from its terminal
        outer.send(INTERRUPT)
        outer.wait()
    label_reverse(context, login, actor, hands)


def label_reverse(context: Context, login: Login, actor: str, hands: Typist | Bot) -> None:
    """Who works the shell is the actor, not the program that logged in."""
    if isinstance(hands, Bot):
        context.facts["bot"] = hands.kind
    login.label(context, activity="reverse", tunnel="shell-in-ssh", actor=actor)


def offer_shell(folder: Path) -> None:
    """One shell on a terminal, for whoever connects to the loopback port; as `nc -e` would."""
    with socket.create_server(("127.0.0.1", SHELL)) as listener:
        connection, _ = listener.accept()
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve("/bin/sh", ["/bin/sh", "-i"], {"PS1": "$ ", "PATH": "/usr/bin:/bin", "TERM": "xterm"})
    while True:
        ready, _, _ = select.select([terminal, connection], [], [])
        try:
            if connection in ready:
                data = connection.recv(4096)
                if not data:
                    break
                os.write(terminal, data)
            if terminal in ready:
                connection.sendall(os.read(terminal, 4096))
        except OSError:
            break  # the shell has ended
    connection.close()
    os.close(terminal)
    os.waitpid(pid, 0)


@scenario("ssh.reverse.human", runs=45, limit_s=400.0)
def reverse_by_hand(context: Context) -> None:
    """A person works the client's shell through a reverse tunnel."""
    reverse(context, "human")


@scenario("ssh.reverse.bot", runs=35)
def reverse_by_program(context: Context) -> None:
    """A program works the client's shell through a reverse tunnel."""
    reverse(context, "bot")


@scenario("ssh.agent", runs=30)
def agent(context: Context) -> None:
    """One command with the agent forwarded (-A), which asks the agent for its keys."""
    rng = context.rng
    login = plan(context, "bot", True, ask=0.05, clients=OPENSSH, servers=(*OPENSSH, "dropbear"))
    key = context.client.folder / "carried"
    context.client.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    remote = rng.choice(("ssh-add -l", "ssh-add -l; ssh-add -L", "uptime; ssh-add -l"))
    inner = " ".join(quote(word) for word in login.client.words(context, remote, extra=["-A"]))
    command = [
        program(login.client.kind, "ssh-agent"),
        "sh",
        "-c",
        f"ssh-add -q {quote(str(key))} && exec {inner}",
    ]
    with login.through(context, command) as terminal:
        terminal.wait(SESSION_S)
    context.facts["agent"] = True
    login.label(context, activity="exec")
