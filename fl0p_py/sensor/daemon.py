"""Daemon: a sensor in the background, and what its shell hears of it.

    shell ── parent: waits until the daemon is ready or says why not, and exits accordingly
               └─ daemon (python-daemon detaches it: session, directory, umask, no core file)

Until it is ready, what the daemon has to say is printed by the parent; after that it goes to syslog.
"""

from __future__ import annotations

import os
import signal
import sys
import syslog
import traceback
from collections.abc import Callable, Collection

from daemon import DaemonContext
from daemon.daemon import DaemonError

from fl0p_py.errors import Fl0pError
from fl0p_py.sensor.plan import Say

UMASK = 0o027
END = b"\0"
"""Ends what the parent prints; the exit status follows, as one byte."""


class Report:
    """The daemon's way to its parent, and later to syslog."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe
        syslog.openlog("fl0p", syslog.LOG_PID, syslog.LOG_DAEMON)

    def say(self, line: str) -> None:
        if self._pipe is None:
            syslog.syslog(syslog.LOG_NOTICE, line)
        else:
            self.show(f"fl0p: {line}")

    def show(self, text: str) -> None:
        """Have the parent print this as it is; not for later."""
        if self._pipe is not None:
            self._write(text.encode(errors="backslashreplace") + b"\n")

    def ready(self) -> None:
        """The parent may go.  Whoever has ended it meanwhile, by ^C, wants no daemon either."""
        if not self.end(0):
            signal.raise_signal(signal.SIGTERM)

    def end(self, status: int) -> bool:
        """The parent may go, with this exit status; False if it has gone before."""
        if self._pipe is None:
            return True
        heard = self._write(END + bytes([status]))
        os.close(self._pipe)
        self._pipe = None
        return heard

    def _write(self, data: bytes) -> bool:
        try:
            os.write(self._pipe or 0, data)
        except BrokenPipeError:
            return False
        return True


def into_background(run: Callable[[Report], int], keep: Collection[int], say: Say) -> int:
    """Run in a daemon.  Returns in the parent alone: the exit status, once the daemon is ready or has failed.

    keep : descriptors that stay open in the daemon, besides the standard ones, which become /dev/null
    """
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        os.waitpid(child, 0)  # detaching forks twice
        return _wait(reading, say)
    status = 1
    try:
        os.close(reading)
        report = Report(writing)
        try:
            DaemonContext(
                detach_process=True, umask=UMASK, files_preserve=[*keep, writing], signal_map={}
            ).open()
            status = run(report)
        except DaemonError as error:
            report.say(f"cannot go into the background: {error}")
        except Fl0pError as error:
            report.say(str(error))
            status = error.exit_status
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            report.say(f"fault in fl0p, please report it: {error!r} at {place.filename}:{place.lineno}")
        report.end(status)
    finally:
        os._exit(status)


def _wait(pipe: int, say: Say) -> int:
    """Print what the daemon said until it was ready or ended; the exit status."""
    with open(pipe, "rb") as stream:
        text, found, status = stream.read().partition(END)
    for line in text.decode(errors="replace").splitlines():
        say(line)
    if not found:
        say("fl0p: the daemon ended before it was ready")
        return 1
    return status[0]
