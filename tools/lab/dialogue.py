"""Dialogues of line protocols, as a person types them or a script plays them.

A dialogue is a list of steps: what the answer must hold before the line is sent, and the line.  They are
drawn: other orders, other names, mistakes, lines that a person tries out of curiosity, and ends without a
good-bye.  The same dialogue can be played by hand (`by_hand`) and by a script (`program/line_bot.py`),
so that what tells the two apart is not the words.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tools.lab import names

ANSWERED = r"(?m)^\d{3} "
"""An answer of SMTP and FTP is over: a line of code and blank."""
MARKED = r"(?m)^(\+OK|-ERR)"
LISTED = r"(?m)(^-ERR|^\.\r)"
PAGE = r"(</html>|\r*\n\r*\n)"


@dataclass(frozen=True, slots=True)
class Step:
    """wait: a regular expression for what must have come (empty: nothing); line: what is sent then."""

    wait: str
    line: str

    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter((self.wait, self.line))


@dataclass(frozen=True, slots=True)
class Dialogue:
    """steps, and what is true of them if they were played to the end.

    quits    : the last line ends the connection; else whoever plays it closes
    outcome  : "auth-success" or "auth-failed" where the protocol has a login, else None
    rejected : logins that are refused on the way
    """

    steps: list[Step]
    quits: bool
    outcome: str | None = None
    rejected: int = 0


def _slip(rng: Random, line: str) -> str:
    """The line with two letters swapped, one left out or one doubled: sent so, and refused."""
    at = rng.randrange(1, max(2, min(5, len(line) - 1)))
    return rng.choice(
        (
            line[:at] + line[at + 1 : at + 2] + line[at : at + 1] + line[at + 2 :],
            line[:at] + line[at + 1 :],
            line[:at] + line[at] + line[at:],
        )
    )


def _cased(rng: Random, verb: str) -> str:
    return rng.choice((verb, verb, verb.lower()))


def smtp(rng: Random, *, mistakes: bool = True, auth: bool = False) -> Dialogue:
    """One mail or a few, or only a look around."""
    case = rng.choice((str, str.lower))
    steps = [
        Step(
            ANSWERED,
            f"{case(rng.choice(('HELO', 'EHLO')))} {rng.choice((names.host(rng), names.word(rng) or 'x'))}",
        )
    ]

    def say(line: str) -> None:
        if mistakes and rng.random() < 0.07:
            steps.append(
                Step(ANSWERED, _slip(rng, line).swapcase() if rng.random() < 0.1 else _slip(rng, line))
            )
        steps.append(Step(ANSWERED, line))

    for aside in rng.sample(
        ("NOOP", "HELP", "RSET", "VRFY postmaster"), rng.choice((0, 0, 0, 1, 2)) if mistakes else 0
    ):
        say(case(aside))
    mails = 0
    for _ in range(rng.choices((0, 1, 2), (1, 8, 1))[0]):
        space = rng.choice(("", "", " "))
        say(f"{case('MAIL FROM:')}{space}<{names.mail(rng)}>")
        if mistakes and rng.random() < 0.2:
            say(f"{case('RCPT TO:')}{space}<{names.mail(rng)}>")  # refused: no relaying
        for _ in range(rng.choices((1, 2, 3), (8, 2, 1))[0]):
            say(f"{case('RCPT TO:')}{space}<{names.mail(rng, 'example.org')}>")
        steps.append(Step(ANSWERED, case("DATA")))
        body = [f"Subject: {names.sentence(rng, rng.randint(1, 6))}"] if rng.random() < 0.8 else []
        body += [f"From: {names.mail(rng)}"] if rng.random() < 0.4 else []
        body += [f"To: {names.mail(rng)}"] if rng.random() < 0.3 else []
        body += [""] if body else []
        body += [names.sentence(rng) if rng.random() < 0.9 else "" for _ in range(rng.randint(1, 4))]
        steps += [Step(ANSWERED if n == 0 else "", line) for n, line in enumerate([*body, "."])]
        mails += 1
    quits = rng.random() < 0.85
    if quits or mails:  # that the mail was taken is seen before the end
        steps.append(Step(ANSWERED, case("QUIT") if quits else case("NOOP")))
    return Dialogue(steps, quits)


def smtp_auth(name: str, password: str) -> list[Step]:
    """AUTH LOGIN, the answers in base64."""
    coded = [base64.b64encode(each.encode()).decode() for each in (name, password)]
    return [Step(ANSWERED, "AUTH LOGIN"), *(Step(ANSWERED, each) for each in coded)]


def _logins(
    rng: Random, case: Callable[[str], str], over: str, name: str, password: str, mistakes: bool
) -> tuple[list[Step], str, int]:
    """USER and PASS, mostly right; the steps, how it ends, and how many logins are rejected.

    over : matches the end of an answer
    """
    steps: list[Step] = []
    tries = rng.choices((0, 1, 2), (7, 2, 1))[0] if mistakes else 0
    outcome = "auth-success"
    for number in range(tries + 1):
        right = number == tries and rng.random() < 0.85
        steps.append(Step(over, f"{case('USER')} {name}"))
        steps.append(Step(over, f"{case('PASS')} {password if right else names.password(rng) + 'x'}"))
        outcome = "auth-success" if right else "auth-failed"
    return steps, outcome, tries + (outcome == "auth-failed")


def pop3(rng: Random, name: str, password: str, *, mistakes: bool = True) -> Dialogue:
    """A login, mostly right, and some reading."""
    case = rng.choice((str, str.lower))
    steps, outcome, rejected = _logins(rng, case, MARKED, name, password, mistakes)
    wait = MARKED
    if outcome == "auth-success":
        choices = (
            ("STAT", MARKED),
            ("LIST", LISTED),
            ("RETR 1", LISTED),
            ("TOP 1 5", LISTED),
            ("NOOP", MARKED),
            ("UIDL", LISTED),
            ("LIST 1", MARKED),
            ("RETR 99", MARKED),
        )
        for line, over in rng.sample(choices, rng.randint(0, 5)):
            steps.append(Step(wait, case(line)))
            wait = over
    quits = rng.random() < 0.9
    steps.append(Step(wait, case("QUIT" if quits else "NOOP")))
    return Dialogue(steps, quits, outcome, rejected)


def ftp(rng: Random, name: str, password: str, *, mistakes: bool = True) -> Dialogue:
    """A login, mostly right, and a look around; no data connection is made."""
    case = rng.choice((str, str.lower))
    steps, outcome, rejected = _logins(rng, case, ANSWERED, name, password, mistakes)
    if outcome == "auth-success":
        choices = (
            "SYST",
            "PWD",
            "TYPE I",
            "TYPE A",
            "NOOP",
            "CWD /",
            "PASV",
            "SIZE notes.txt",
            "MKD " + names.word(rng),
            "FEAT",
            "HELP",
            "CWD " + names.word(rng),
        )
        steps += [
            Step(ANSWERED, case(line) if len(line) < 8 else line)
            for line in rng.sample(choices, rng.randint(0, 6))
        ]
    quits = rng.random() < 0.85
    steps.append(Step(ANSWERED, case("QUIT" if quits else "NOOP")))
    return Dialogue(steps, quits, outcome, rejected)


def http(rng: Random, address: str) -> Dialogue:
    """A request or two, as typed to see what comes."""
    steps: list[Step] = []
    version = rng.choice(("1.0", "1.0", "1.1"))
    for number in range(rng.choice((1, 1, 1, 2)) if version == "1.1" else 1):
        path = rng.choice(("/", "/", "/index.html", "/short.txt", "/numbers.txt", "/" + names.word(rng)))
        steps.append(
            Step(PAGE if number else "", f"{rng.choice(('GET', 'GET', 'HEAD'))} {path} HTTP/{version}")
        )
        heads = (
            [f"Host: {rng.choice((address, names.host(rng)))}"]
            if version == "1.1" or rng.random() < 0.4
            else []
        )
        heads += [f"User-Agent: {names.word(rng)}"] if rng.random() < 0.2 else []
        heads += ["Connection: close"] if rng.random() < 0.2 else []
        heads += [f"Accept: {rng.choice(('*/*', 'text/html'))}"] if rng.random() < 0.2 else []
        steps += [Step("", line) for line in [*heads, ""]]
    return Dialogue(steps, version == "1.0")
