"""FTP by hand, by programs and by scripts."""

from __future__ import annotations

import re
from subprocess import CompletedProcess

from tools.lab import dialogue, names, program
from tools.lab.errors import UncertainError
from tools.lab.hand import by_hand, tool
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.scenarios.mail import PAUSES, login, script
from tools.lab.service import Service, bracketed
from tools.lab.service.ftp import PASSIVE, ftp

HELD_OUT = {"pyftpdlib 2.2"}
"""Servers kept from learning; the client kept is wget."""

_REJECTED = re.compile(r"(?m)^530 (Login incorrect|Authentication failed)")
_LET_IN = re.compile(r"(?m)^230 ")
_CURL = {0: "auth-success", 67: "auth-failed"}


@scenario("ftp.hand", runs=45)
def ftp_by_hand(context: Context) -> None:
    """A login and a look around, typed in telnet or netcat."""
    service, name, secret = _server(context)
    play = dialogue.ftp(context.rng, name, secret)
    command = tool(context.rng, context.server.address, service.port, crlf=True)
    context.software("client", command[0], "", held_out=command[0] == "ncat")
    screen = by_hand(context, command, play.steps, Typist(context.rng), quits=play.quits)
    _label(context, screen, "human", play)


@scenario("ftp.script", runs=20)
def ftp_by_script(context: Context) -> None:
    """The same by a script."""
    service, name, secret = _server(context)
    play = dialogue.ftp(context.rng, name, secret, mistakes=context.rng.random() < 0.3)
    said = script(context, service.port, play.steps, crlf=True)
    _label(context, said["answer"], "bot", play)


@scenario("ftp.program", runs=60)
def ftp_by_program(context: Context) -> None:
    """curl, wget, lftp or ftplib list, fetch or put files."""
    rng = context.rng
    service, name, secret = _server(context)
    if rng.random() < 0.2:
        name, secret = "anonymous", names.mail(rng)
    given = secret if rng.random() < 0.8 or name == "anonymous" else names.password(rng) + "x"
    client = rng.choice(("curl", "wget", "lftp", "ftplib"))
    context.software("client", client, "", held_out=client == "wget")
    work = (
        rng.choice(("list", "fetch", "put"))
        if client != "wget" and name != "anonymous"
        else rng.choice(("list", "fetch"))
    )
    outcome = {"curl": _curl, "wget": _wget, "lftp": _lftp, "ftplib": _ftplib}[client](
        context, service, name, given, work
    )
    if (outcome == "auth-success") != (given == secret):
        raise UncertainError(
            f"{client}: {outcome}, with {'the right' if given == secret else 'a wrong'} password"
        )
    activity = {"fetch": "download", "put": "upload"}.get(work) if outcome == "auth-success" else None
    # lftp and wget connect again after a rejection, each time as before
    context.label(
        {
            "class": "ftp",
            "actor": "bot",
            "outcome": outcome,
            "attempts": None if outcome == "auth-success" else 1,
            "activity": activity,
        },
        port=21,
        every=outcome == "auth-failed",
    )
    _label_data(context, activity)


def _curl(context: Context, service: Service, name: str, given: str, work: str) -> str:
    url = f"ftp://{bracketed(context.server.address)}/"
    letter = context.client.folder / "letter"
    letter.write_bytes(names.text(context.rng, names.size(context.rng, 10, 200_000)))
    what = {
        "list": [url],
        "fetch": [url + context.rng.choice(("notes.txt", "numbers.txt")), "-o", "/dev/null"],
        "put": ["-T", str(letter), url],
    }[work]
    done = context.client.run("curl", "-sS", "-u", f"{name}:{given}", *what, check=False)
    if done.returncode not in _CURL:
        raise UncertainError(f"curl ended with {done.returncode}: {done.stderr[-200:]}")
    return _CURL[done.returncode]


def _wget(context: Context, service: Service, name: str, given: str, work: str) -> str:
    path = {"list": "", "fetch": context.rng.choice(("notes.txt", "numbers.txt"))}[work]
    done = context.client.run(
        "wget",
        "-nv",
        "-t",
        "1",
        "-O",
        "/dev/null",
        f"--ftp-user={name}",
        f"--ftp-password={given}",
        f"ftp://{bracketed(context.server.address)}/{path}",
        check=False,
    )
    return _outcome("wget", done, "Login incorrect")


def _lftp(context: Context, service: Service, name: str, given: str, work: str) -> str:
    letter = context.client.folder / "letter"
    letter.write_bytes(names.text(context.rng, names.size(context.rng, 10, 200_000)))
    file = context.rng.choice(("notes.txt", "numbers.txt"))
    line = {"list": "ls", "fetch": f"get {file} -o /dev/null", "put": f"put {letter}"}[work]
    commands = (
        f"set net:max-retries 1; set ftp:ssl-allow {context.rng.choice(('no', 'no', 'yes'))}; {line}; bye"
    )
    done = context.client.run(
        "lftp",
        "-u",
        f"{name},{given}",
        "-e",
        commands,
        f"ftp://{bracketed(context.server.address)}",
        check=False,
    )
    return _outcome("lftp", done, "530")


def _outcome(client: str, done: CompletedProcess[str], refusal: str) -> str:
    """refusal : what the client says when the server does not take the password"""
    if refusal in done.stderr:
        return "auth-failed"
    if done.returncode != 0:
        raise UncertainError(f"{client} ended with {done.returncode}: {done.stderr[-200:]}")
    return "auth-success"


def _ftplib(context: Context, service: Service, name: str, given: str, work: str) -> str:
    rng = context.rng
    said = program.run(
        context.client,
        "ftp_client",
        address=context.server.address,
        name=name,
        password=given,
        work=work,
        seed=rng.getrandbits(32),
        file=rng.choice(("notes.txt", "numbers.txt")),
        pause=rng.choice(PAUSES),
        size=names.size(rng, 10, 200_000),
        count=rng.randint(1, 3),
    )
    return str(said["ended"])


def _server(context: Context) -> tuple[Service, str, str]:
    name, secret = names.person(context.rng, 20), names.password(context.rng)
    service = ftp(context.server, context.rng, {name: secret})
    context.software("server", service.software, "", held_out=service.software in HELD_OUT)
    return service, name, secret


def _label(context: Context, answer: str, actor: str, play: dialogue.Dialogue) -> None:
    outcome, rejected = login(play, len(_REJECTED.findall(answer)), _LET_IN.search(answer) is not None)
    context.label({"class": "ftp", "actor": actor, "outcome": outcome, "attempts": rejected or None}, port=21)


def _label_data(context: Context, activity: str | None) -> None:
    for port in range(PASSIVE[0], PASSIVE[1] + 1):
        context.label({"class": "ftp-data", "activity": activity}, port=port, every=True)
