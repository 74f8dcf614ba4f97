"""Channel: what monitor and children of a sensor say to each other, one datagram a message.

A SOCK_SEQPACKET socket pair; a header (mark, kind, length), a JSON object of the shape that KINDS
gives for the kind, and for some kinds one open descriptor.  Nothing here blocks.

Promises: `receive` returns a message of the other side's kinds and of its shape, or raises
ChannelError; whatever else came, its descriptors are closed and its memory is bounded.  A child
may be in the hands of whoever sent the packets, so the monitor kills one that sends anything else.
"""

from __future__ import annotations

import array
import os
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import orjson

from fl0p_py.errors import Fl0pError
from fl0p_py.output.escape import escape
from fl0p_py.sensor.target import FIELDS, hexadecimal, up_to

HEADER = struct.Struct("!HHI")
MARK = 0xF10B
"""Not the beginning of any text or JSON: a process that writes to the wrong descriptor is found out."""

LONGEST_BODY = 32768
"""Bytes.  The longest message is a child's counters, some 2,000."""

LONGEST_TEXT = 4096
"""Characters of a text inside a message: a line of the terminal, or a line of the log."""

MOST_COUNTERS = 128
LARGEST_COUNT = (1 << 63) - 1


class ChannelError(Fl0pError):
    """The other side of a channel sent something that is no message."""


class Kind(IntEnum):
    """Who may send what.

    Monitor to child:
    LOG         a new descriptor of the log
    SIGNATURES  the descriptor of a sealed memory file: new signatures (signature_text.py)
    STATS       send COUNTERS now
    WRITE       write this line into the log
    STOP        end all flows, write all there is, say BYE
    NAMES       the descriptor of a new socket to the resolver
    FILE        the descriptor of a file that CREATE or AGAIN asked for; NO_FILE: there is none

    Child to monitor:
    READY       confined, and about to take the first packet
    COUNTERS    what was counted so far; `final` with the last ones
    SAY         a line for the user
    TAKEN       the new signatures are in use; KEPT: they are not, the old ones are
    LOST        lines could not be written, with the reason; BACK: they can be again
    GONE        the source of packets ended, with the reason
    BYE         all is done; what the child exits with
    KILL        end this TCP connection (target.py)
    CREATE      make a log file of this name, given in parts (grep/log_folder.py)
    AGAIN       open one that was made for it, once more
    """

    LOG = 1
    SIGNATURES = 2
    STATS = 3
    WRITE = 4
    STOP = 5
    NAMES = 6
    FILE = 7
    NO_FILE = 8
    READY = 64
    COUNTERS = 65
    SAY = 66
    TAKEN = 67
    KEPT = 68
    LOST = 69
    BACK = 70
    GONE = 71
    BYE = 72
    KILL = 73
    CREATE = 74
    AGAIN = 75


Check = Callable[[Any], bool]


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_COUNT


