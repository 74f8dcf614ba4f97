"""Runs a command to its end and says what it cost.

Time and memory come from the kernel's accounts of the process (wait4).  A process inherits the peak of the
one that starts it, so nothing large may be imported here: peaks below some 12 MB cannot be told apart.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run cost.  `failure`: the reason in a line when it did not end well, else empty."""

    wall_s: float
    user_s: float
    sys_s: float
    peak_mb: float
    failure: str = ""


def run(
    command: Sequence[str],
    *,
    work: Path,
    limit_s: float,
    environment: Mapping[str, str] | None = None,
    feed: Sequence[str] | None = None,
    fine: Sequence[int] = (0,),
) -> Cost:
    """Run `command` in the folder `work`, its output thrown away.

    limit_s : it is killed after so many seconds
    feed    : a second command whose output becomes the standard input of the first; not counted
    fine    : exit statuses that mean success
    """
    errors = work / "stderr"
    writer = None
    if feed is not None:
        writer = subprocess.Popen(feed, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with errors.open("wb") as stream:
        began = time.monotonic()
        child = subprocess.Popen(
            command,
            cwd=work,
            env=_as_installed(environment or {}),
            stdin=writer.stdout if writer is not None else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            start_new_session=True,
        )
    if writer is not None and writer.stdout is not None:
        writer.stdout.close()
    late = threading.Event()

    def stop() -> None:
        late.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(limit_s, stop)
    timer.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    if writer is not None:
        writer.wait()
    failure = ""
    if late.is_set():
        failure = f"stopped after {limit_s:.0f} s"
    elif child.returncode not in fine:
        failure = last_line(errors) or f"exit status {child.returncode}"
    return Cost(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024, failure)


def _as_installed(more: Mapping[str, str]) -> dict[str, str]:
    """The environment; programs in Python keep their bytecode from run to run, as installed ones do."""
    environment = {**os.environ, **more}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:150] if lines else ""


def warm(path: Path) -> None:
    """Read a file once, so that it is in the page cache."""
    with path.open("rb") as stream:
        while stream.read(1 << 20):
            pass
