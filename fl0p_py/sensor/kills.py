"""Kills: what a child may have ended, done by the process that keeps the right to send resets.

What is asked is checked; connections in a second are limited, and so is asking again for one that was ended
lately, since whoever asks may be in the hands of whoever sent the packets.  One that is beyond the limit is
left out and counted; it is ended when it is asked for again (killer.py) in a second that has room.
"""

from __future__ import annotations

import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from fl0p_py.sensor.channel import ChannelError
from fl0p_py.sensor.target import Target

REMEMBERED = 1024
"""Connections that were ended lately: to end one again is neither told nor counted as another."""

AGAIN = 16
"""For each connection of a second's limit, how often any may be ended again in that second."""


Ends = tuple[str, str, int, int]


class Resetter(Protocol):
    """See reset.py."""

    def end(self, target: Target) -> int: ...


class Kills:
    """limit : connections in a second; say : takes a line for the user"""

    def __init__(self, resetter: Resetter, limit: int, say: Callable[[str], None]) -> None:
        self._resetter, self._limit, self._say = resetter, limit, say
        self._ended: OrderedDict[Ends, None] = OrderedDict()
        self._left_out: set[Ends] = set()  # in this second, as many as are remembered
        self._second = 0
        self._in_second = self._again = 0
        self._refused = 0

    def end(self, body: Mapping[str, Any]) -> None:
        """The body of KILL; raises ChannelError if it names no connection."""
        target = Target.of(body)
        if target is None:
            raise ChannelError("KILL of what is no connection")
        second = int(time.monotonic())
        if second != self._second:
            self.report(force=True)
            self._second, self._in_second, self._again = second, 0, 0
            self._left_out.clear()
        ends = (target.client, target.server, target.cport, target.sport)
        if ends in self._ended:
            self._again += 1
            if self._again <= AGAIN * self._limit:
                self._resetter.end(target)
            return
        if self._in_second >= self._limit:
            if ends not in self._left_out:
                self._refused += 1
                if len(self._left_out) < REMEMBERED:
                    self._left_out.add(ends)
            return
        self._in_second += 1
        self._ended[ends] = None
        if len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
        sent = self._resetter.end(target)
        self._say(f"killed {_shown(target)} ({sent} resets sent)")

    def report(self, force: bool = False) -> None:
        """Say how many were too many, once a second at most."""
        if self._refused and (force or int(time.monotonic()) != self._second):
            self._say(f"{self._refused} streams were not killed: --kill-limit is {self._limit}")
            self._refused = 0


def _shown(target: Target) -> str:
    family = socket.AF_INET if len(target.client) == 8 else socket.AF_INET6
    form = "{}:{}" if family == socket.AF_INET else "[{}]:{}"
    ends = ((target.client, target.cport), (target.server, target.sport))
    return " -> ".join(
        form.format(socket.inet_ntop(family, bytes.fromhex(address)), port) for address, port in ends
    )
