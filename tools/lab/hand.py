"""A person at a terminal works a line protocol: reads the answer, thinks, types the next line."""

from __future__ import annotations

import time
from random import Random

from tools.lab.bot import Bot
from tools.lab.dialogue import Step
from tools.lab.errors import ProgramError
from tools.lab.human import Typist
from tools.lab.scenario import Context
from tools.lab.terminal import Terminal

TOOLS = ("telnet", "telnet", "nc -C", "nc", "ncat -C", "ncat")
"""What people connect with.  telnet and those with -C end lines with CR and LF."""


PATIENCE_S = 2.0
"""netcat does not end with the connection: so long the person waits before closing the window."""


def tool(rng: Random, address: str, port: int, *, crlf: bool = False, tls: bool = False) -> list[str]:
    """A command that connects a terminal to a port; `crlf`: the server insists on both."""
    if tls:
        target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return rng.choice(
            (
                ["openssl", "s_client", "-quiet", "-crlf", "-connect", target],
                ["ncat", "-C", "--ssl", address, str(port)],
                ["socat", "-", f"OPENSSL:{target},verify=0,crnl"],
            )
        )
    command = rng.choice([each for each in TOOLS if not crlf or each == "telnet" or "-C" in each])
    return [*command.split(), address, str(port)]


def by_hand(
    context: Context, command: list[str], steps: list[Step], typist: Typist | Bot, *, quits: bool
) -> str:
    """Play the steps on a terminal by a person, or a program in the place of one; what was on the screen.

    A server that closes early ends the dialogue early: what happened must be read from the answer.
    quits : the last line makes the server close; otherwise the person ends the program
    """
    with context.terminal(*command) as terminal:
        if command[0] == "telnet":
            terminal.expect("Escape character")
        else:
            terminal.pause(0.3 + 3 * context.link.rtt_ms / 1e3)
        try:
            for step in steps:
                if step.wait:
                    terminal.expect(step.wait)
                typist.line(terminal, step.line)
            until_s = time.monotonic() + (PATIENCE_S if quits else 0.0)
            while not terminal.ended() and time.monotonic() < until_s:
                terminal.pause(0.1)
            if not terminal.ended():
                leave(terminal, typist, command[0])
        except ProgramError:
            if not terminal.ended():
                raise
        return terminal.output.decode(errors="replace")


def leave(terminal: Terminal, typist: Typist | Bot, program: str) -> None:
    """End the program as people do: telnet's escape and quit; else its maker closes the window."""
    typist.think(terminal)
    if program == "telnet":
        terminal.send(b"\x1d")
        terminal.pause(0.5)
        typist.line(terminal, "quit")
        terminal.wait(10)
