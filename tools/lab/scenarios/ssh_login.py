"""SSH logins on a terminal that fail, are given up or succeed with one command."""

from __future__ import annotations

from tools.lab import words
from tools.lab.errors import UncertainError
from tools.lab.human import INTERRUPT
from tools.lab.scenario import Context, scenario
from tools.lab.ssh.client import SECRET
from tools.lab.ssh.login import Login, Plan, interrupt, plan


def refused(context: Context, login: Login) -> None:
    """Carry out a plan that fails."""
    with login.open(context) as terminal:
        terminal.wait(60.0)
    login.label(context)


@scenario("ssh.failed.human", runs=110)
def failed_by_hand(context: Context) -> None:
    """A person's passwords are refused, once to six times."""
    method = context.rng.choice(("password", "password", "keyboard-interactive"))
    refused(context, plan(context, "human", False, method=method))


@scenario("ssh.failed.bot", runs=110)
def failed_by_program(context: Context) -> None:
    """A program that works the terminal has its passwords refused, once to six times."""
    method = context.rng.choice(("password", "password", "keyboard-interactive"))
    refused(context, plan(context, "bot", False, method=method, ask=0.08))


@scenario("ssh.failed.key", runs=60)
def failed_keys(context: Context) -> None:
    """One to six keys are refused and nothing else is tried."""
    refused(
        context, plan(context, "bot", False, method="publickey", ask=0, clients=("openssh9", "openssh10"))
    )


@scenario("ssh.aborted", runs=30)
def aborted(context: Context) -> None:
    """A person gives up at the first question for a password."""
    nothing = Plan("password", 0, 0, True)
    login = plan(context, "human", True, clients=("openssh9", "openssh10", "dbclient"), drawn=nothing)
    bare = login.client.words(context)
    with context.terminal(*bare) as terminal:
        if not login.client.known:
            terminal.expect("continue connecting")
            login.hands.answer(terminal, "yes" if login.client.kind != "dbclient" else "y")
        terminal.expect(SECRET)
        login.hands.think(terminal)
        interrupt(terminal, login.client)
        terminal.wait(60.0)
    if any(history.refused or history.accepted for history in login.server.histories().values()):
        raise UncertainError("the server logged a credential")
    prompt = {} if login.client.known else {"prompt": "hostkey"}
    context.label({"class": "ssh", "outcome": "aborted", "actor": "human", **prompt}, port=login.server.port)


def remote_command(context: Context, login: Login) -> str:
    """One that ends by itself; all servers have a shell to run it."""
    return words.command(context.rng, list(login.server.account.files))


@scenario("ssh.exec.bot", runs=140)
def exec_by_program(context: Context) -> None:
    """A program logs in for one command."""
    login = plan(context, "bot", True, ask=0.08)
    with login.open(context, remote_command(context, login)) as terminal:
        terminal.wait(60.0)
    login.label(context, activity="exec")


@scenario("ssh.exec.human", runs=70)
def exec_by_hand(context: Context) -> None:
    """A person types the password for one command."""
    method = context.rng.choice(("password", "password", "keyboard-interactive"))
    login = plan(context, "human", True, method=method)
    with login.open(context, remote_command(context, login)) as terminal:
        terminal.wait(60.0)
    login.label(context, activity="exec")


@scenario("ssh.idle", runs=40)
def idle(context: Context) -> None:
    """A login without a command (-N), kept a while, sometimes with keep-alives."""
    rng = context.rng
    login = plan(context, "bot", True, ask=0.08, servers=("openssh9", "openssh10", "dropbear", "asyncssh"))
    alive = rng.random() < 0.4 and login.client.kind.startswith("openssh")
    extra = ["-N", *(("-o", f"ServerAliveInterval={rng.randint(1, 4)}") if alive else ())]
    with login.open(context, extra=extra) as terminal:
        terminal.pause(rng.uniform(3, 25))
        if terminal.ended():
            raise UncertainError(f"ended with {terminal.status}: {terminal.tail()}")
        terminal.send(INTERRUPT)
        terminal.wait()
    login.label(context, activity="idle")
