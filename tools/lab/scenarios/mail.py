"""SMTP and POP3 by hand, by programs and by scripts; IMAP by programs."""

from __future__ import annotations

import re

from tools.lab import dialogue, names, program
from tools.lab.errors import UncertainError
from tools.lab.hand import by_hand, tool
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.service import Service, bracketed
from tools.lab.service import mail as server

HELD_OUT = {"aiosmtpd 1.4", "popa3d 1.0"}
"""Servers kept from learning.  The clients kept are msmtp and ncat."""

TAKEN = re.compile(r"(?ms)^354[ -].*?^250[ -]")
_AGREED = re.compile(r"(?m)^\+OK")
_REJECTED = re.compile(r"(?m)^-ERR .*[Aa]uthentication failed")

PAUSES = (
    ("none", 0.0),
    ("none", 0.0),
    ("fixed", 0.05),
    ("fixed", 0.5),
    ("fixed", 1.0),
    ("fixed", 2.0),
    ("even", 0.3),
    ("even", 1.0),
    ("even", 2.0),
    ("exponential", 0.7),
    ("exponential", 1.5),
)
"""How scripts pause between lines: mostly not, or as `sleep 1` does, or at random."""


@scenario("smtp.hand", runs=70, limit_s=400.0)
def smtp_by_hand(context: Context) -> None:
    """A mail typed in telnet or netcat."""
    service = _smtp(context)
    play = dialogue.smtp(context.rng)
    command = _tool(context, service.port, crlf=service.software.startswith("aiosmtpd"))
    screen = by_hand(context, command, play.steps, Typist(context.rng), quits=play.quits)
    _label_smtp(context, screen, service.port, "human", command[0])


@scenario("smtp.script", runs=40)
def smtp_by_script(context: Context) -> None:
    """The same dialogues played by a script with pauses of its own."""
    service = _smtp(context)
    play = dialogue.smtp(context.rng, mistakes=context.rng.random() < 0.3)
    said = script(context, service.port, play.steps, crlf=service.software.startswith("aiosmtpd"))
    _label_smtp(context, said["answer"], service.port, "bot", "script", client_port=said["client_port"])


@scenario("smtp.program", runs=60)
def smtp_by_program(context: Context) -> None:
    """swaks, curl, smtplib, msmtp or s-nail deliver a mail, or are refused."""
    rng = context.rng
    service = _smtp(context)
    client = rng.choice(
        ("curl", "smtplib", "msmtp", "s-nail", *(["swaks"] if context.link.family == 4 else []))
    )
    refused = rng.random() < 0.2
    recipient = names.mail(rng, names.host(rng) if refused else "example.org")
    delivered = {"swaks": swaks, "curl": _curl, "smtplib": smtplib, "msmtp": _msmtp, "s-nail": _s_nail}[
        client
    ](context, service.port, names.mail(rng), recipient)
    if delivered == refused:
        raise UncertainError(f"{client}: delivered {delivered}, refused {refused}")
    context.software("client", client, "", held_out=client == "msmtp")
    activity = {"activity": "delivery"} if delivered else {}
    context.label({"class": "smtp", "actor": "bot", **activity}, port=service.port)


def swaks(context: Context, port: int, sender: str, recipient: str, *, tls: bool = False) -> bool:
    """Deliver a mail; whether it was taken."""
    rng = context.rng
    options = [
        "--server",
        bracketed(context.server.address),
        "-p",
        str(port),
        "--from",
        sender,
        "--to",
        recipient,
        "--helo",
        names.host(rng),
    ]
    options += ["-tlsc"] if tls else ["--protocol", rng.choice(("SMTP", "ESMTP"))]
    options += ["--body", names.sentence(rng)] if rng.random() < 0.5 else []
    return bool(context.client.run("swaks", *options, check=False).returncode == 0)