def _status(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 255


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _counters(value: Any) -> bool:
    """Counts by name; one level of groups of them."""
    return _counts(value, lambda entry: _count(entry) or _counts(entry, _count))


def _counts(value: Any, check: Check) -> bool:
    return isinstance(value, dict) and len(value) <= MOST_COUNTERS and all(map(check, value.values()))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a message of a kind carries: fields with their checks, all of them required, and a descriptor."""

    fields: Mapping[str, Check] = field(default_factory=dict)
    descriptor: bool = False

    def fits(self, body: Mapping[str, Any], descriptor: int | None) -> bool:
        return (
            body.keys() == self.fields.keys()
            and all(check(body[name]) for name, check in self.fields.items())
            and (descriptor is not None) == self.descriptor
        )


KINDS: dict[Kind, Shape] = {
    Kind.LOG: Shape(descriptor=True),
    Kind.SIGNATURES: Shape(descriptor=True),
    Kind.STATS: Shape(),
    Kind.WRITE: Shape({"line": _text}),
    Kind.STOP: Shape(),
    Kind.NAMES: Shape(descriptor=True),
    Kind.FILE: Shape({"name": _text}, descriptor=True),
    Kind.NO_FILE: Shape({"why": _text}),
    Kind.READY: Shape(),
    Kind.COUNTERS: Shape({"counters": _counters, "final": _flag}),
    Kind.SAY: Shape({"text": _text}),
    Kind.TAKEN: Shape({"signatures": _count}),
    Kind.KEPT: Shape({"why": _text}),
    Kind.LOST: Shape({"lines": _count, "why": _text}),
    Kind.BACK: Shape({"lines": _count}),
    Kind.GONE: Shape({"why": _text}),
    Kind.BYE: Shape({"status": _status}),
    Kind.KILL: Shape(FIELDS),
    Kind.CREATE: Shape(
        {
            "second": _count,
            "source": hexadecimal(8, 32),
            "sport": up_to(0xFFFF),
            "dest": hexadecimal(8, 32),
            "dport": up_to(0xFFFF),
            "proto": up_to(0xFF),
        }
    ),
    Kind.AGAIN: Shape({"name": _text}),
}

FROM_MONITOR = frozenset(kind for kind in Kind if kind < Kind.READY)
FROM_CHILD = frozenset(Kind) - FROM_MONITOR


@dataclass(frozen=True, slots=True)
class Message:
    """descriptor : belongs to the receiver from now on"""

    kind: Kind
    body: dict[str, Any]
    descriptor: int | None = None


class Channel:
    """One end.  expects : the kinds that may arrive here."""

    def __init__(self, end: socket.socket, expects: frozenset[Kind]) -> None:
        self._socket, self._expects = end, expects
        end.setblocking(False)

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """The monitor's end and the child's."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(one, FROM_CHILD), cls(other, FROM_MONITOR)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, kind: Kind, body: Mapping[str, Any] | None = None, descriptor: int | None = None) -> bool:
        """True if the message is on its way, False if the other side has too much to read already.

        Raises ConnectionError when the other end is closed, ValueError for what does not fit the kind.
        The descriptor stays the caller's.
        """
        body = body or {}
        if not KINDS[kind].fits(body, descriptor):
            raise ValueError(f"{kind.name}: {body}, descriptor {descriptor}")
        data = orjson.dumps(body)
        rights = [] if descriptor is None else [_rights(descriptor)]
        flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        try:
            self._socket.sendmsg([HEADER.pack(MARK, kind, len(data)), data], rights, flags)
        except BlockingIOError:
            return False
        return True

    def receive(self) -> Message | None:
        """The next message; None when the other end is closed (or sent an empty datagram, which looks alike).

        Raises BlockingIOError if there is none yet, ChannelError for what is no message.
        """
        try:
            data, ancillary, flags = self._datagram()
        except ConnectionError:  # it ended without reading all; what it had sent before is still there
            data, ancillary, flags = self._datagram()
        descriptors = _descriptors(ancillary)
        try:
            if not data and not descriptors:
                return None
            if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(descriptors) > 1:
                raise ChannelError("a message longer, or with more descriptors, than any message is")
            message = self._message(data, descriptors[0] if descriptors else None)
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        return message

    def _datagram(self) -> tuple[bytes, list[tuple[int, int, bytes]], int]:
        """The next one with what came along: data, ancillary data, flags; no data at the end."""
        data, ancillary, flags, _ = self._socket.recvmsg(
            HEADER.size + LONGEST_BODY,
            socket.CMSG_LEN(array.array("i").itemsize),  # one descriptor; the kernel drops any other
            socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC,
        )
        return data, ancillary, flags

    def _message(self, data: bytes, descriptor: int | None) -> Message:
        if len(data) < HEADER.size:
            raise ChannelError(f"{len(data)} bytes, where a header has {HEADER.size}")
        mark, number, length = HEADER.unpack_from(data)
        if mark != MARK or length != len(data) - HEADER.size:
            raise ChannelError("a header that does not fit the message")
        if number not in self._expects:
            raise ChannelError(f"message {number} is not for it to send")
        kind = Kind(number)
        try:
            body = orjson.loads(data[HEADER.size :])
        except orjson.JSONDecodeError:
            raise ChannelError(f"{kind.name} without a JSON object") from None
        if not isinstance(body, dict) or not KINDS[kind].fits(body, descriptor):
            raise ChannelError(f"{kind.name} of another shape")
        return Message(kind, body, descriptor)


def say(channel: Channel, text: str) -> None:
    """A line for the user, by way of the monitor; dropped when that has too much to read, or is gone."""
    with suppress(ConnectionError):
        channel.send(Kind.SAY, {"text": printable(text)})


def printable(text: str) -> str:
    """A text as a message may carry it: one line, not too long."""
    return escape(text)[:LONGEST_TEXT]


def _rights(descriptor: int) -> tuple[int, int, array.array[int]]:
    return socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor])


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)
