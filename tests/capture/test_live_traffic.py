"""A LiveSource sees what tcpdump sees on the same cable, with either driver."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from fl0p_py.capture.bpf import FilterSet
from fl0p_py.capture.linktype import LINUX_SLL
from fl0p_py.capture.live import LiveSource
from tests.capture.test_live import each_driver
from tests.net import lab
from tests.net.watch import Seen, seen, tcpdump, watching
from tests.support.frames import batch, ether, ip4, ip6, tcp, udp

pytestmark = [lab.requires_lab, lab.requires("tcpdump", "curl", "ping", "python3")]

CLOSE_NS = 50_000_000
"""The kernel stamps a packet for each socket anew; a busy machine may pause in between."""


def traffic(net: lab.Pair) -> None:
    """A web page over TCP, datagrams over UDP and pings, IPv4 and IPv6."""
    client, server = net.client, net.server
    server.spawn("python3", "-m", "http.server", "--bind", server.address, "80", cwd="/usr/share")
    lab.until(lambda: server.listens(80))
    client.run("curl", "-s", f"http://{server.address}/")
    with server.entered():
        echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        echo.bind((server.address, 7))
    with client.entered():
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with echo, asking:
        for size in (1, 100, 1400, 4000):  # the last one in three fragments
            asking.sendto(bytes(size), (server.address, 7))
            data, sender = echo.recvfrom(5000)
            echo.sendto(data, sender)
            assert len(asking.recv(5000)) == size
    client.run("ping", "-c", "3", "-i", "0.01", server.address)
    client.run("ping", "-c", "3", "-i", "0.01", server.address6)


def by_direction(packets: list[Seen]) -> dict[bytes, list[bytes]]:
    """Frames of each sender, in order: two sockets may see the two directions differently interleaved."""
    lines: dict[bytes, list[bytes]] = {}
    for packet in packets:
        lines.setdefault(packet.frame[6:12], []).append(packet.frame)
    return lines


@each_driver
@pytest.mark.parametrize("expression", ["", "tcp port 80", "not tcp and not ip6", "tcp[13] & 3 != 0"])
def test_the_same_packets_as_tcpdump(driver: str, expression: str, tmp_path: Path) -> None:
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, filter_expression=expression)
        with watching(source) as watcher:
            with tcpdump(net.server, tmp_path / "all.pcap", *expression.split()) as expected:
                traffic(net)
                time.sleep(0.1)
            watcher.wait(len(expected))
            counts = source.counts()
        assert by_direction(watcher.packets) == by_direction(expected)
        assert counts == (len(expected), 0, 0)
        assert {packet.linktype for packet in watcher.packets} == {1}
        ours, theirs = sorted(p.ts_ns for p in watcher.packets), sorted(p.ts_ns for p in expected)
        assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < CLOSE_NS
        assert any(ts_ns % 1000 for ts_ns in ours) is (driver == "pypcap")


@each_driver
def test_any_device(driver: str, tmp_path: Path) -> None:
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource("any", driver=driver, filter_expression="icmp")
        with watching(source) as watcher:
            with tcpdump(net.server, tmp_path / "any.pcap", "icmp") as expected:
                net.client.run("ping", "-c", "4", "-i", "0.01", net.server.address)
                time.sleep(0.1)
            watcher.wait(len(expected))
            assert source.linktypes == (LINUX_SLL,)
            net.server.run("ping", "-c", "1", "127.0.0.1")
            watcher.wait(len(expected) + 2)
        on_cable = watcher.packets[: len(expected)]
        assert [packet.frame[16:] for packet in on_cable] == [packet.frame[14:] for packet in expected]
        assert len(watcher.packets) == len(expected) + 2


TAGGED = {
    "ssh": ether(ip4(tcp(b"x", 40000, 22))),
    "dns": ether(ip4(udp(b"x", 40000, 53))),
    "dns6": ether(ip6(udp(b"x", 40000, 53))),
    "ssh@7": ether(ip4(tcp(b"x", 40000, 22)), vlan=[7]),
    "dns@7": ether(ip4(udp(b"x", 40000, 53)), vlan=[7]),
    "ssh@8.9": ether(ip4(tcp(b"x", 40000, 22)), vlan=[8, 9]),
    "dns@8.9": ether(ip4(udp(b"x", 40000, 53)), vlan=[8, 9]),
    "dns@8.9q": ether(ip4(udp(b"x", 40000, 53)), vlan=[8, 9], tag=0x88A8),
    "arp@7": ether(bytes(28), ethertype=0x0806, vlan=[7]),
}


FILTERS = [
    ("", list(TAGGED)),
    ("port 22", ["ssh", "ssh@7", "ssh@8.9"]),
    ("not port 22", ["dns", "dns6", "dns@7", "dns@8.9", "dns@8.9q", "arp@7"]),
    ("ether proto 0x88b5 or port 22", ["ssh", "ssh@7", "ssh@8.9"]),
    ("vlan 7", ["ssh@7", "dns@7", "arp@7"]),
    ("vlan and port 22", ["ssh@7"]),
    ("port 53 or mpls", ["dns", "dns6", "dns@7", "dns@8.9", "dns@8.9q"]),
    ("ip6", ["dns6"]),
]


@pytest.mark.parametrize(("expression", "accepted"), FILTERS)
def test_what_filters_inside_tags_mean_for_savefiles(expression: str, accepted: list[str]) -> None:
    frames = list(TAGGED.values())
    kept = FilterSet(expression, vlan=True).apply(batch((0, frame) for frame in frames))
    assert [packet.frame for packet in seen(kept)] == [TAGGED[name] for name in accepted]


@each_driver
def test_filters_inside_tags_mean_the_same_live(driver: str) -> None:
    """The kernel takes tags off and libpcap puts them back: live filters need care to mean the same."""
    names = {frame: name for name, frame in TAGGED.items()}
    with lab.pair() as net:
        with net.client.entered():
            sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        with sender:
            sender.bind((net.client.device, 3))  # ETH_P_ALL
            for expression, accepted in FILTERS:
                with net.server.entered():
                    source = LiveSource(
                        net.server.device, driver=driver, filter_expression=expression, vlan=True
                    )
                with watching(source) as watcher:
                    for frame in TAGGED.values():
                        sender.send(frame)
                    watcher.wait(len(accepted))
                    time.sleep(0.05)
                assert [names[frame] for frame in watcher.frames] == accepted, expression


@each_driver
def test_an_idle_source_ticks_and_does_not_spin(driver: str) -> None:
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, timeout_ms=1)
        with watching(source) as watcher:
            before = watcher.batches
            time.sleep(1)
            ticks = watcher.batches - before
        assert 5 <= ticks <= 12
        assert all(clock > 0 for clock in watcher.clocks)
        assert watcher.clocks == sorted(watcher.clocks)
        assert abs(watcher.clocks[-1] - time.time_ns()) < 10 * 1_000_000_000


@each_driver
def test_the_clock_never_overtakes_a_packet(driver: str) -> None:
    """Whatever was stamped before a batch's `now_ns` has been handed out by then."""
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, timeout_ms=30)
        clock, late = 0, 0
        net.client.spawn("ping", "-i", "0.002", "-q", net.server.address)
        end = time.monotonic() + 1.5
        with source:
            packets = 0
            for found in source:
                late += int((found.ts_ns < clock).sum())
                packets += len(found)
                clock = max(clock, found.now_ns)
                if time.monotonic() > end:
                    break
    assert packets > 100
    assert clock
    assert late == 0
