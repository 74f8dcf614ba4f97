"""A program on a terminal of its own: what it prints is read all the time, what is typed goes in by key."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import termios
import time
from fcntl import ioctl
from pathlib import Path

from tools.lab.errors import ProgramError
from tools.lab.net import ENVIRONMENT
from tools.lab.process import die_with_parent

BUFFER = 1 << 20
"""Bytes of output remembered."""
HANG_UP_S = 2.0
"""How long a program may take to end when its terminal is gone."""


class Terminal:
    """A running program and its terminal.

    output : what it has printed so far, the last BUFFER bytes
    status : its exit status once it has ended
    """

    def __init__(self, command: list[str], log: Path, rows: int = 40, columns: int = 120) -> None:
        self.output = b""
        self.status: int | None = None
        self._read_to = 0  # how much of `output` an `expect` has consumed
        self._log = log.open("ab")
        self._pid, self._descriptor = pty.fork()
        if self._pid == 0:
            try:
                die_with_parent()
                os.execvpe(command[0], command, ENVIRONMENT)
            finally:
                os._exit(127)
        ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, data: bytes) -> None:
        """Type it, at once.  Typing into a program that has ended is ProgramError."""
        self.pause(0)
        try:
            os.write(self._descriptor, data)
        except OSError:
            raise ProgramError("typed into a program that has ended") from None

    def pause(self, seconds: float) -> None:
        """Let time pass while reading on."""
        until_s = time.monotonic() + seconds
        while True:
            left_s = until_s - time.monotonic()
            self._read(max(0.0, left_s))
            if left_s <= 0:
                return

    def expect(self, pattern: str, within_s: float = 30.0) -> str:
        """Wait for output that matches; everything from the last match to the end of this one."""
        wanted = re.compile(pattern.encode())
        until_s = time.monotonic() + within_s
        while True:
            over = self.ended()  # before the search: then all of its output is there
            match = wanted.search(self.output, self._read_to)
            if match:
                text = self.output[self._read_to : match.end()]
                self._read_to = match.end()
                return text.decode(errors="replace")
            if over:
                raise ProgramError(f"ended with {self.status} before {pattern!r}: {self.tail()!r}")
            if time.monotonic() > until_s:
                raise ProgramError(f"waited {within_s:g} s in vain for {pattern!r}: {self.tail()!r}")
            self._read(0.05)

    def tail(self) -> str:
        """The end of its output, for messages."""
        return self.output[-200:].decode(errors="replace")

    def ended(self) -> bool:
        """Whether the program has ended and all that it printed is read."""
        if self.status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                while self._read(0):
                    pass
                self.status = os.waitstatus_to_exitcode(status)
        return self.status is not None

    def wait(self, within_s: float = 30.0) -> int:
        """Wait for the end of the program; its exit status."""
        until_s = time.monotonic() + within_s
        while not self.ended():
            if time.monotonic() > until_s:
                raise ProgramError(f"did not end within {within_s:g} s: {self.tail()!r}")
            self._read(0.02)
        assert self.status is not None
        return self.status

    def close(self) -> None:
        """End the program as closing the window does; a second time does nothing."""
        if self._log.closed:
            return
        os.close(self._descriptor)  # hangs up: the kernel tells all programs on the terminal
        self._log.close()
        until_s = time.monotonic() + HANG_UP_S
        while self.status is None:
            if time.monotonic() > until_s:
                os.kill(self._pid, signal.SIGKILL)
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            else:
                time.sleep(0.01)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, within_s: float) -> bool:
        """Take what there is; whether there was something."""
        if not select.select([self._descriptor], [], [], within_s)[0]:
            return False
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:  # the other side is closed
            time.sleep(min(within_s, 0.02))
            return False
        self._log.write(data)
        self._log.flush()
        cut = max(0, len(self.output) + len(data) - BUFFER)
        self.output = (self.output + data)[cut:]
        self._read_to = max(0, self._read_to - cut)
        return bool(data)
