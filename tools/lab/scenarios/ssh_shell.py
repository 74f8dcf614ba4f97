"""Interactive SSH sessions: typed by people, worked by programs, piped in."""

from __future__ import annotations

from shlex import quote

from tools.lab import words
from tools.lab.bot import Bot
from tools.lab.human import Typist
from tools.lab.scenario import Context, scenario
from tools.lab.ssh.login import plan
from tools.lab.ssh.shell import by_hand, by_program, dress

SHELL_S = 200.0


@scenario("ssh.shell.human", runs=240, limit_s=400.0)
def typed(context: Context) -> None:
    """A person logs in, reads, thinks, types, errs, corrects, and leaves."""
    login = plan(context, "human", True)
    dress(context, login.server.account)
    extra = ()
    if login.client.kind == "openssh10" and context.rng.random() < 0.15:
        extra = ("-o", "ObscureKeystrokeTiming=no")
    context.facts["obscured"] = not extra and login.client.kind == login.server.kind == "openssh10"
    assert isinstance(login.hands, Typist)
    context.facts["commands"] = count = min(12, 2 + int(context.rng.expovariate(1 / 3)))
    with login.open(context, extra=extra) as terminal:
        by_hand(context, login.hands, terminal, login.server.account, count, login.server.kind != "asyncssh")
        terminal.wait()
    login.label(context, activity="shell")


@scenario("ssh.shell.bot", runs=150)
def scripted(context: Context) -> None:
    """A program works the terminal: at once, at fixed or random delays, by the line or by the key."""
    login = plan(context, "bot", True, ask=0.08)
    dress(context, login.server.account)
    assert isinstance(login.hands, Bot)
    with login.open(context) as terminal:
        by_program(context, login.hands, terminal, login.server.account, context.rng.randint(1, 12))
        terminal.wait(SHELL_S)
    login.label(context, activity="shell")


@scenario("ssh.shell.piped", runs=40)
def piped(context: Context) -> None:
    """A script goes through ssh into a shell without a terminal, all at once or line by line."""
    rng = context.rng
    kinds = ("openssh9", "openssh10")
    login = plan(context, "bot", True, method="publickey", ask=0, clients=kinds, servers=(*kinds, "dropbear"))
    lines = [words.command(rng, list(login.server.account.files)) for _ in range(rng.randint(1, 10))]
    slow = f"; sleep {rng.uniform(0.1, 1.5):.2f}" if rng.random() < 0.4 else ""
    script = "\n".join(f"printf '%s\\n' {quote(line)}{slow}" for line in lines)
    remote = [] if rng.random() < 0.5 else ["sh"]
    ssh = " ".join(quote(word) for word in login.client.words(context, *remote))
    context.client.run("sh", "-c", f"{{ {script}\n}} | {ssh}", check=False)
    login.label(context, activity="shell")
