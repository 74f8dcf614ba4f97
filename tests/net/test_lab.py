"""The lab itself: what other tests rely on."""

from __future__ import annotations

import socket
import subprocess

from tests.net import lab


@lab.requires_lab
@lab.requires("ping")
def test_the_two_ends_reach_each_other() -> None:
    with lab.pair() as net:
        net.client.run("ping", "-c", "1", "-W", "2", net.server.address)
        net.client.run("ping", "-c", "1", "-W", "2", net.server.address6)


@lab.requires_lab
def test_a_socket_made_inside_belongs_there() -> None:
    with lab.pair() as net:
        with net.server.entered():
            inside = [name for _, name in socket.if_nameindex()]
            listener = socket.create_server((net.server.address, 7777))
        with listener:
            assert inside == ["lo", net.server.device]
            assert net.server.listens(7777)
            assert not net.client.listens(7777)


@lab.requires_lab
def test_nothing_is_left() -> None:
    with lab.pair() as net:
        process = net.client.spawn("sleep", "60")
        names = (net.client.name, net.server.name)
    assert process.poll() is not None
    listed = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
    assert not any(name in listed for name in names)


@lab.requires_lab
@lab.requires("tcpdump")
def test_a_quiet_cable_is_quiet() -> None:
    with lab.pair() as net:
        seen = net.server.run(
            "timeout", "1.5", "tcpdump", "-ni", net.server.device, check=False, time_s=10
        ).stdout
        assert not seen.strip()
