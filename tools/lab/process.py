"""Entering namespaces, and children that never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from pathlib import Path

CLONE_NEWNS = 0x00020000  # linux/sched.h
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """The calling process is killed as soon as its parent ends, however that happens."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def enter(pid: int, kind: str) -> None:
    """The calling thread enters a namespace ("net" or "mnt") of a process."""
    flag = {"net": CLONE_NEWNET, "mnt": CLONE_NEWNS}[kind]
    descriptor = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, flag) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"setns: {os.strerror(number)}")
    finally:
        os.close(descriptor)


def only_child(pid: int) -> int | None:
    """The process id of a process's child, if it has one."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


def end(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, within_s: float = 2.0) -> int:
    """Signal a process of ours and all of its group, by force if need be; its exit status."""
    if process.poll() is None:
        _signal_group(process.pid, number)
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
    return process.wait(within_s)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # it has ended meanwhile
