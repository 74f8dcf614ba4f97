"""SSH by programs that speak it themselves: paramiko and asyncssh."""

from __future__ import annotations

from dataclasses import replace

from tools.lab import words
from tools.lab.accounts import random_account
from tools.lab.errors import UncertainError
from tools.lab.scenario import Context, scenario
from tools.lab.ssh import server
from tools.lab.ssh.algorithm import Choice, choose
from tools.lab.ssh.login import KEY, SECRETS, Plan, check, draw_plan, facts, make_keys, wrong_secrets
from tools.lab.ssh.python_client import HELD_OUT, JOBS, Job
from tools.lab.ssh.server import METHODS, Server, version

WAIT_S = 120.0


def set_up(context: Context, succeeds: bool, *kinds: str) -> tuple[str, Server, Plan, Job]:
    """Which library, its server, the credentials to try, and the job so far."""
    rng = context.rng
    library = rng.choice(list(JOBS))
    kind = server.draw_kind(context, *kinds)
    offered = set(METHODS.get(kind, {KEY, *SECRETS}))
    drawn = draw_plan(context, offered if succeeds else offered - {KEY}, "bot", succeeds)
    method, refused = drawn.method, min(3, drawn.refused_secrets)
    drawn = replace(drawn, refused_keys=0, refused_secrets=max(refused, int(not succeeds)))
    account = random_account(rng, context.server)
    made = make_keys(context, account, drawn)
    choice = choose(rng, library, kind)
    methods = (KEY, method) if method != KEY else (KEY,)
    pam = method == "keyboard-interactive" or rng.random() < 0.5
    at_server = Choice(compression=choice.compression)
    where = server.start(context, kind, account, methods, at_server, pam=pam)
    context.software("client", library, version(library), held_out=library in HELD_OUT)
    secrets = wrong_secrets(context, account, drawn.refused_secrets)
    if succeeds and method != KEY:
        secrets.append(account.password)
    job = Job(context.server.address, where.port, account.name, method, secrets,
              key=made[-1].path if made else None, succeeds=succeeds, choice=choice)  # fmt: skip
    return library, where, drawn, job


def perform(context: Context, library: str, where: Server, drawn: Plan, job: Job, **facets: str) -> None:
    """Do the job; its flow is what the plan says, if the server's log agrees."""
    host = context.client
    status = host.join_python(host.spawn_python(JOBS[library], job, log="client"), WAIT_S)
    if status != 0:
        raise UncertainError(f"{library}: {host.log_text('client').strip()[-300:]}")
    check(where, drawn)
    outcome = "auth-success" if drawn.succeeds else "auth-failed"
    context.label(
        {"class": "ssh", "outcome": outcome, "attempts": len(drawn.refused), "actor": "bot", **facets},
        port=where.port,
        refused=drawn.refused,
        accepted=drawn.method if drawn.succeeds else None,
        **facts(where, job.choice),
    )


@scenario("ssh.failed.library", runs=60)
def failed(context: Context) -> None:
    """A library's passwords are refused."""
    perform(context, *set_up(context, False))


@scenario("ssh.exec.library", runs=60)
def commands(context: Context) -> None:
    """A library logs in and runs one command, or a few."""
    library, where, drawn, job = set_up(context, True, "openssh9", "openssh10", "dropbear", "asyncssh")
    count = context.rng.choice((1, 1, 1, 2, 5))
    lines = [words.command(context.rng, list(where.account.files)) for _ in range(count)]
    perform(context, library, where, drawn, replace(job, commands=lines), activity="exec")


@scenario("ssh.shell.library", runs=30)
def shell(context: Context) -> None:
    """A library opens a terminal and sends lines, at once or with a fixed pause."""
    library, where, drawn, job = set_up(context, True, "openssh9", "openssh10", "dropbear")
    rng = context.rng
    pause_s = rng.choice((0.0, rng.uniform(0.1, 1.5)))
    lines = [words.command(rng, list(where.account.files)) for _ in range(rng.randint(1, 8))]
    steps = [(line, pause_s) for line in (*lines, "exit")]
    perform(context, library, where, drawn, replace(job, shell=steps), activity="shell")


def transfer(context: Context, upload: bool) -> None:
    """One file through the library's own sftp."""
    library, where, drawn, job = set_up(context, True, "openssh9", "openssh10", "dropbear", "asyncssh")
    rng, name = context.rng, "1" + words.file_name(context.rng)
    data = rng.randbytes(int(1_000_000 ** rng.random()))
    here, there = context.client.folder / name, where.account.home / name
    (here if upload else there).write_bytes(data)
    pair = (str(here), name)
    job = replace(job, upload=pair) if upload else replace(job, download=pair)
    perform(context, library, where, drawn, job, activity="upload" if upload else "download")
    if here.read_bytes() != there.read_bytes():
        raise UncertainError(f"{name} did not arrive")


@scenario("ssh.sftp.up.library", runs=25)
def up(context: Context) -> None:
    """A library sends a file."""
    transfer(context, True)


@scenario("ssh.sftp.down.library", runs=25)
def down(context: Context) -> None:
    """A library fetches a file."""
    transfer(context, False)
