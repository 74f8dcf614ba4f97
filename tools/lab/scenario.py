"""Scenarios: what can happen in the lab, by name.

    @scenario("ssh.exec", runs=60)
    def exec_command(context: Context) -> None:
        '''One command, no shell.'''
        server = start_sshd(context)
        done = context.client.run("ssh", ...)
        if done.returncode != 0:
            raise UncertainError(f"ssh ended with {done.returncode}")
        context.label({"class": "ssh", "outcome": "auth-success", "activity": "exec"}, port=22)

A scenario draws everything that varies from `context.rng`, so that a seed, a name and a number make the same
choices again.  It claims the flows that it makes with `context.label`; what it cannot be sure of it gives
up with `UncertainError`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tools.lab.labels import Claim
from tools.lab.link import Link
from tools.lab.net import Host
from tools.lab.terminal import Terminal

LIMIT_S = 240.0
"""How long a run may take before it is ended by force."""


@dataclass
class Context:
    """What a run works with.

    rng      : the only source of chance
    link     : the wire, already drawn and connected; link.family says which address to use
    client, server : the two hosts
    folder   : for files of this run; gone afterwards
    facts    : goes into every label of the run; software and versions belong there
    held_out : the run is kept from learning, to be measured on; slow links are from the start
    """

    rng: Random
    link: Link
    client: Host
    server: Host
    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    held_out: bool = False
    claims: list[Claim] = field(default_factory=list)

    def label(
        self,
        facets: Mapping[str, Any],
        *,
        port: int = 0,
        proto: str = "TCP",
        client_port: int | None = None,
        every: bool = False,
        **facts: Any,
    ) -> None:
        """Say what a flow of this run is; see `labels.Claim`.  `proto` "ICMP" means ICMPv6 too."""
        protocols = ("ICMP", "IPv6-ICMP") if proto == "ICMP" else (proto,)
        self.claims.append(Claim(dict(facets), port, protocols, client_port, every, facts))

    def software(self, end: str, name: str, version: str, *, held_out: bool = False) -> None:
        """Note what plays the "client" or the "server"."""
        self.facts[end] = {"software": name, "version": version}
        self.held_out = self.held_out or held_out

    def terminal(self, *command: str, log: str = "terminal", **more: Any) -> Terminal:
        """Run a command of the client's on a terminal of its own."""
        return Terminal(self.client.words(*command), self.client.log(log), **more)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that can be run.

    name : a dotted path; the first part is the service
    runs : how many a full run has
    link : changes the drawn link where a scenario cannot live with all of them
    limit_s : a run is ended by force after that time
    """

    name: str
    run: Callable[[Context], None]
    runs: int
    link: Callable[[Link], Link] | None
    limit_s: float

    @property
    def about(self) -> str:
        return (self.run.__doc__ or "").strip().splitlines()[0]


SCENARIOS: dict[str, Scenario] = {}


def scenario(
    name: str, *, runs: int = 20, link: Callable[[Link], Link] | None = None, limit_s: float = LIMIT_S
) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
    """Register a function as a scenario; it must have a docstring."""

    def register(run: Callable[[Context], None]) -> Callable[[Context], None]:
        if name in SCENARIOS or not run.__doc__:
            raise ValueError(f"scenario {name}: there is one already, or it has no docstring")
        SCENARIOS[name] = Scenario(name, run, runs, link, limit_s)
        return run

    return register


def matching(patterns: list[str]) -> list[Scenario]:
    """The scenarios whose names match any of the shell patterns; all without a pattern."""
    return [
        SCENARIOS[name]
        for name in sorted(SCENARIOS)
        if not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]
