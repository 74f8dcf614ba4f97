"""LiveSource before the first packet: what opening says, and what it asks the kernel for."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fl0p_py.capture import live, live_pcapy
from fl0p_py.capture.live import LiveSource, widened
from fl0p_py.capture.live_driver import MODULES, DriverError, opener
from fl0p_py.errors import CaptureError, FilterError
from tests.net import lab
from tests.support.savefiles import pcap


def drivers() -> list[str]:
    """Those that can be had on this Python."""
    there = []
    for name in MODULES:
        try:
            opener(name)
        except DriverError:
            continue
        there.append(name)
    return there


each_driver = pytest.mark.parametrize("driver", drivers())


@contextmanager
def as_nobody(what: Callable[[], str], root: Path | None = None) -> Iterator[Callable[[], str]]:
    """Run a function in a child process without privileges, in a chroot if one is named.

    Yields a function that waits for what it returned, or the CaptureError it raised, as text.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            if root:
                os.chroot(root)
                os.chdir("/")
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            signal.alarm(int(lab.TIME_S))
            try:
                text = what()
            except CaptureError as error:
                text = str(error)
            os.write(write, text.encode())
            status = 0
        finally:
            os._exit(status)
    os.close(write)

    def answer() -> str:
        with os.fdopen(read, "rb") as pipe:
            return pipe.read().decode()

    yield answer
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@lab.requires_lab
@each_driver
def test_a_missing_interface(driver: str) -> None:
    with lab.namespace() as net, net.entered(), pytest.raises(CaptureError) as caught:
        LiveSource("wan7", driver=driver)
    assert str(caught.value) == "wan7: there is no such interface; there are lo, and any for all of them"
    assert caught.value.exit_status == 1


@lab.requires_lab
@each_driver
def test_an_interface_that_is_down(driver: str) -> None:
    with lab.pair() as net:
        net.server.ip("link", "set", net.server.device, "down")
        with net.server.entered(), pytest.raises(CaptureError) as caught:
            LiveSource(net.server.device, driver=driver)
    assert str(caught.value) == "veth2: the interface is down (ip link set veth2 up)"


@lab.requires_lab
@each_driver
def test_no_permission(driver: str) -> None:
    with as_nobody(lambda: LiveSource("lo", driver=driver).name) as answer:
        assert answer() == "lo: no permission to capture: it takes root, or the capability CAP_NET_RAW"


@lab.requires_lab
@each_driver
def test_what_libpcap_refuses_is_said_in_its_place(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "why_not", lambda device: (0, ""))  # as if it vanished in between
    with lab.namespace() as net, net.entered(), pytest.raises(CaptureError, match=r"^wan7: .*o such"):
        LiveSource("wan7", driver=driver)


@lab.requires_lab
@each_driver
@pytest.mark.parametrize("vlan", [False, True])
def test_a_filter_that_libpcap_refuses(driver: str, vlan: bool) -> None:
    with lab.namespace() as net, net.entered():
        for expression, words in (
            ("port 70000", "port"),
            ("tcp and and", "syntax error"),
            ("tcp\0", "NUL"),
            ("tcp\udcff", "UTF-8"),
        ):
            with pytest.raises(FilterError, match=words) as caught:
                LiveSource("lo", driver=driver, filter_expression=expression, vlan=vlan)
            assert caught.value.exit_status == 2


@lab.requires_lab
@pytest.mark.skipif("pypcap" not in drivers(), reason="pypcap is not installed")
def test_a_file_named_like_the_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lo").write_bytes(pcap([]))
    with lab.namespace() as net, net.entered(), pytest.raises(CaptureError, match="lo: a file of this name"):
        LiveSource("lo", driver="pypcap")


@lab.requires_lab
def test_a_link_type_that_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_pcapy.PcapyDriver, "datalink", lambda driver: 127)
    with pytest.raises(CaptureError, match=r"lo: link type IEEE802_11_RADIO \(127\) is not decoded"):
        LiveSource("lo", driver="pcapy")


@pytest.mark.parametrize("name", [*MODULES, "auto"])
def test_a_library_that_is_not_installed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("pcapy", "pcap"):
        monkeypatch.setitem(sys.modules, module, None)
    for module in MODULES.values():
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(DriverError, match="not installed: pip install p"):
        opener(name)


def test_auto_takes_the_faster_one() -> None:
    assert opener("auto")[0] == drivers()[0] == "pcapy"


@lab.requires_lab
@each_driver
def test_what_a_source_says_of_itself(driver: str) -> None:
    with lab.namespace() as net, net.entered(), LiveSource("lo", driver=driver) as source:
        assert (source.name, source.driver, source.linktypes) == ("lo", driver, (1,))
        assert os.fstat(source.fileno())
        assert source.counts() == (0, 0, 0)


def test_the_kernel_filter_is_wider_than_the_filter() -> None:
    assert widened("port 22") == "(port 22) or (vlan and (port 22)) or (vlan and (port 22))"
    assert widened("mpls and port 22") == ""
    assert widened("host vxlan.example.org").count("vlan and") == 2
