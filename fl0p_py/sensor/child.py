"""Child: forking a process of the sensor that can do one thing.

The monitor forks; the child forgets the monitor's signals and descriptors, gives up its rights, says
READY and does its work.  Whatever happens in it, it ends in `os._exit` with BYE before, and nothing of
the monitor's runs on in it.  A child whose monitor is gone finds its channel closed, and ends too.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import NoReturn

from fl0p_py.errors import Fl0pError
from fl0p_py.sensor import confine
from fl0p_py.sensor.channel import Channel, Kind, say
from fl0p_py.sensor.privileges import Account, become, drop_capabilities

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE)
"""What a terminal or a service manager sends to the whole group: the monitor gets it too, and tells us."""

INTERNAL_ERROR = 70
"""Exit status (EX_SOFTWARE of sysexits.h) of a child that ended by a fault of ours."""

PATIENCE_S = 5.0
"""How long a child waits for room in its channel for what must arrive."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """How children are confined; made before the first fork.

    account : whom they become, None: they stay who they are
    seccomp : the library, None: it is not there
    """

    account: Account | None
    seccomp: ModuleType | None


def _nothing() -> None:
    """Nothing to release."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a child is.

    name    : for people and for ps
    keep    : descriptors that it needs besides its channel
    release : called first in the child: lets go of what only the monitor or another child needs
    capture : a capture that it reads, and must not write to
    free    : it looks names up, so that it needs files and sockets: no chroot, and Landlock lets it read
    """

    name: str
    keep: Collection[int] = ()
    release: Callable[[], None] = _nothing
    capture: int | None = None
    free: bool = False


@dataclass(slots=True)
class Child:
    """A running child as the monitor sees it."""

    role: Role
    pid: int
    channel: Channel
    pidfd: int
    made: str | None
    """An empty directory that was made to be its root."""

    def settle(self) -> None:
        """It is READY: nobody needs a way to its root any more."""
        if self.made is not None:
            os.rmdir(self.made)  # noqa: PTH106
            self.made = None

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def reap(self) -> int:
        """Its exit status as waitpid has it, once pidfd says that it has ended."""
        self.settle()
        os.close(self.pidfd)
        self.channel.close()
        return os.waitpid(self.pid, 0)[1]


Prepare = Callable[[Channel], Callable[[], int]]
"""What a child does: everything that opens or imports; it returns what is then done, confined."""


def fork(role: Role, confinement: Confinement, prepare: Prepare) -> Child:
    """Start a child; OSError if the system has no room for it."""
    ours, theirs = Channel.pair()
    account = confinement.account if not role.free else None
    made = tempfile.mkdtemp(prefix="fl0p-") if account is not None and account.home is None else None
    try:
        pid = os.fork()
    except OSError:
        ours.close()
        theirs.close()
        if made is not None:
            os.rmdir(made)  # noqa: PTH106
        raise
    if pid == 0:
        _run(role, confinement, prepare, theirs, made)
    theirs.close()
    return Child(role, pid, ours, os.pidfd_open(pid), made)


def _run(
    role: Role, confinement: Confinement, prepare: Prepare, channel: Channel, made: str | None
) -> NoReturn:
    """The child's whole life; does not return."""
    status = INTERNAL_ERROR
    try:
        _forget(role, channel)
        work = prepare(channel)
        _confine(role, confinement, made)
        send_surely(channel, Kind.READY)
        status = work()
    except Fl0pError as error:
        say(channel, str(error))
        status = error.exit_status
    except MemoryError:
        say(channel, "out of memory; --flows bounds what the flow table takes")
        status = 1
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        say(channel, f"fault in fl0p, please report it: {error!r} at {place.filename}:{place.lineno}")
    finally:
        with suppress(BaseException):
            send_surely(channel, Kind.BYE, {"status": status})
        os._exit(status)


def send_surely(channel: Channel, kind: Kind, body: dict[str, object] | None = None) -> None:
    """Send what must arrive, waiting for room if need be; in vain if the monitor is gone or hangs."""
    deadline = time.monotonic() + PATIENCE_S
    with suppress(ConnectionError):
        while not channel.send(kind, body) and time.monotonic() < deadline:
            time.sleep(0.01)


def _forget(role: Role, channel: Channel) -> None:
    """Drop what was the monitor's: signals, descriptors, the terminal."""
    signal.set_wakeup_fd(-1)
    role.release()
    keep = {channel.fileno(), *role.keep}
    if role.capture is not None:
        keep.add(role.capture)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    confine.name_process(f"fl0p-{role.name.replace(' ', '-')}")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - keep:
        os.dup2(nothing, standard)
    confine.close_all_but({0, 1, 2} | keep)


def _confine(role: Role, confinement: Confinement, made: str | None) -> None:
    account = confinement.account
    if account is not None:
        become(account, None if role.free else made or account.home)
    elif os.geteuid() != 0:
        drop_capabilities()
    if role.free:
        confine.no_new_privileges()
        confine.restrict_files(reading=True)
    else:
        confine.wall_in(confinement.seccomp, role.capture)
