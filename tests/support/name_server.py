"""A name server that answers what a test wants, and says who asked."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

PTR, IN, NAME_ERROR = 12, 1, 3
RESPONSE = 0x8180
"""Flags: a response, recursion desired and available (RFC 1035 section 4.1.1)."""


Names = Mapping[str, str | bytes] | Callable[[str], str | bytes | None]


class NameServer:
    """Answers questions for the names of IPv4 addresses.

    names    : by address; an address that is not there has none; bytes : labels as they go on the wire
    at       : where it listens; None: a free port of 127.0.0.1
    silent   : says nothing while this is set
    asked_by : ports from which questions came; questions : addresses asked for
    """

    def __init__(self, names: Names, at: socket.socket | None = None) -> None:
        if at is None:
            at = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            at.bind(("127.0.0.1", 0))
        self._socket = at
        self._names = names if callable(names) else names.get
        self._stopped = threading.Event()
        self.host, self.port = at.getsockname()
        self.silent = threading.Event()
        self.asked_by: list[int] = []
        self.questions: list[str] = []

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def serve(self) -> None:
        """Until `stop`, and what came before it."""
        self._socket.settimeout(0.05)
        while True:
            try:
                data, peer = self._socket.recvfrom(4096)
            except TimeoutError:
                if self._stopped.is_set():
                    break
                continue
            self.asked_by.append(peer[1])
            address = ".".join(reversed(_labels(data)[:4]))
            self.questions.append(address)
            if not self.silent.is_set():
                self._socket.sendto(_answer(data, self._names(address)), peer)
        self._socket.close()

    def stop(self) -> None:
        self._stopped.set()


@contextmanager
def name_server(names: Names, at: socket.socket | None = None) -> Iterator[NameServer]:
    server = NameServer(names, at)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


def _labels(data: bytes) -> list[str]:
    at, labels = 12, []
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return labels


def _answer(data: bytes, name: str | bytes | None) -> bytes:
    end = data.index(b"\0", 12) + 5
    question = data[12:end]
    header = struct.Struct("!2sHHHHH")
    if name is None:
        return header.pack(data[:2], RESPONSE | NAME_ERROR, 1, 0, 0, 0) + question
    wire = name if isinstance(name, bytes) else _wire(name)
    record = struct.pack("!HHHIH", 0xC00C, PTR, IN, 60, len(wire)) + wire
    return header.pack(data[:2], RESPONSE, 1, 1, 0, 0) + question + record


def _wire(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
