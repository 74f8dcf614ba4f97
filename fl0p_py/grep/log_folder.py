"""Log folder: the files into which matched flows are written (`-l`).

Promises: a file is made with mode 0600, under a name that did not exist (O_EXCL, O_NOFOLLOW), in the folder
that was opened at the start whatever happens to its path; nothing else is ever opened.  Names are made
here of numbers and addresses, so that none can lead anywhere.  Files, their bytes and those open at a
time are bounded; what is beyond is counted.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from fl0p_py.errors import OutputError
from fl0p_py.grep.pattern import GrepError

MODE = 0o600
AGAIN = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
NEW = AGAIN | os.O_CREAT | os.O_EXCL
OPEN_AT_A_TIME = 256
SAME_NAME = 1000
"""Files of one second between the same two ends."""

LATEST_S = 1 << 33
_PORTS = {6: "tcp", 17: "udp"}


@dataclass(frozen=True, slots=True)
class Sender:
    """What a file is named after: seconds since the epoch, packed addresses, ports, IP protocol."""

    second: int
    source: bytes
    sport: int
    dest: bytes
    dport: int
    proto: int

    @property
    def valid(self) -> bool:
        """Whether it can be a name: for what comes from another process."""
        return (
            0 <= self.second < LATEST_S
            and len(self.source) in (4, 16)
            and len(self.dest) in (4, 16)
            and 0 <= self.sport < 65536
            and 0 <= self.dport < 65536
            and 0 <= self.proto < 256
        )

    @property
    def file_name(self) -> str:
        """`time-source-sport-dest-dport-proto`; without ports for protocols that have none."""
        source, dest = _address(self.source), _address(self.dest)
        if self.proto in _PORTS:
            return f"{self.second}-{source}-{self.sport}-{dest}-{self.dport}-{_PORTS[self.proto]}"
        return f"{self.second}-{source}-{dest}-proto{self.proto}"


def _address(packed: bytes) -> str:
    if len(packed) == 4:
        return str(IPv4Address(packed))
    return str(IPv6Address(packed)).replace(":", "_")  # a colon is a drive or a host to some programs


class Files(Protocol):
    """What opens files: the folder itself, or the process that keeps it."""

    def create(self, sender: Sender) -> tuple[str, int] | None:
        """A new file's name and descriptor, which is the caller's; None: there are enough."""

    def again(self, name: str) -> int | None:
        """A file that it made before, to be written on; None if it is gone."""


class LogFolder:
    """The folder.  most_files : that are made"""

    def __init__(self, path: str, most_files: int) -> None:
        self._left = most_files
        self._made: set[str] = set()
        try:
            self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise GrepError(f"-l: {path}: {error.strerror}") from None
        self.path = path
        self._try()

    def _try(self) -> None:
        """Whether a file can be made in it: rights alone do not tell."""
        name = f".flowgrep-{os.getpid()}"
        try:
            os.close(os.open(name, NEW, MODE, dir_fd=self._folder))
            os.unlink(name, dir_fd=self._folder)
        except OSError as error:
            os.close(self._folder)
            raise GrepError(f"-l: {self.path}: no file can be made in it: {error.strerror}") from None

    def fileno(self) -> int:
        return self._folder

    def create(self, sender: Sender) -> tuple[str, int] | None:
        """See Files; raises OutputError."""
        if self._left == 0:
            return None
        name = sender.file_name
        for number in range(SAME_NAME):
            numbered = f"{name}.{number}" if number else name
            try:
                descriptor = os.open(numbered, NEW, MODE, dir_fd=self._folder)
            except FileExistsError:
                continue
            except OSError as error:
                raise OutputError(f"{self.path}/{numbered}: {error.strerror}") from None
            self._left -= 1
            self._made.add(numbered)
            return numbered, descriptor
        raise OutputError(f"{self.path}/{name}: there are {SAME_NAME} of this name")

    def again(self, name: str) -> int | None:
        if name not in self._made:
            return None
        try:
            return os.open(name, AGAIN, dir_fd=self._folder)
        except OSError:
            return None

    def close(self) -> None:
        os.close(self._folder)


class Log:
    """Files that are written to piece by piece, a few of them open.

    done   : takes the name of each file that is complete
    unmade : files that were not made because there were enough; cut : bytes that were not written
    """

    def __init__(self, files: Files, most_bytes: int, done: Callable[[str], None]) -> None:
        self._files, self._most, self._done = files, most_bytes, done
        self._open: OrderedDict[str, int] = OrderedDict()
        self._written: dict[str, int] = {}
        self.unmade = 0
        self.cut = 0

    def begin(self, sender: Sender) -> str | None:
        """The name of a new file; None: there are enough."""
        made = self._files.create(sender)
        if made is None:
            self.unmade += 1
            return None
        name, descriptor = made
        self._written[name] = 0
        self._keep(name, descriptor)
        return name

    def write(self, name: str, data: bytes | memoryview) -> None:
        """Append to a file begun here; raises OutputError."""
        room = self._most - self._written[name]
        self.cut += max(0, len(data) - room)
        data = memoryview(data)[:room]
        if not len(data):
            return
        descriptor = self._open.get(name)
        if descriptor is None:
            descriptor = self._files.again(name)
            if descriptor is None:
                self.cut += len(data)
                return
            self._keep(name, descriptor)
        self._open.move_to_end(name)
        self._written[name] += len(data)
        try:
            while len(data):
                data = data[os.write(descriptor, data) :]
        except OSError as error:
            raise OutputError(f"{name}: {error.strerror}") from None

    def end(self, name: str) -> None:
        """Nothing more comes."""
        descriptor = self._open.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)
        del self._written[name]
        self._done(name)

    def close(self) -> None:
        """All files are complete."""
        for name in list(self._written):
            self.end(name)

    def _keep(self, name: str, descriptor: int) -> None:
        self._open[name] = descriptor
        if len(self._open) > OPEN_AT_A_TIME:
            os.close(self._open.popitem(last=False)[1])
