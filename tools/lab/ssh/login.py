"""A login as a plan drawn at random, and its execution by a person or a program.

    login = plan(context, actor="human", succeeds=True)
    with login.open(context, "uptime") as terminal: ...
    login.label(context, activity="exec")

A plan says which credentials are tried in which order.  `label` compares it with what the server's log
says happened, and gives the run up if the two differ.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tools.lab import words
from tools.lab.accounts import Account, random_account
from tools.lab.bot import Bot
from tools.lab.errors import UncertainError
from tools.lab.human import ENTER, INTERRUPT, Typist
from tools.lab.scenario import Context
from tools.lab.ssh import client, keys, server
from tools.lab.ssh.algorithm import STEERABLE, Choice, choose
from tools.lab.ssh.client import QUESTION, SECRET, Client
from tools.lab.ssh.history import History
from tools.lab.ssh.server import METHODS, Server
from tools.lab.terminal import Terminal

KEY, SECRETS = "publickey", ("password", "keyboard-interactive")
MOST_TRIES = 6
LOG_S = 2.0
RIGHT, REFUSED = 4, 5
"""Numbers of keys; up to 3 are hosts'."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is tried: `refused_keys` keys, `refused_secrets` passwords, then what is right if it `succeeds`.

    method : how the last credential is given
    """

    method: str
    refused_keys: int
    refused_secrets: int
    succeeds: bool

    @property
    def refused(self) -> list[str]:
        """The methods of the refused credentials, in order."""
        secret = self.method if self.method in SECRETS else "password"
        return [KEY] * self.refused_keys + [secret] * self.refused_secrets


@dataclass(frozen=True, slots=True)
class Login:
    """A plan with the programs and the hands that carry it out."""

    plan: Plan
    actor: str
    hands: Typist | Bot
    client: Client
    server: Server

    def open(self, context: Context, *command: str, extra: Sequence[str] = ()) -> Terminal:
        """Start the client and answer its questions; afterwards it is logged in, refused, or still at it."""
        return self.through(context, self.client.words(context, *command, extra=extra))

    def through(self, context: Context, command: Sequence[str]) -> Terminal:
        """The same with another program of the client's, scp or sftp."""
        terminal = context.terminal(*command)
        try:
            self._answer(context, terminal)
        except BaseException:
            terminal.close()
            raise
        return terminal

    def _answer(self, context: Context, terminal: Terminal) -> None:
        if not self.client.known:
            terminal.expect(QUESTION)
            self.hands.answer(terminal, "yes" if self.client.kind.startswith("openssh") else "y")
        for wrong in wrong_secrets(context, self.server.account, self.plan.refused_secrets):
            terminal.expect(SECRET)
            self.hands.answer(terminal, wrong)
        if self.plan.succeeds and self.plan.method in SECRETS:
            terminal.expect(SECRET)
            self.hands.answer(terminal, self.server.account.password)
        elif (
            not self.plan.succeeds
            and not self.client.kind.startswith("openssh")
            and self.plan.refused_secrets
        ):
            self._give_up(terminal)

    def _give_up(self, terminal: Terminal) -> None:
        """dbclient and plink ask again and again, until the server has enough."""
        terminal.expect(f"{SECRET}|exited|FATAL|closed")
        self.hands.think(terminal)
        terminal.pause(0.2)
        if not terminal.ended():
            interrupt(terminal, self.client)

    def label(self, context: Context, **facets: Any) -> None:
        """Claim the run's one flow, if the server's log agrees with the plan."""
        check(self.server, self.plan)
        outcome = "auth-success" if self.plan.succeeds else "auth-failed"
        if not self.client.known:
            facets["prompt"] = "hostkey"
        context.label(
            {
                "class": "ssh",
                "outcome": outcome,
                "attempts": len(self.plan.refused),
                "actor": self.actor,
                **facets,
            },
            port=self.server.port,
            refused=self.plan.refused,
            accepted=self.plan.method if self.plan.succeeds else None,
            **facts(self.server, self.client.choice),
        )


def facts(where: Server, choice: Choice) -> dict[str, Any]:
    """For the provenance of a label."""
    named = {"cipher": choice.cipher, "mac": choice.mac, "kex": choice.kex}
    return {
        "host_key": where.host_key.kind,
        "compression": choice.compression,
        **{name: value or "default" for name, value in named.items()},
    }


def check(where: Server, plan: Plan) -> None:
    """The server saw one connection, and what the plan says on it; Uncertain if not.

    The log may be a moment behind: what is logged before the login passes through another process.
    """
    until_s = time.monotonic() + LOG_S
    while (seen := _logged(where, plan)) != _planned(where, plan):
        if time.monotonic() > until_s:
            raise UncertainError(f"planned {plan}, the server logged {seen}")
        time.sleep(0.05)


def _planned(where: Server, plan: Plan) -> list[History]:
    refused = [method for method in plan.refused if method != KEY or where.kind != "dropbear"]
    return [History(refused, plan.method if plan.succeeds else None)]


def _logged(where: Server, plan: Plan) -> list[History]:
    seen = list(where.histories().values())
    if where.kind in ("asyncssh", "paramiko") and plan.method == KEY:  # of keys these log what they refuse
        return [replace(each, accepted=KEY if plan.succeeds else None) for each in seen]
    return seen


