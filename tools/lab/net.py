"""Two hosts, client and server, and the wire between them.

    with net.connected(link, rng, folder) as (client, server, capture):
        server.spawn("sshd", "-D")
        server.wait_for_port(22)
        client.run("ssh", server.address)

A host is a set of namespaces (network, mounts, processes, host name) held by one sleeping process: its
files can be hidden under others (`bind`), and all that was started on it is killed with that process.
Should the lab itself be killed, the kernel ends the holders, and with them everything, devices included.
ARP, neighbours and addresses are fixed, and IPv6's own chatter is off: a quiet wire is quiet.
Each wire has addresses of its own, at random, so that captures can be put together.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from random import Random
from typing import Any

from tools.lab.capture import Capture, tcpdump
from tools.lab.errors import ProgramError
from tools.lab.link import Link
from tools.lab.process import die_with_parent, end, enter, only_child
from tools.lab.relay import relayed

DEVICE = "eth0"
NAMES = ("client", "server")
START_S = 10.0
"""How long anything may take to start."""
RUN_S = 60.0
"""How long a command may run unless told otherwise."""
QUIET_AFTER_S = 0.15
"""How long after the devices are up the kernel still reports its multicast groups."""

TOOLS = {"ip": "iproute2", "ethtool": "ethtool", "nsenter": "util-linux", "unshare": "util-linux",
         "tcpdump": "tcpdump", "sysctl": "procps"}  # fmt: skip
"""What the lab itself needs, and Debian's packages for it."""

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "TERM": "xterm",
    "LC_ALL": "C.UTF-8",
}
"""What every program is started with; nothing of the caller's own surroundings."""

_SETTINGS = (
    "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.default.accept_ra=0",
    "net.ipv6.conf.default.router_solicitations=0",
    "net.ipv6.conf.default.addr_gen_mode=1",  # no link-local address
    "net.ipv6.conf.default.mldv2_unsolicited_report_interval=1",
    "net.ipv4.ping_group_range=0 2147483647",
)


