"""Rules that drop or reject end running sessions, if --allow-kill is given; else they are refused."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from fl0p_py.cli.fl0p import main
from tests.net import lab
from tests.net.test_flowgrep_live import conversation, is_over, is_reset
from tests.sensor.running import Sensor, sensor

pytestmark = [lab.requires_lab]

RULES = r"""
drop tcp any any -> any 7 (msg:"evil"; content:"evil"; sid:1;)
reject tcp any any -> any 8 (msg:"third"; content:"x"; \
    threshold:type threshold, track by_rule, count 3, seconds 60; sid:2;)
drop tcp any any -> any 9 (msg:"identified"; flowsig:"*"; sid:3;)
drop udp any any -> any any (msg:"no connection"; content:"evil"; sid:4;)
pass tcp any any -> any 10 (content:"good"; sid:5;)
drop tcp any any -> any 10 (msg:"else"; content:"evil"; sid:6;)
drop tcp any any -> any 11 (content:"evil"; noalert; sid:7;)
"""
SIGNATURES = "tcp 9 < c5 +? s6 : a greeting\n"


@pytest.fixture(scope="module")
def net() -> Iterator[lab.Pair]:
    with lab.pair() as made:
        yield made


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "kill.rules"
    path.write_text(RULES)
    return str(path)


def alerts(running: Sensor) -> list[tuple[str, str]]:
    events = [json.loads(line) for line in running.lines()]
    found = [event["alert"] for event in events if event["event_type"] == "alert"]
    return [(alert["signature"], alert["action"]) for alert in found]


def test_running_sessions_are_ended_by_rules(net: lab.Pair, tmp_path: Path, rules: str) -> None:
    options = ("--json", "--alerts-only", "--rules", rules, "--allow-kill")
    with sensor(net.server, tmp_path, *options) as running:
        with conversation(net, 7) as (client, server):
            client.sendall(b"ev")
            time.sleep(0.1)
            client.sendall(b"il")
            assert is_reset(client) and is_reset(server)
        lab.until(lambda: f"-> {net.server.address}:7 (6 resets sent)" in running.words())
        with conversation(net, 7, net.server.address6) as (client, server):
            client.sendall(b"evil")
            assert is_reset(client) and is_reset(server)
        with conversation(net, 8) as (client, server):
            for _ in range(2):
                client.sendall(b"x")
                assert server.recv(1) == b"x"
                time.sleep(0.05)
            server.sendall(b"y")
            assert client.recv(1) == b"y"
            client.sendall(b"x")
            assert is_reset(client) and is_reset(server)
        with conversation(net, 11) as (client, server):
            client.sendall(b"evil")
            assert is_reset(client) and is_reset(server)
        lab.until(lambda: running.words().count("killed ") == 4)
        assert running.end() == 0
        assert alerts(running) == [("evil", "blocked"), ("evil", "blocked"), ("third", "blocked")]


def test_an_identification_ends_its_flow(net: lab.Pair, tmp_path: Path, rules: str) -> None:
    signatures = tmp_path / "x.fp"
    signatures.write_text(SIGNATURES)
    options = ("-l", "--alerts-only", "-f", str(signatures), "--rules", rules, "--allow-kill")
    with sensor(net.server, tmp_path, *options) as running:
        with conversation(net, 9) as (client, server):
            client.sendall(b"hello")
            assert server.recv(5) == b"hello"
            server.sendall(b"hello!")
            assert client.recv(6) == b"hello!"
            client.sendall(b"more")
            assert is_reset(client) and is_reset(server)
        lab.until(lambda: len(running.lines()) == 1)
        assert "] [Drop] [**] [1:3:0] identified [**]" in running.lines()[0]


def test_what_passes_and_what_is_no_connection_goes_on(net: lab.Pair, tmp_path: Path, rules: str) -> None:
    options = ("--json", "--alerts-only", "--rules", rules, "--allow-kill")
    with sensor(net.server, tmp_path, *options) as running:
        with net.client.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"evil", (net.server.address, 7))
        with conversation(net, 10) as (client, server):
            client.sendall(b"evil good")
            assert server.recv(9) == b"evil good"
            lab.until(lambda: alerts(running) == [("no connection", "allowed")])
            server.sendall(b"answer")
            assert client.recv(6) == b"answer"
        assert "killed" not in running.words()


def test_no_more_are_ended_than_the_limit(net: lab.Pair, tmp_path: Path, rules: str) -> None:
    options = ("-l", "--rules", rules, "--allow-kill", "--kill-limit", "1")
    with (
        sensor(net.server, tmp_path, *options) as running,
        conversation(net, 7) as one,
        conversation(net, 7) as two,
        conversation(net, 7) as three,
    ):
        for client, _ in (one, two, three):
            client.sendall(b"evil")
        lab.until(lambda: "streams were not killed: --kill-limit is 1" in running.words())
        for client, _ in (one, two, three):  # those that go on are, in other seconds
            lab.until(partial(is_over, client))


def test_without_allow_kill_they_are_refused(rules: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-i", "lo", "--rules", rules]) == 2
    assert "kill.rules:2:1: drop kills connections: allow it with --allow-kill" in capfd.readouterr().err