def _curl(context: Context, port: int, sender: str, recipient: str) -> bool:
    letter = context.client.folder / "letter"
    letter.write_bytes(server.letter(context.rng))
    url = f"smtp://{bracketed(context.server.address)}:{port}/{names.host(context.rng)}"
    done = context.client.run(
        "curl", "-sS", url, "--mail-from", sender, "--mail-rcpt", recipient, "-T", str(letter), check=False
    )
    return bool(done.returncode == 0)


def smtplib(context: Context, port: int, sender: str, recipient: str, *, tls: bool = False) -> bool:
    rng = context.rng
    said = program.run(
        context.client,
        "mail_client",
        protocol="smtp",
        address=context.server.address,
        port=port,
        tls=tls,
        pause=rng.choice(PAUSES),
        seed=rng.getrandbits(32),
        helo=names.host(rng),
        sender=sender,
        recipients=[recipient],
        text=server.letter(rng).decode(),
        count=rng.choice((1, 1, 2, 3)),
    )
    return bool(said["ended"] == "delivered")


def _msmtp(context: Context, port: int, sender: str, recipient: str) -> bool:
    options = [
        "--host",
        context.server.address,
        "--port",
        str(port),
        "--tls=off",
        "--auth=off",
        "--from",
        sender,
    ]
    done = context.client.run(
        "msmtp", *options, recipient, input=server.letter(context.rng).decode(), check=False
    )
    return bool(done.returncode == 0)


def _s_nail(context: Context, port: int, sender: str, recipient: str) -> bool:
    url = f"smtp://{bracketed(context.server.address)}:{port}"
    options = [
        "-:/",
        "-Sv15-compat",
        f"-Smta={url}",
        "-Ssmtp-config=none",
        f"-Sfrom={sender}",
        f"-Shostname={names.host(context.rng)}",
        "-Ssendwait",
        "-Ssmtp-auth=none",
        "-s",
        names.sentence(context.rng),
    ]
    done = context.client.run(
        "s-nail", *options, recipient, input=names.text(context.rng, 200).decode(), check=False
    )
    return bool(done.returncode == 0)


@scenario("pop3.hand", runs=40)
def pop3_by_hand(context: Context) -> None:
    """A mailbox looked into by hand."""
    rng = context.rng
    name, secret = names.person(rng, 20), names.password(rng)
    service = _known(context, server.pop3(context.server, rng, {name: secret}))
    play = dialogue.pop3(rng, name, secret)
    command = _tool(context, service.port)
    screen = by_hand(context, command, play.steps, Typist(context.rng), quits=play.quits)
    _label_pop3(context, screen, service.port, "human", play)


@scenario("pop3.script", runs=20)
def pop3_by_script(context: Context) -> None:
    """The same by a script."""
    rng = context.rng
    name, secret = names.person(rng, 20), names.password(rng)
    service = _known(context, server.pop3(context.server, rng, {name: secret}))
    play = dialogue.pop3(rng, name, secret, mistakes=rng.random() < 0.3)
    said = script(context, service.port, play.steps)
    _label_pop3(context, said["answer"], service.port, "bot", play)


@scenario("pop3.program", runs=30)
def pop3_by_program(context: Context) -> None:
    """poplib or curl reads a mailbox."""
    rng = context.rng
    name, secret = names.person(rng, 20), names.password(rng)
    service = _known(context, server.pop3(context.server, rng, {name: secret}))
    _read(context, "pop3", service.port, name, secret)


@scenario("imap.program", runs=30)
def imap_by_program(context: Context) -> None:
    """imaplib or curl reads a mailbox."""
    rng = context.rng
    name, secret = names.person(rng, 20), names.password(rng)
    service = _known(context, server.imap(context.server, rng, {name: secret}))
    _read(context, "imap", service.port, name, secret)


