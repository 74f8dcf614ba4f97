"""Sessions in a shell: what a person does there, and what programs do."""

from __future__ import annotations

from tools.lab import words
from tools.lab.accounts import Account
from tools.lab.bot import Bot
from tools.lab.human import END, INTERRUPT, TAB, UP, Typist
from tools.lab.scenario import Context
from tools.lab.terminal import Terminal

PROMPT = r"[$#>] $"
"""The end of every prompt here; at the end of the output, as only a prompt is."""
EDITING = ("/bin/bash",)
"""Shells with a line editor."""


def dress(context: Context, account: Account) -> None:
    """Give the account's shell a prompt, and the newcomer a word of welcome, or not."""
    rng = context.rng
    named = r"\u@\h:\w" if account.shell in EDITING else f"{account.name}@{words.host_name(rng)}"
    prompt = rng.choice((f"{named}\\$ ", "$ ", "> ", f"{words.host_name(rng)}# "))
    lines = f"PS1='{prompt}'\nexport PS1\nPAGER=cat\nexport PAGER\n"
    for name in (".profile", ".bashrc"):
        (account.home / name).write_text(lines)
    if rng.random() < 0.3:
        (account.home / ".hushlogin").touch()


def by_hand(
    context: Context, typist: Typist, terminal: Terminal, account: Account, count: int, tty: bool
) -> None:
    """A person's session of so many commands, until it is left; `tty`: the shell has a real terminal."""
    rng, edits = context.rng, tty and account.shell in EDITING
    text, plain = terminal.expect(PROMPT), 0
    for _ in range(count):
        typist.read(terminal, text)
        trick = rng.random()
        if trick < 0.08 and edits and plain:
            typist.think(terminal)
            for _ in range(rng.randint(1, plain)):
                terminal.send(UP)
                terminal.pause(typist.pause_s(0.35, 0.4))
            typist.enter(terminal)
        elif trick < 0.14 and edits:
            _complete(typist, terminal, rng.choice(account.files))
        elif trick < 0.19 and tty:
            _page(context, typist, terminal, rng.choice(account.files))
            plain = 0  # what is before it is not called back
        elif trick < 0.22 and tty:
            typist.think(terminal)
            typist.keys(terminal, words.command(rng, list(account.files))[:12])
            terminal.pause(typist.pause_s(0.8))
            terminal.send(INTERRUPT)  # thought better of it
        else:
            typist.line(terminal, words.command(rng, list(account.files)))
            plain = min(3, plain + 1)
        text = terminal.expect(PROMPT, within_s=60.0)
    typist.read(terminal, text)
    if tty and rng.random() < 0.3:
        typist.think(terminal)
        terminal.send(END)
    else:
        typist.line(terminal, rng.choice(("exit", "exit", "logout" if edits else "exit")))


def _complete(typist: Typist, terminal: Terminal, name: str) -> None:
    """Type the beginning of a file's name and let the shell do the rest."""
    typist.think(terminal)
    typist.keys(terminal, "cat " + name[: max(1, len(name) - 2)])
    terminal.send(TAB)
    terminal.pause(typist.pause_s(0.6, 0.4))
    typist.enter(terminal)


def _page(context: Context, typist: Typist, terminal: Terminal, name: str) -> None:
    """Look at a file a page at a time; at its end, or before, leave."""
    typist.line(terminal, f"less {name}")
    terminal.expect(r"(:|\(END\)|\x1b\[27m)[^\n]{0,60}$")
    terminal.pause(0.3)
    if "No such file" in terminal.tail():
        return
    for _ in range(context.rng.randint(0, 3)):
        terminal.pause(typist.pause_s(1.5))
        terminal.send(b" ")
    terminal.pause(typist.pause_s(1.0))
    terminal.send(b"q")


def by_program(context: Context, bot: Bot, terminal: Terminal, account: Account, count: int) -> None:
    """A program's session: it waits for each prompt, or it does not."""
    rng = context.rng
    waits = rng.random() < 0.6
    terminal.expect(PROMPT)
    for _ in range(count):
        bot.line(terminal, words.command(rng, list(account.files)))
        if waits:
            terminal.expect(PROMPT, within_s=60.0)
    bot.line(terminal, "exit")
