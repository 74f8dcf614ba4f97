"""What happens to an interface, and to the process, while a LiveSource reads."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from fl0p_py.capture.live import BUFFER_BYTES, NEW_GROUP, LiveSource, open_workers
from fl0p_py.capture.live_driver import DriverError
from fl0p_py.errors import CaptureError
from tests.capture.test_live import as_nobody, each_driver
from tests.net import lab
from tests.net.watch import Seen, tcpdump, watching
from tests.support.frames import ether, ip4, udp

pytestmark = [lab.requires_lab, lab.requires("tcpdump", "ping")]


def ping(net: lab.Pair, count: int = 3) -> int:
    """Send pings; how many packets that makes."""
    net.client.run("ping", "-c", str(count), "-i", "0.01", net.server.address)
    return 2 * count


def raw(where: lab.Namespace) -> socket.socket:
    with where.entered():
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.bind((where.device, 3))  # ETH_P_ALL
    return sender


@each_driver
def test_down_and_up_again(driver: str) -> None:
    lines: list[str] = []
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, say=lines.append)
        with watching(source) as watcher:
            watcher.wait(ping(net))
            net.server.ip("link", "set", net.server.device, "down")
            lab.until(lambda: len(lines) == 1)
            time.sleep(0.3)
            net.server.ip("link", "set", net.server.device, "up")
            net.server.ip("neigh", "replace", net.client.address, "lladdr", net.client.mac, "dev", "veth2")
            lab.until(lambda: len(lines) == 2)
            before = len(watcher.packets)
            watcher.wait(before + ping(net))
        assert watcher.error is None
    assert lines == [
        "veth2: the interface went down; waiting for it to come back",
        "veth2: the interface is up again",
    ]


@each_driver
def test_an_interface_that_vanishes(driver: str) -> None:
    """Even one that was down before; and what it brought is handed out first."""
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, timeout_ms=200)
        with watching(source) as watcher:
            sent = ping(net)
            net.server.ip("link", "del", net.server.device)
            watcher.join()
        assert str(watcher.error) == "veth2: the interface vanished"
        assert len(watcher.packets) >= sent

        net.connect()
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver)
        with watching(source) as watcher:
            watcher.wait(ping(net))
            net.server.ip("link", "set", net.server.device, "down")
            time.sleep(0.3)
            assert watcher.error is None
            net.server.ip("link", "del", net.server.device)
            watcher.join()
        assert str(watcher.error) == "veth2: the interface vanished"


@each_driver
def test_what_came_before_the_stop_is_read(driver: str) -> None:
    """Also what the kernel has not handed over yet; and not what comes after it, of which there is no end."""
    frame = ether(ip4(udp(bytes(20))))
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, timeout_ms=100)
        with raw(net.client) as sender, source:
            for _ in range(1000):
                sender.send(frame)
            source.stop()
            came = 0
            for batch in source:
                came += len(batch)
                sender.send(frame)
    assert 1000 <= came < 3000


@each_driver
def test_another_interface_of_the_same_name_is_not_it(driver: str) -> None:
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver)
        net.server.ip("link", "del", net.server.device)
        net.connect()
        with watching(source) as watcher:
            watcher.join()
        assert str(watcher.error) == "veth2: the interface vanished"


@each_driver
def test_a_library_that_gives_up(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DriverError("ring of fire")

    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver)
        monkeypatch.setattr(source._driver, "read", fail)
        with watching(source) as watcher:
            ping(net)
            watcher.join()
        assert str(watcher.error) == "veth2: ring of fire"


@each_driver
def test_losses_are_counted(driver: str) -> None:
    """Nobody reads while a burst comes that the smallest of buffers cannot hold."""
    frame = ether(ip4(udp(bytes(1000), 40000, 9), "10.9.8.7", "10.9.8.6"))
    sent = 3000
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(
                net.server.device, driver=driver, buffer_bytes=1 << 19, filter_expression="udp port 9"
            )
        with raw(net.client) as sender:
            for _ in range(sent):
                sender.send(frame)
        lab.until(lambda: source.counts().received == sent)
        dropped = source.counts().dropped
        assert 0 < dropped < sent
        with watching(source) as watcher:
            watcher.wait(sent - dropped)
            time.sleep(0.2)
        assert len(watcher.packets) == sent - dropped


@each_driver
def test_two_workers_share_an_interface(driver: str, tmp_path: Path) -> None:
    """Together they see all, none twice, and each flow, both ways and fragments included, goes to one."""
    flows = 60
    with lab.pair() as net:
        with net.server.entered():
            sources = open_workers(net.server.device, 2, driver=driver, filter_expression="udp")
            echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            echo.bind((net.server.address, 7))
        with echo, watching(sources[0]) as one, watching(sources[1]) as two:
            with tcpdump(
                net.server, tmp_path / "all.pcap", "udp", "or", "ip[6:2]", "&", "0x3fff", "!=", "0"
            ) as all_:
                for number in range(flows):
                    with net.client.entered():
                        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    with asking:
                        asking.bind(("", 20_000 + number))
                        for size in (10, 3000):
                            asking.sendto(os.urandom(size), (net.server.address, 7))
                            data, sender = echo.recvfrom(5000)
                            echo.sendto(data, sender)
                            asking.recv(5000)
                time.sleep(0.1)
            lab.until(lambda: len(one.packets) + len(two.packets) == 4 * flows)
        expected = {udp_payload(packet) for packet in all_ if len(packet.frame) < 60}
        found = [udp_payload(packet) for packet in one.packets + two.packets]
        assert len(set(found)) == 2 * flows  # each is echoed, hence there twice
        assert expected <= set(found)
        flows_of_one, flows_of_two = ports(one.packets), ports(two.packets)
        assert flows_of_one and flows_of_two
        assert not flows_of_one & flows_of_two
        assert len(flows_of_one | flows_of_two) == flows


def udp_payload(packet: Seen) -> bytes:
    return packet.frame[42:]


def ports(packets: list[Seen]) -> set[int]:
    """The clients' ports; the server's is 7."""
    both = [(int.from_bytes(p.frame[34:36], "big"), int.from_bytes(p.frame[36:38], "big")) for p in packets]
    return {port for pair in both for port in pair} - {7}


@each_driver
def test_a_worker_is_replaced(driver: str) -> None:
    with lab.pair() as net:
        with net.server.entered():
            first, second = open_workers(net.server.device, 2, driver=driver)
            assert first.fanout_group == second.fanout_group
            second.close()
            third = LiveSource(net.server.device, driver=driver, fanout_group=first.fanout_group)
            other = LiveSource(net.server.device, driver=driver, fanout_group=NEW_GROUP)
        assert third.fanout_group == first.fanout_group != other.fanout_group
        for source in (first, third, other):
            source.close()


@each_driver
def test_a_fanout_group_of_another_kind(driver: str) -> None:
    with lab.pair() as net, net.server.entered(), raw(net.server) as stranger:
        stranger.setsockopt(263, 18, 4711 | 1 << 16)  # PACKET_FANOUT_LB
        with pytest.raises(CaptureError, match="veth2: cannot share the interface"):
            LiveSource(net.server.device, driver=driver, fanout_group=4711)


@each_driver
def test_it_reads_on_in_a_chroot_without_privileges(driver: str, tmp_path: Path) -> None:
    """The monitor opens it, forks and closes its copy; the engine reads."""
    ready, may_read = os.pipe()

    def engine(source: LiveSource) -> str:
        os.read(ready, 1)
        seen = 0
        for batch in source:
            seen += len(batch)
            if seen >= 6:
                break
        counts = source.counts()
        return f"{counts.received >= seen} {counts.dropped} {counts.interface_dropped}"

    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver)
        with as_nobody(lambda: engine(source), root=tmp_path) as answer:
            source.close()
            os.write(may_read, b"!")
            ping(net)
            assert answer() == "True 0 0"
    for descriptor in (ready, may_read):
        os.close(descriptor)


@each_driver
def test_stopping_and_closing(driver: str) -> None:
    with lab.pair() as net:
        with net.server.entered():
            source = LiveSource(net.server.device, driver=driver, buffer_bytes=BUFFER_BYTES // 16)
        with watching(source) as watcher:
            time.sleep(0.2)
            source.close()  # as a caller may, while another thread reads
            watcher.join()
            source.close()
        assert watcher.error is None
        assert list(source) == []