class Host:
    """One end of the wire.

    name     : "client" or "server", also what its logs are called
    pid      : of the process that holds its namespaces
    folder   : for its files, on the machine's own disk; logs are in it
    address4, address6, address : its addresses, and the one of the run's family
    """

    def __init__(self, name: str, link: Link, rng: Random, folder: Path) -> None:
        self.name, odd = name, NAMES.index(name)
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.mac = "02:" + ":".join(f"{rng.randrange(256):02x}" for _ in range(5))
        net4, net6 = 10 << 24, 0xFD << 120
        self.address4 = str(IPv4Address(net4 + (rng.randrange(1, 1 << 23) << 1) + odd))
        self.address6 = str(IPv6Address(net6 + (rng.randrange(1, 1 << 119) << 1) + odd))
        self.address = self.address4 if link.family == 4 else self.address6
        self._spawned: list[subprocess.Popen[bytes]] = []
        self._forked: list[int] = []
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc",
             "sleep", "infinity"],
            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, start_new_session=True,
        )  # fmt: skip
        self.pid = self._wait_for_holder()

    def _wait_for_holder(self) -> int:
        found: list[int] = []

        def there() -> bool:
            child = only_child(self._holder.pid)
            if child is not None and Path(f"/proc/{child}/comm").read_text() == "sleep\n":
                found.append(child)
            return bool(found)

        until(there, "the namespaces")
        return found[0]

    def words(self, *command: str) -> list[str]:
        """The command that runs `command` on this host."""
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-p", "-u", "--", *command]

    def run(self, *command: str, within_s: float = RUN_S, check: bool = True, **more: Any) -> Any:
        """Run a command to its end: a CompletedProcess with text.  Ended by force after `within_s`."""
        given = more.pop("input", None)
        settings = {"env": ENVIRONMENT, "text": True, "errors": "replace", "start_new_session": True, **more}
        process = subprocess.Popen(
            self.words(*command), stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings,
        )  # fmt: skip
        try:
            output, errors = process.communicate(given, timeout=within_s)
        except subprocess.TimeoutExpired:
            raise ProgramError(f"{command[0]} did not end within {within_s:g} s") from None
        finally:
            end(process, signal.SIGKILL)
        done = subprocess.CompletedProcess(command, process.returncode, output, errors)
        if check and done.returncode != 0:
            raise ProgramError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        return done

    def spawn(self, *command: str, log: str = "", **more: Any) -> subprocess.Popen[bytes]:
        """Start a command and leave it running; it ends with the host at the latest.

        What it prints goes into the file `log` (named after the command if empty) of the host's folder.
        """
        with self.log(log or Path(command[0]).name).open("ab") as output:
            settings = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, "env": ENVIRONMENT}
            process = subprocess.Popen(self.words(*command), start_new_session=True, **{**settings, **more})
        self._spawned.append(process)
        return process

    def spawn_python(self, function: Callable[..., object], *arguments: object, log: str = "") -> int:
        """Call a function in a process of its own on this host and leave it running; its process id.

        It has the host's network, and the machine's own files: those that `bind` hides it still sees.
        """
        path = self.log(log or function.__name__)
        child = os.fork()
        if child:
            self._forked.append(child)
            return child
        status = 1
        try:
            die_with_parent()
            os.setsid()
            output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            for descriptor in (1, 2):
                os.dup2(output, descriptor)
            sys.stdout, sys.stderr = (os.fdopen(each, "w", buffering=1, closefd=False) for each in (1, 2))
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.closerange(3, 1024)  # the relay waits until nobody holds its pipe
            enter(self.pid, "net")
            os.environ.clear()
            os.environ.update(ENVIRONMENT)
            function(*arguments)
            status = 0
        except BaseException:  # the child of a fork has nobody to raise to: into its log with it
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)

    def join_python(self, child: int, within_s: float = RUN_S) -> int:
        """Wait for the end of what `spawn_python` started; its exit status."""
        ended: list[int] = []

        def has_ended() -> bool:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._forked.remove(child)
                ended.append(os.waitstatus_to_exitcode(status))
            return bool(ended)

        until(has_ended, "the end of a program", within_s)
        return ended[0]

    def log(self, name: str) -> Path:
        """Where the output of `name` is collected."""
        return self.folder / f"{name}.log"

    def log_text(self, name: str) -> str:
        path = self.log(name)
        return path.read_text(errors="replace") if path.exists() else ""

    def bind(self, source: Path, target: str) -> None:
        """On this host, `target` (which must exist) is `source`."""
        self.run("mount", "--bind", str(source), target)

    def listens(self, port: int, protocol: str = "tcp") -> bool:
        """Whether something on this host listens on this port."""
        state = {"tcp": "0A", "udp": "07"}[protocol]  # TCP_LISTEN; an unconnected UDP socket (TCP_CLOSE)
        tables = [Path(f"/proc/{self.pid}/net/{protocol}{version}").read_text() for version in ("", "6")]
        rows = [line.split() for table in tables for line in table.splitlines()]
        return any(row[1].endswith(f":{port:04X}") and row[3] == state for row in rows)

    def wait_for_port(self, port: int, protocol: str = "tcp", within_s: float = START_S) -> None:
        until(lambda: self.listens(port, protocol), f"port {port} of the {self.name}", within_s)

    def connections(self) -> int:
        """How many TCP connections are not over; the wait after a close counts as over."""
        tables = [Path(f"/proc/{self.pid}/net/tcp{version}").read_text() for version in ("", "6")]
        states = [line.split()[3] for table in tables for line in table.splitlines()[1:]]
        return sum(state not in ("0A", "06", "07") for state in states)  # LISTEN, TIME_WAIT, CLOSE

    def configure(self, link: Link, other: Host) -> None:
        """Address, MTU and neighbour of the device, which is there; it is up afterwards."""
        lines = [
            "set -e",
            "ip link set lo up",
            f"ip link set {DEVICE} address {self.mac} mtu {link.mtu}",
            f"ip addr add {self.address4}/8 dev {DEVICE}",
            f"ip addr add {self.address6}/8 dev {DEVICE} nodad",
            f"ip link set {DEVICE} up",
            f"ip neigh replace {other.address4} lladdr {other.mac} dev {DEVICE}",
            f"ip neigh replace {other.address6} lladdr {other.mac} dev {DEVICE}",
        ]
        if link.wire == "relay":  # a packet before that would be lost, by the kernel and not by the wire
            lines.append(f"until ip link show {DEVICE} | grep -q LOWER_UP; do sleep 0.01; done")
        if link.wire == "veth":
            state = "on" if link.offload else "off"
            lines.append(f"ethtool -K {DEVICE} tx {state} rx {state} tso {state} gso {state} gro {state}")
        self.run("sh", "-c", "\n".join(lines))

    def prepare(self) -> None:
        """What must be settled before there is a device."""
        self.run("sysctl", "-q", "-w", *_SETTINGS)
        self.run("hostname", self.name)  # what programs send of it says nothing of the machine

    def close(self) -> None:
        """End everything on this host, then the host."""
        for process in self._spawned:
            end(process)
        for child in self._forked:
            os.kill(child, 9)
            os.waitpid(child, 0)
        end(self._holder, number=9)


