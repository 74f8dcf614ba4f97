"""Network namespaces joined by veth pairs, for tests that need a real network.

    with lab.pair() as net:
        net.server.spawn("python3", "-m", "http.server", "80")       # ended with the lab
        lab.until(lambda: net.server.listens(80))
        net.client.run("curl", "-s", f"http://{net.server.address}/")
        with net.server.entered():
            source = LiveSource(net.server.device)

What happens here stays here: the namespaces have names of their own, hold nothing but loopback and what
the test puts there, and are gone, with every process started in them, when the `with` ends.  Every
command is bounded in time.  IPv6's own chatter (duplicate address, router and multicast discovery) is
switched off or over when `pair` begins, and ARP and neighbour entries are fixed: a quiet pair is quiet.

Making a lab takes root and the tools of TOOLS.  Mark tests with `@lab.requires_lab`, and those that use
further tools with `@lab.requires("tcpdump")` too; both skip with the reason.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

TIME_S = 60.0
"""How long a command may take, and how long `until` waits, unless told otherwise.  On two processors that run
a whole suite too, a sensor may take half of that to start."""

TOOLS = {"ip": "iproute2", "ethtool": "ethtool", "sysctl": "procps"}
"""What a lab needs, and Debian's packages for it."""

CLONE_NEWNET = 0x40000000  # linux/sched.h
_SETTINGS = (
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.default.accept_ra=0",
    "net.ipv6.conf.default.router_solicitations=0",
    "net.ipv6.conf.default.addr_gen_mode=1",  # no link-local address
    "net.ipv6.conf.default.mldv2_unsolicited_report_interval=1",  # ms; the reports of groups come at once
)
_REPORTED_S = 0.2  # after which they are over
_numbers = itertools.count()


class Namespace:
    """One network namespace, with loopback up.  Made by `namespace` or `pair`.

    name    : as `ip netns` knows it
    device  : its end of the pair
    address : IPv4 address of `device`; address6: its IPv6 address
    mac     : link-layer address of `device`
    """

    def __init__(self, name: str, number: int = 1) -> None:
        self.name = name
        self.device = f"veth{number}"
        self.address, self.address6 = f"10.9.8.{number}", f"fd09::{number}"
        self.mac = f"02:00:00:00:00:{number:02x}"
        self._spawned: list[subprocess.Popen[bytes]] = []

    def ip(self, *words: str) -> str:
        """`ip WORDS` inside; returns what it printed."""
        return _run("ip", "-n", self.name, *words).stdout

    def run(self, *command: str, check: bool = True, time_s: float = TIME_S, **more: Any) -> Any:
        """Run a command inside to its end; a CompletedProcess with text.  It is killed after `time_s`."""
        return _run("ip", "netns", "exec", self.name, *command, check=check, time_s=time_s, **more)

    def spawn(self, *command: str, **more: Any) -> subprocess.Popen[bytes]:
        """Start a command inside and leave it running; it ends with the namespace at the latest.

        Its output goes to /dev/null unless `more` (of subprocess.Popen) says otherwise.
        """
        streams: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        process = subprocess.Popen(["ip", "netns", "exec", self.name, *command], **{**streams, **more})
        self._spawned.append(process)
        return process

    def listens(self, port: int, protocol: str = "tcp") -> bool:
        """Whether something inside listens on this port."""
        kinds = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}[protocol]
        state = {"tcp": "0A", "udp": "07"}[protocol]  # TCP_LISTEN; an unconnected UDP socket (TCP_CLOSE)
        tables = self.run("cat", *(f"/proc/net/{kind}" for kind in kinds)).stdout.splitlines()
        rows = [line.split() for line in tables]
        return any(row[1].endswith(f":{port:04X}") and row[3] == state for row in rows)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread is inside: sockets it makes belong to this namespace, for good."""
        with open("/proc/thread-self/ns/net", "rb") as home:  # noqa: PTH123
            with open(f"/run/netns/{self.name}", "rb") as inside:  # noqa: PTH123
                _setns(inside.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def close(self) -> None:
        """End what was spawned and delete the namespace."""
        for process in self._spawned:
            end(process)
        _run("ip", "netns", "del", self.name, check=False)


class Pair:
    """Two namespaces, `client` and `server`, whose devices are the ends of one veth cable."""

    def __init__(self, client: Namespace, server: Namespace) -> None:
        self.client, self.server = client, server

    def connect(self) -> None:
        """Lay the cable (again, after its deletion): both ends up, with addresses, nothing offloaded.

        Without offload, packets are on the cable as they would be on a real one: whole checksums, and
        no segment larger than the MTU.
        """
        client, server = self.client, self.server
        client.ip(
            "link", "add", client.device, "address", client.mac, "type", "veth",
            "peer", "name", server.device, "netns", server.name, "address", server.mac,
        )  # fmt: skip
        for here, there in ((client, server), (server, client)):
            here.ip("addr", "add", f"{here.address}/24", "dev", here.device)
            here.ip("addr", "add", f"{here.address6}/64", "dev", here.device, "nodad")
            here.ip("link", "set", here.device, "up")
            for address in (there.address, there.address6):
                here.ip("neigh", "replace", address, "lladdr", there.mac, "dev", here.device)
            off = [word for what in ("tx", "rx", "tso", "gso", "gro") for word in (what, "off")]
            here.run("ethtool", "-K", here.device, *off)
        until(lambda: all("LOWER_UP" in end.ip("link", "show", end.device) for end in (client, server)))
        time.sleep(_REPORTED_S)


@contextlib.contextmanager
def namespace(number: int = 1) -> Iterator[Namespace]:
    """A namespace with nothing but loopback; `number` (1 to 254) tells the ends of a pair apart."""
    made = Namespace(f"fl0p-test-{os.getpid()}-{next(_numbers)}", number)
    _run("ip", "netns", "add", made.name)
    try:
        made.ip("link", "set", "lo", "up")
        made.run("sysctl", "-q", "-w", *_SETTINGS)
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def pair() -> Iterator[Pair]:
    """Two namespaces and a cable between them."""
    with namespace(1) as client, namespace(2) as server:
        made = Pair(client, server)
        made.connect()
        yield made


def until(condition: Callable[[], bool], time_s: float = TIME_S) -> None:
    """Wait until the condition holds; a test failure if it does not within `time_s`."""
    end_at = time.monotonic() + time_s
    while not condition():
        if time.monotonic() > end_at:
            pytest.fail(f"still not so after {time_s:g} s", pytrace=True)
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, time_s: float = TIME_S) -> int:
    """Send a signal to a process of ours and wait for its end, by force if need be; its status."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(time_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait(time_s)


@cache
def why_not() -> str:
    """Why no lab can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(TOOLS[tool] for tool in missing)
        return f"needs {', '.join(missing)} (Debian: {packages})"
    try:
        with pair():
            return ""
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        return f"no network namespaces on this machine: {detail.strip()}"


def requires(*tools: str) -> pytest.MarkDecorator:
    """Skip where one of these commands is not installed."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


def _run(*command: str, check: bool = True, time_s: float = TIME_S, **more: Any) -> Any:
    defaults: dict[str, Any] = {"text": True, "capture_output": True, "stdin": subprocess.DEVNULL}
    if "stdout" in more or "stderr" in more:
        del defaults["capture_output"]
    return subprocess.run(command, check=check, timeout=time_s, **{**defaults, **more})


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


requires_lab = pytest.mark.skipif(bool(why_not()), reason=why_not())
"""Skip where no lab can be made, with the reason."""
