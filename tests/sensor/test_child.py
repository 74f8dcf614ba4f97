"""Children of the sensor: what they can still do once confined, seen from inside and from outside."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fl0p_py.errors import CaptureError
from fl0p_py.sensor.channel import Channel, Kind, Message, say
from fl0p_py.sensor.child import INTERNAL_ERROR, Child, Confinement, Role, fork
from fl0p_py.sensor.confine import close_all_but, load_seccomp
from fl0p_py.sensor.privileges import Account

NOBODY = 65534

requires_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give it up")
requires_seccomp = pytest.mark.skipif(load_seccomp() is None, reason="needs pyseccomp and libseccomp2")


@dataclass
class Started:
    """A child, and what it has said so far."""

    child: Child
    messages: list[Message] = field(default_factory=list)

    def hear(self, kind: Kind, time_s: float = 10.0) -> Message:
        """The next message of this kind."""
        end_at = time.monotonic() + time_s
        while time.monotonic() < end_at:
            try:
                message = self.child.channel.receive()
            except BlockingIOError:
                time.sleep(0.01)
                continue
            assert message is not None, f"ended before {kind.name}: {self.messages}"
            self.messages.append(message)
            if message.kind is kind:
                return message
        pytest.fail(f"no {kind.name} within {time_s} s: {self.messages}")

    def end(self) -> int:
        return os.waitstatus_to_exitcode(self.child.reap())


@pytest.fixture
def confinement(tmp_path: Path) -> Confinement:
    tmp_path.chmod(0o755)
    return Confinement(Account("nobody", NOBODY, NOBODY, str(tmp_path)), load_seccomp())


@pytest.fixture
def start() -> Iterator[Callable[..., Started]]:
    started: list[Child] = []

    def run(role: Role, confinement: Confinement, work: Callable[[Channel], int]) -> Started:
        child = fork(role, confinement, lambda channel: lambda: work(channel))
        started.append(child)
        return Started(child)

    yield run
    for child in started:
        with suppress(OSError):
            child.kill()
            child.reap()


def attempt(action: Callable[[], object]) -> str:
    """What came of it: "done", or the name of the error."""
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "done"


def wait_for_end(channel: Channel) -> int:
    """Live until the test has seen enough."""
    while True:
        with suppress(BlockingIOError):
            channel.receive()
            return 0
        time.sleep(0.01)


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def links_of(pid: int) -> list[str]:
    return sorted(os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir())  # noqa: PTH115


@requires_root
def test_a_confined_child_seen_from_outside(
    confinement: Confinement, start: Callable[..., Started], tmp_path: Path
) -> None:
    kept = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    directory = os.open("/", os.O_RDONLY)
    started = start(Role("engine 1", keep=[kept]), confinement, wait_for_end)
    started.hear(Kind.READY)
    status = status_of(started.child.pid)
    assert status["Name"] == "fl0p-engine-1"
    assert status["Uid"].split() == status["Gid"].split() == [str(NOBODY)] * 4
    assert status["Groups"].split() == []
    assert {status[f"Cap{name}"] for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    if confinement.seccomp is not None:
        assert status["Seccomp"] == "2"
    assert os.readlink(f"/proc/{started.child.pid}/root") == str(tmp_path)  # noqa: PTH115
    links = links_of(started.child.pid)
    assert links[:3] == ["/dev/null"] * 3
    assert links[3] == str(tmp_path / "log")
    assert links[4].startswith("socket:") and len(links) == 5
    started.child.channel.send(Kind.STOP)
    assert started.hear(Kind.BYE).body == {"status": 0}
    assert started.end() == 0
    os.close(kept)
    os.close(directory)


@requires_root
def test_the_empty_directory_is_gone_as_soon_as_it_is_a_root(start: Callable[..., Started]) -> None:
    started = start(Role("engine"), Confinement(Account("nobody", NOBODY, NOBODY, None), None), wait_for_end)
    made = started.child.made
    assert made is not None and os.listdir(made) == []  # noqa: PTH208
    started.hear(Kind.READY)
    started.child.settle()
    assert os.readlink(f"/proc/{started.child.pid}/root") == f"{made} (deleted)"  # noqa: PTH115
    assert not Path(made).exists()


ATTEMPTS: dict[str, Callable[[], object]] = {
    "open a file": lambda: open("/bin/sh", "rb"),  # noqa: SIM115, PTH123
    "open its root": lambda: os.open("/", os.O_RDONLY),
    "make a file": lambda: os.open("/file", os.O_CREAT | os.O_WRONLY),
    "become root": lambda: os.setuid(0),
    "take a group": lambda: os.setgroups([0]),
    "chroot": lambda: os.chroot("/"),
    "execute": lambda: os.execv("/bin/sh", ["sh"]),
    "fork": os.fork,
    "make a socket": socket.socket,
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "copy a descriptor": lambda: os.dup(0),
}


@requires_root
@requires_seccomp
def test_a_confined_child_can_do_none_of_these(
    confinement: Confinement, start: Callable[..., Started], tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").write_text("even a file in the new root")

    def work(channel: Channel) -> int:
        for name in ATTEMPTS:
            say(channel, f"{name}: {attempt(ATTEMPTS[name])}")
        return 0

    started = start(Role("engine"), confinement, work)
    started.hear(Kind.BYE)
    said = [message.body["text"] for message in started.messages if message.kind is Kind.SAY]
    assert said == [f"{name}: PermissionError" for name in ATTEMPTS]


@requires_root
@requires_seccomp
def test_a_confined_child_reads_its_capture_and_cannot_send_with_it(
    confinement: Confinement, start: Callable[..., Started]
) -> None:
    capture, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    other.send(b"packet")

    def work(channel: Channel) -> int:
        say(channel, capture.recv(99).decode())
        for name, action in {
            "send": lambda: capture.send(b"x"),
            "write": lambda: os.write(capture.fileno(), b"x"),
            "writev": lambda: os.writev(capture.fileno(), [b"x"]),
            "sendmsg": lambda: capture.sendmsg([b"x"]),
        }.items():
            say(channel, f"{name}: {attempt(action)}")
        say(channel, f"standard error: {attempt(lambda: os.write(2, b'x'))}")
        return 0

    role = Role("engine", keep=[capture.fileno()], capture=capture.fileno())
    started = start(role, confinement, work)
    started.hear(Kind.BYE)
    said = [message.body["text"] for message in started.messages if message.kind is Kind.SAY]
    refused = [f"{name}: PermissionError" for name in ("send", "write", "writev", "sendmsg")]
    assert said == ["packet", *refused, "standard error: done"]
    capture.close()
    other.close()


@requires_root
@requires_seccomp
def test_threads_start_behind_the_walls_and_stay_there(
    confinement: Confinement, start: Callable[..., Started]
) -> None:
    def work(channel: Channel) -> int:
        thread = threading.Thread(target=lambda: say(channel, attempt(ATTEMPTS["open a file"])))
        thread.start()
        thread.join()
        return 0

    started = start(Role("engine"), confinement, work)
    assert started.hear(Kind.SAY).body == {"text": "PermissionError"}


@requires_root
def test_a_child_that_looks_up_names_reads_files_and_writes_none(
    confinement: Confinement, start: Callable[..., Started]
) -> None:
    def work(channel: Channel) -> int:
        for name in ("open a file", "make a file", "become root"):
            say(channel, attempt(ATTEMPTS[name]))
        return 0

    started = start(Role("resolver", free=True), confinement, work)
    started.hear(Kind.BYE)
    said = [message.body["text"] for message in started.messages if message.kind is Kind.SAY]
    assert said == ["done", "PermissionError", "PermissionError"]


def test_signals_for_the_whole_group_do_not_end_a_child(start: Callable[..., Started]) -> None:
    started = start(Role("engine"), Confinement(None, None), wait_for_end)
    started.hear(Kind.READY)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        os.kill(started.child.pid, number)
    time.sleep(0.1)
    started.child.channel.send(Kind.STOP)
    assert started.hear(Kind.BYE).body == {"status": 0}


def test_an_error_of_a_child_is_said(start: Callable[..., Started]) -> None:
    def work(channel: Channel) -> int:
        raise CaptureError("eth0", "the interface vanished")

    started = start(Role("engine"), Confinement(None, None), work)
    assert started.hear(Kind.SAY).body == {"text": "eth0: the interface vanished"}
    assert started.hear(Kind.BYE).body == {"status": 1}
    assert started.end() == 1


def test_a_fault_of_ours_is_said_with_its_place(start: Callable[..., Started]) -> None:
    started = start(Role("engine"), Confinement(None, None), lambda channel: 1 // 0)
    assert "ZeroDivisionError" in started.hear(Kind.SAY).body["text"]
    assert started.hear(Kind.BYE).body == {"status": INTERNAL_ERROR}


def test_a_child_whose_monitor_is_gone_ends(start: Callable[..., Started]) -> None:
    started = start(Role("engine"), Confinement(None, None), wait_for_end)
    started.hear(Kind.READY)
    started.child.channel.close()
    assert os.waitstatus_to_exitcode(os.waitpid(started.child.pid, 0)[1]) == 0
    os.close(started.child.pidfd)


def test_only_what_is_named_stays_open() -> None:
    pid = os.fork()
    if pid == 0:
        kept, other = os.pipe()
        close_all_but({kept})
        os._exit(0 if os.fstat(kept) and attempt(lambda: os.fstat(other)) == "OSError" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
