"""Confine: what a child of the sensor may still ask of the kernel, once it has all that it needs.

Three walls behind that of the user's rights, each of them for good and inherited by every thread
made later: no new privileges by execution; Landlock, where the kernel has it: no file, no TCP port,
no signal to processes outside; seccomp: an allow-list of system calls, all others fail with EPERM.

The list is what reading packets, computing, talking to the monitor and writing the log take.  No
call that opens, names or executes anything is on it, and none that writes may name the capture,
since to write to a capture is to send a packet.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from collections.abc import Collection
from dataclasses import dataclass
from types import ModuleType

from fl0p_py.sensor.privileges import PrivilegeError

PR_SET_NO_NEW_PRIVS, PR_SET_NAME = 38, 15  # linux/prctl.h

LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446  # the same on every architecture
LANDLOCK_CREATE_RULESET_VERSION = 1

# linux/landlock.h: which rights each version of the interface knows, version by version.
FS_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
FS_READ_FILE, FS_READ_DIR, FS_EXECUTE = 1 << 2, 1 << 3, 1 << 0
NET_SINCE, NET_RIGHTS = 4, 0x3  # bind and connect of TCP
SCOPE_SINCE, SCOPES = 6, 0x3  # abstract UNIX sockets and signals

CLONE_THREAD = 0x10000  # linux/sched.h
AT_EMPTY_PATH, F_GETFL = 0x1000, 3  # linux/fcntl.h

SIOCGIFNAME, SIOCGIFFLAGS = 0x8910, 0x8913  # linux/sockios.h

# fmt: off
ANY_ARGUMENT = (
    # memory; mmap and mprotect are below
    "brk", "munmap", "mremap", "madvise",
    # threads
    "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "gettid", "getpid", "membarrier",
    "exit", "exit_group", "restart_syscall",
    # signals
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    # time and randomness
    "clock_gettime", "clock_getres", "gettimeofday", "clock_nanosleep", "nanosleep", "getrandom",
    # waiting
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait",
    # descriptors that are there
    "read", "readv", "pread64", "close", "fstat", "lseek", "ftruncate", "flock", "recvfrom", "recvmsg",
    "getsockopt", "getsockname",
)
# fmt: on

WRITING = ("write", "writev", "sendto", "sendmsg")
"""Allowed on every descriptor but the capture's; no other call writes, and none copies a descriptor."""


@dataclass(frozen=True, slots=True)
class Walls:
    """Which of them stand.  landlock : version of the interface, 0: the kernel does not have it"""

    landlock: int
    seccomp: bool


def close_all_but(keep: Collection[int]) -> None:
    """Close every descriptor that is not in `keep`."""
    start = 0
    for descriptor in [*sorted(keep), os.sysconf("SC_OPEN_MAX")]:
        if start < descriptor:  # Python takes an empty range for one without end
            os.closerange(start, descriptor)
        start = descriptor + 1


def name_process(name: str) -> None:
    """What ps and top call it; the kernel keeps 15 characters."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def load_seccomp() -> ModuleType | None:
    """The library, to be loaded before the walls stand; None if it is not installed."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError):  # RuntimeError: it is, and libseccomp is not
        return None
    module: ModuleType = pyseccomp
    return module


def wall_in(seccomp: ModuleType | None, capture: int | None) -> Walls:
    """Raise all three.  capture : the descriptor that must not be written to."""
    no_new_privileges()
    landlock = restrict_files()
    if seccomp is not None:
        _filter_calls(seccomp, capture)
    return Walls(landlock, seccomp is not None)


def no_new_privileges() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise PrivilegeError(f"cannot refuse new privileges: {os.strerror(ctypes.get_errno())}")


def restrict_files(reading: bool = False) -> int:
    """Landlock: no access to any path, or with `reading` none but reading; returns its version or 0.

    Descriptors that are open, or come from the monitor, keep the rights with which they were opened.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    if version < 1:
        return 0
    files = FS_RIGHTS[min(version, max(FS_RIGHTS))]
    if reading:
        files &= ~(FS_READ_FILE | FS_READ_DIR | FS_EXECUTE)
    rules = [files]
    if version >= NET_SINCE:
        rules.append(0 if reading else NET_RIGHTS)
    if version >= SCOPE_SINCE:
        rules.append(0 if reading else SCOPES)
    attributes = (ctypes.c_uint64 * len(rules))(*rules)
    ruleset = libc.syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.sizeof(attributes), 0)
    if ruleset < 0:
        raise PrivilegeError(f"Landlock: {os.strerror(ctypes.get_errno())}")
    refused = libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0)
    number = ctypes.get_errno()
    os.close(ruleset)
    if refused:
        raise PrivilegeError(f"Landlock: {os.strerror(number)}")
    return int(version)


def _filter_calls(seccomp: ModuleType, capture: int | None) -> None:
    arg, equal, masked, other = seccomp.Arg, seccomp.EQ, seccomp.MASKED_EQ, seccomp.NE
    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in ANY_ARGUMENT:
        calls.add_rule(seccomp.ALLOW, name)
    for name in WRITING:
        calls.add_rule(seccomp.ALLOW, name, *([] if capture is None else [arg(0, other, capture)]))
    for name in ("mmap", "mprotect"):  # memory that can be executed comes from files, all read by now
        calls.add_rule(seccomp.ALLOW, name, arg(2, masked, mmap.PROT_EXEC, 0))
    calls.add_rule(seccomp.ALLOW, "clone", arg(0, masked, CLONE_THREAD, CLONE_THREAD))
    calls.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags lie in memory; libc falls back to clone
    calls.add_rule(seccomp.ALLOW, "newfstatat", arg(3, masked, AT_EMPTY_PATH, AT_EMPTY_PATH))  # fstat(3)
    calls.add_rule(seccomp.ALLOW, "prctl", arg(0, equal, PR_SET_NAME))
    for request in (SIOCGIFNAME, SIOCGIFFLAGS):  # whether the interface is still there, and up
        calls.add_rule(seccomp.ALLOW, "ioctl", arg(1, equal, request))
    calls.add_rule(seccomp.ALLOW, "fcntl", arg(1, equal, F_GETFL))
    calls.add_rule(seccomp.ALLOW, "tgkill", arg(0, equal, os.getpid()))  # abort(3)
    try:
        calls.load()
    except OSError as error:
        raise PrivilegeError(f"seccomp: {error.strerror}") from None
