"""SSH that carries mail, another SSH, or pages over TLS through a forwarded port."""

from __future__ import annotations

import functools
import http.server
from collections.abc import Iterator
from contextlib import contextmanager

from tools.lab import dialogue, names, program
from tools.lab.errors import UncertainError
from tools.lab.hand import by_hand, tool
from tools.lab.human import INTERRUPT, Typist
from tools.lab.net import until
from tools.lab.scenario import Context, scenario
from tools.lab.scenarios import mail
from tools.lab.scenarios.ssh_forward import LOCAL, OPENSSH
from tools.lab.service import bracketed, shell, web
from tools.lab.service import mail as mail_server
from tools.lab.ssh.keys import make
from tools.lab.ssh.login import Login, plan

INNER_SSH = 4022
HOST_KEY = 6
"""Number of the key that the inner SSH server shows; see login.REFUSED."""


@contextmanager
def forwarded(context: Context, login: Login, address: str, port: int) -> Iterator[int]:
    """A local port that SSH forwards to this one of the server's, until the end of the block."""
    if login.client.kind == "dbclient" and ":" in address:
        raise UncertainError("dbclient forwards to no IPv6 address")
    with login.open(context, extra=["-N", "-L", f"{LOCAL}:{bracketed(address)}:{port}"]) as terminal:
        until(lambda: context.client.listens(LOCAL), "the forwarded port", 30.0)
        terminal.pause(context.rng.choice((0.0, context.rng.uniform(0, 2))))
        yield LOCAL
        terminal.pause(context.rng.uniform(0, 1))
        terminal.send(INTERRUPT)
        terminal.wait()


def draw_login(context: Context) -> Login:
    return plan(context, "bot", True, ask=0.05, servers=(*OPENSSH, "dropbear", "asyncssh"))


@scenario("ssh.forward.smtp.program", runs=12)
def mail_by_program(context: Context) -> None:
    """A mail delivered through a forwarded port (-L) by smtplib, curl or swaks."""
    rng = context.rng
    login = draw_login(context)
    service = mail_server.smtp(context.server, rng, "aiosmtpd")
    sender, recipient = names.mail(rng), names.mail(rng, "example.org")
    letter = context.client.folder / "letter"
    letter.write_bytes(mail_server.letter(rng))
    kind = rng.choice(("smtplib", "curl", "swaks"))
    with forwarded(context, login, context.server.address, service.port) as port:
        if kind == "smtplib":
            settings = {
                "protocol": "smtp", "address": "127.0.0.1", "port": port, "tls": False,
                "pause": rng.choice(mail.PAUSES), "seed": rng.getrandbits(32), "helo": names.host(rng),
                "sender": sender, "recipients": [recipient], "text": letter.read_text(), "count": 1,
            }  # fmt: skip
            taken = program.run(context.client, "mail_client", **settings)["ended"] == "delivered"
        else:
            url = f"smtp://127.0.0.1:{port}/{names.host(rng)}"
            commands = {
                "curl": ["-sS", url, "--mail-from", sender, "--mail-rcpt", recipient, "-T", str(letter)],
                "swaks": ["--server", "127.0.0.1", "-p", str(port), "--from", sender, "--to", recipient],
            }
            taken = context.client.run(kind, *commands[kind], check=False).returncode == 0
    if not taken:
        raise UncertainError(f"{kind} did not deliver")
    context.facts["inner"] = {"client": kind, "server": service.software}
    login.label(context, activity="forward", tunnel="smtp-in-ssh")


@scenario("ssh.forward.smtp.hand", runs=12, limit_s=400.0)
def mail_by_hand(context: Context) -> None:
    """A mail typed into telnet or netcat at a forwarded port (-L)."""
    rng = context.rng
    login = draw_login(context)
    service = mail_server.smtp(context.server, rng, "aiosmtpd")
    play = dialogue.smtp(rng)
    with forwarded(context, login, context.server.address, service.port) as port:
        command = tool(rng, "127.0.0.1", port, crlf=service.software.startswith("aiosmtpd"))
        screen = by_hand(context, command, play.steps, Typist(rng), quits=play.quits)
    if "220 " not in screen:
        raise UncertainError("no greeting")
    context.facts["inner"] = {"client": command[0], "server": service.software}
    login.label(context, activity="forward", tunnel="smtp-in-ssh", actor="human")


@scenario("ssh.forward.ssh", runs=12)
def ssh_through(context: Context) -> None:
    """A command run by another SSH through a forwarded port (-L); refused, or not."""
    rng = context.rng
    login = draw_login(context)
    key = make(rng, context.server.folder / "inner_key", HOST_KEY % 4, "PEM")
    inner = ("-F", "-E", "-p", f"127.0.0.1:{INNER_SSH}", "-r", str(key.for_dropbear()))
    context.server.spawn("dropbear", *inner, log="inner")
    context.server.wait_for_port(INNER_SSH)
    account = login.server.account
    secret = account.password if rng.random() < 0.6 else names.password(rng) + "!"
    with forwarded(context, login, "127.0.0.1", INNER_SSH) as port:
        target = [*shell.TRUSTING, "-p", str(port), f"{account.name}@127.0.0.1", "uname -a"]
        tries = ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"]
        done = context.client.run("sshpass", "-p", secret, "ssh", *tries, *target, check=False)
    if (secret == account.password) != (done.returncode == 0):
        raise UncertainError(f"the inner ssh ended with {done.returncode}: {done.stderr[-200:]}")
    context.facts["inner"] = {"client": "OpenSSH 9.2", "server": "dropbear 2022.83"}
    login.label(context, activity="forward", tunnel="ssh-in-ssh")


@scenario("ssh.forward.tls", runs=12)
def pages_through(context: Context) -> None:
    """Pages over TLS through a forwarded port (-L), or a SOCKS proxy of SSH's own (-D)."""
    rng = context.rng
    login = draw_login(context)
    folder = web.pages(context.server, rng)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    context.server.spawn_python(serve, handler, log="web")
    context.server.wait_for_port(8000)
    outer = web.certificate(context.server, rng)
    web.stunnel(context.server, 443, "127.0.0.1:8000", outer, web.terms(rng))
    with forwarded(context, login, context.server.address, 443) as port:
        for _ in range(rng.randint(1, 3)):
            url = f"https://127.0.0.1:{port}/{rng.choice(('', 'numbers.txt', 'style.css'))}"
            done = context.client.run("curl", "-sk", "-o", "/dev/null", url, check=False)
            if done.returncode:
                raise UncertainError(f"curl ended with {done.returncode}")
    context.facts["inner"] = {"client": "curl", "server": "stunnel"}
    login.label(context, activity="forward", tunnel="tls-in-ssh")


def serve(handler: functools.partial[http.server.SimpleHTTPRequestHandler]) -> None:
    http.server.ThreadingHTTPServer(("127.0.0.1", 8000), handler).serve_forever()
