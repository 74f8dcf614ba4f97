"""What SSH servers log, and what is drawn for an SSH login."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tools.lab.ssh.algorithm import ALGORITHMS, NOT_SERVED, choose
from tools.lab.ssh.history import History, of_dropbear, of_openssh, of_ours
from tools.lab.ssh.login import KEY, MOST_TRIES, draw_plan

OPENSSH = """\
Connection from 10.1.2.3 port 4000 on 10.3.2.1 port 22 rdomain ""
Failed none for ana from 10.1.2.3 port 4000 ssh2
Failed publickey for ana from 10.1.2.3 port 4000 ssh2: ED25519 SHA256:x
Failed password for ana from 10.1.2.3 port 4000 ssh2
Accepted keyboard-interactive/pam for ana from 10.1.2.3 port 4000 ssh2
Connection from fd00::7 port 4001 on fd00::8 port 22 rdomain ""
Failed password for invalid user bob from fd00::7 port 4001 ssh2
Connection from 10.1.2.3 port 4002 on 10.3.2.1 port 22 rdomain ""
"""
DROPBEAR = """\
[9] Nov 22 23:12:08 Child connection from 10.1.2.3:4000
[9] Nov 22 23:12:09 Bad password attempt for 'ana' from 10.1.2.3:4000
[9] Nov 22 23:12:09 Password auth succeeded for 'ana' from 10.1.2.3:4000
[10] Nov 22 23:12:10 Child connection from fd00::7:4001
[10] Nov 22 23:12:10 Pubkey auth succeeded for 'ana' with key sha1!! 00:11 from fd00::7:4001
"""
OURS = """\
{"port": 4000, "what": "connected", "method": ""}
a warning of the library
{"port": 4000, "what": "refused", "method": "password"}
{"port": 4000, "what": "accepted", "method": "password"}
"""


@pytest.mark.parametrize(
    ("read", "log", "expected"),
    [
        (
            of_openssh,
            OPENSSH,
            {
                4000: History(["publickey", "password"], "keyboard-interactive"),
                4001: History(["password"]),
                4002: History(),
            },
        ),
        (of_dropbear, DROPBEAR, {4000: History(["password"], "password"), 4001: History([], "publickey")}),
        (of_ours, OURS, {4000: History(["password"], "password")}),
    ],
)
def test_a_log_tells_of_each_connection(read: Any, log: str, expected: dict[int, History]) -> None:
    assert read(log) == expected


@pytest.mark.parametrize("client", ALGORITHMS)
@pytest.mark.parametrize("server", ["openssh9", "openssh10", "dropbear", "asyncssh", "paramiko"])
def test_only_what_both_ends_can_is_asked_for(client: str, server: str) -> None:
    for seed in range(30):
        choice = choose(Random(seed), client, server)
        for kind in ("cipher", "mac", "kex"):
            name = getattr(choice, kind)
            assert name is None or (name in ALGORITHMS[client][kind] and name in ALGORITHMS[server][kind])
            assert name not in NOT_SERVED.get(server, ())


@pytest.mark.parametrize("succeeds", [True, False])
@pytest.mark.parametrize("actor", ["human", "bot"])
def test_plans_that_fail_have_one_to_six_refused_credentials(actor: str, succeeds: bool) -> None:
    offered = {KEY, "password", "keyboard-interactive"}
    for seed in range(200):
        context: Any = SimpleNamespace(rng=Random(seed))
        plan = draw_plan(context, offered, actor, succeeds)
        assert plan.succeeds == succeeds
        assert (0 if succeeds else 1) <= len(plan.refused) <= MOST_TRIES
        assert plan.refused == sorted(plan.refused, key=lambda method: method != KEY)  # keys come first