@contextmanager
def connected(link: Link, rng: Random, folder: Path) -> Iterator[tuple[Host, Host, Capture]]:
    """A client and a server on a wire, captured from before the first packet to after the last.

    The capture is whole when the `with` has ended.
    """
    with ExitStack() as stack:
        client, server = (Host(name, link, rng, folder) for name in NAMES)
        stack.callback(server.close)
        stack.callback(client.close)
        client.prepare()
        server.prepare()
        capture = Capture(folder / "capture.pcap")
        if link.wire == "veth":
            _lay_cable(client, server)
        else:
            stack.enter_context(relayed(link, client.pid, server.pid, capture, rng.getrandbits(64)))
        client.configure(link, server)
        server.configure(link, client)
        if link.wire == "veth":
            time.sleep(QUIET_AFTER_S)
            at = client if link.sensor < 0.5 else server
            stack.enter_context(tcpdump(at.pid, DEVICE, capture, at.log("tcpdump")))
        yield client, server, capture
        settle(client, server, link)


def _lay_cable(client: Host, server: Host) -> None:
    """A veth pair.  `ip` runs among the machine's processes: there the server's holder has its number."""
    subprocess.run(
        ["nsenter", "-t", str(client.pid), "-n", "ip", "link", "add", DEVICE, "type", "veth",
         "peer", "name", DEVICE, "netns", str(server.pid)],
        check=True, timeout=START_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def settle(client: Host, server: Host, link: Link) -> None:
    """Until the connections are closed at both ends, or a little while has passed, and the wire is empty."""
    until_s = time.monotonic() + 1.5 + 4 * link.rtt_ms / 1e3
    while time.monotonic() < until_s and client.connections() + server.connections():
        time.sleep(0.05)
    time.sleep(0.05 + 1.5 * link.rtt_ms / 1e3)


def until(condition: Callable[[], bool], what: str, within_s: float = START_S) -> None:
    """Wait until the condition holds; ProgramError if it does not in time."""
    end_at = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end_at:
            raise ProgramError(f"waited {within_s:g} s in vain for {what}")
        time.sleep(0.01)


def why_not() -> str:
    """Why no lab can be made here; empty if one can."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        packages = " ".join(sorted({TOOLS[tool] for tool in missing}))
        return f"needs {', '.join(missing)} (Debian: {packages})"
    if not Path("/dev/net/tun").exists():
        return "needs /dev/net/tun, for the relay"
    trial = subprocess.run(["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"], check=False,
                           capture_output=True, text=True)  # fmt: skip
    return f"no namespaces on this machine: {trial.stderr.strip()}" if trial.returncode else ""