def _read(context: Context, protocol: str, port: int, name: str, secret: str) -> None:
    rng = context.rng
    wrong = [names.password(rng) for _ in range(rng.choices((0, 1, 2), (7, 2, 1))[0])]
    if rng.random() < 0.5:
        context.software("client", f"Python {'poplib' if protocol == 'pop3' else 'imaplib'}", "3.11")
        said = program.run(
            context.client,
            "mail_client",
            protocol=protocol,
            address=context.server.address,
            port=port,
            tls=False,
            pause=rng.choice(PAUSES),
            seed=rng.getrandbits(32),
            name=name,
            password=secret,
            wrong=wrong if rng.random() < 0.8 or protocol == "imap" else [],
        )
        outcome = "auth-success" if said["ended"] == "read" else "auth-failed"
    else:
        context.software("client", "curl", "7.88")
        given = rng.choice((secret, secret, secret, names.password(rng)))
        path = rng.choice(("", "1" if protocol == "pop3" else "INBOX;UID=1"))
        done = context.client.run(
            "curl",
            "-sS",
            f"{protocol}://{bracketed(context.server.address)}:{port}/{path}",
            "-u",
            f"{name}:{given}",
            check=False,
        )
        if done.returncode not in (0, 8, 67, 78):
            raise UncertainError(f"curl ended with {done.returncode}")
        outcome = "auth-failed" if done.returncode == 67 else "auth-success"
        if (given == secret) != (outcome == "auth-success"):
            raise UncertainError("curl and the password disagree")
    context.label({"class": protocol, "actor": "bot", "outcome": outcome}, port=port)


def script(
    context: Context, port: int, steps: list[dialogue.Step], *, tls: bool = False, crlf: bool = False
) -> dict[str, str]:
    """Play steps with the line bot, at one of the paces of scripts; what it said."""
    rng = context.rng
    pause = rng.choice(PAUSES)
    blind = pause[0] == "fixed" and pause[1] >= 0.5 and rng.random() < 0.4  # echo and sleep
    context.software("client", "script", "blind" if blind else "waits")
    context.facts["pause"] = list(pause)
    return program.run(
        context.client,
        "line_bot",
        within_s=150,
        address=context.server.address,
        port=port,
        tls=tls,
        steps=[[step.wait, step.line] for step in steps],
        end="\r\n" if crlf or rng.random() < 0.7 else "\n",
        pause=pause,
        blind=blind,
        seed=rng.getrandbits(32),
    )


def _smtp(context: Context) -> Service:
    return _known(context, server.smtp(context.server, context.rng))


def _known(context: Context, service: Service) -> Service:
    context.software("server", service.software, "", held_out=service.software in HELD_OUT)
    return service


def _tool(context: Context, port: int, *, crlf: bool = False) -> list[str]:
    command = tool(context.rng, context.server.address, port, crlf=crlf)
    context.software("client", command[0], "", held_out=command[0] == "ncat")
    return command


def _label_smtp(
    context: Context, answer: str, port: int, actor: str, client: str, client_port: object = None
) -> None:
    if not re.search(r"(?m)^220[ -]", answer):
        raise UncertainError("no greeting")
    activity = {"activity": "delivery"} if TAKEN.search(answer) else {}
    context.label({"class": "smtp", "actor": actor, **activity}, port=port)


def _label_pop3(context: Context, answer: str, port: int, actor: str, play: dialogue.Dialogue) -> None:
    # behind the last rejection: the answers to name and password, and the greeting if there was none
    answers = len(_AGREED.findall(_REJECTED.split(answer)[-1]))
    rejected = len(_REJECTED.findall(answer))
    outcome, rejected = login(play, rejected, answers >= (2 if rejected else 3))
    context.label(
        {"class": "pop3", "actor": actor, "outcome": outcome, "attempts": rejected or None}, port=port
    )


def login(play: dialogue.Dialogue, rejected: int, let_in: bool) -> tuple[str, int]:
    """What became of a dialogue's logins, outcome and rejections, if the server's words and ours agree."""
    if rejected == play.rejected and play.outcome and let_in == (play.outcome == "auth-success"):
        return play.outcome, rejected
    if 0 < rejected <= play.rejected and not let_in:  # the server had enough of it
        return "auth-failed", rejected
    raise UncertainError(f"{rejected} logins were rejected, expected {play.rejected}; let in: {let_in}")