def draw_plan(context: Context, offered: set[str], actor: str, succeeds: bool, method: str = "") -> Plan:
    """Which credentials to try, with what the client and the server both can."""
    rng = context.rng
    methods = [each for each in ("password", "password", KEY, "keyboard-interactive") if each in offered]
    method = method or rng.choice(methods)
    if succeeds:
        slips = rng.choices((0, 1, 2), (70, 22, 8))[0]
        if method == KEY:
            return Plan(KEY, slips, 0, True)
        return Plan(method, 1 if KEY in offered and rng.random() < 0.15 else 0, slips, True)
    most = 3 if actor == "human" and rng.random() < 0.8 else MOST_TRIES
    tries = rng.randint(1, most)
    if method == KEY:
        return Plan(KEY, tries, 0, False)
    before = 1 if tries > 1 and KEY in offered and rng.random() < 0.15 else 0
    return Plan(method, before, tries - before, False)


def plan(
    context: Context,
    actor: str,
    succeeds: bool,
    *,
    method: str = "",
    clients: Sequence[str] = (),
    servers: Sequence[str] = (),
    shell: str = "",
    ask: float = 0.25,
    drawn: Plan | None = None,
) -> Login:
    """Draw a login, start its server, prepare its client.

    ask   : how often the host key is unknown
    drawn : the plan itself, if it is not to be drawn
    """
    rng = context.rng
    server_kind = server.draw_kind(context, *servers)
    client_kind = client.draw_kind(context, *clients)
    offered = set(METHODS.get(server_kind, {KEY, *SECRETS}))
    if client_kind == "plink" and server_kind.startswith("openssh"):
        offered.discard(KEY)  # its way of giving up after a refused key differs
    if method and method not in offered:
        server_kind, offered = "openssh9", {KEY, *SECRETS}
    drawn = drawn or draw_plan(context, offered, actor, succeeds, method)
    if server_kind in ("paramiko", "asyncssh") and client_kind == "dbclient":
        client_kind = "openssh9"  # these do not understand the packet that dbclient sends on a guess
    if client_kind == "plink" and (drawn.refused_keys or drawn.method == "keyboard-interactive"):
        client_kind = "openssh9"
    choice = choose(rng, client_kind, server_kind)
    account = random_account(rng, context.server, shell)
    made = make_keys(context, account, drawn)
    at_server = Choice(compression=choice.compression) if client_kind in STEERABLE else choice
    pam = _pam(rng, drawn, client_kind)
    where = server.start(context, server_kind, account, _offer(drawn), at_server, pam=pam)
    known = rng.random() >= ask
    client.prepare(context, client_kind, where, known)
    tries = Client(
        client_kind, where, choice, methods=_tried(drawn), keys=made, known=known,
        prompts=max(1, drawn.refused_secrets + drawn.succeeds),
    )  # fmt: skip
    hands: Typist | Bot = Typist(rng) if actor == "human" else Bot(rng)
    if isinstance(hands, Bot):
        context.facts["bot"] = hands.kind
    return Login(drawn, actor, hands, tries, where)


def _pam(rng: Random, drawn: Plan, client_kind: str) -> bool:
    """Whether the server may use PAM, which allows three tries: clients that go on then end by themselves."""
    if drawn.method == "keyboard-interactive":
        return True
    most = 3 if client_kind.startswith("openssh") else 2
    return drawn.refused_secrets <= most and rng.random() < 0.75


def _tried(drawn: Plan) -> list[str]:
    """The client's methods in the order of the plan."""
    last = [] if drawn.method == KEY else [drawn.method]
    return [*([KEY] if drawn.refused_keys or drawn.method == KEY else []), *last]


def _offer(drawn: Plan) -> tuple[str, ...]:
    """The server's methods: those of the plan, publickey too as servers do."""
    return (KEY, drawn.method) if drawn.method != KEY else (KEY,)


def make_keys(context: Context, account: Account, drawn: Plan) -> list[keys.Key]:
    """Keys that the server refuses, then one that it knows if the plan ends so."""
    folder = context.client.folder
    made = [
        keys.make(context.rng, folder / f"refused{number}", REFUSED + number)
        for number in range(drawn.refused_keys)
    ]
    if drawn.succeeds and drawn.method == KEY:
        right = keys.make(context.rng, folder / "right", RIGHT)
        path = account.home / ".ssh" / "authorized_keys"
        path.write_text(right.public + "\n")
        account.own(path)
        made.append(right)
    return made


def wrong_secrets(context: Context, account: Account, count: int) -> list[str]:
    """Passwords that are not the right one: slips of it, or others."""
    found: list[str] = []
    while len(found) < count:
        right, rng = account.password, context.rng
        place = rng.randrange(len(right))
        slip = right[:place] + rng.choice(("", "x", right[place] * 2)) + right[place + 1 :]
        guess = slip if rng.random() < 0.4 else words.password(rng)
        if guess and guess != right:
            found.append(guess)
    return found


def interrupt(terminal: Terminal, of: Client) -> None:
    """^C at a prompt for a password; dbclient takes it for the password's first character, and looks."""
    terminal.send(INTERRUPT + (ENTER if of.kind == "dbclient" else b""))
