"""Keeper: the process of a live flowgrep that keeps root and never sees a packet.

It forked the one that does, and answers what that asks for (request.py): end a connection, make a log file.
What is asked is checked, bounded, and done here alone; a child that asks for anything else is killed.
SIGTERM and SIGINT end it in order, another one a little later at once.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fl0p_py.errors import OutputError
from fl0p_py.grep.log_folder import LogFolder, Sender
from fl0p_py.output.escape import escape
from fl0p_py.sensor.channel import Channel, ChannelError, Kind, Message, printable
from fl0p_py.sensor.child import Child
from fl0p_py.sensor.kills import Kills
from fl0p_py.sensor.signals import Signals

if TYPE_CHECKING:
    from fl0p_py.sensor.reset import Resetter

SIGNALS = (signal.SIGTERM, signal.SIGINT)

END_S = 20.0
"""How long the child may take to end when all ends."""

TWICE_S = 0.5
"""Signals so soon after the first are the same one: timeout(1) sends it to the child and to its group."""

FAILED = 2


@dataclass(frozen=True, slots=True)
class Rights:
    """What the keeper may do for its child.

    resetter : None: it ends nothing; kill_limit : connections in a second
    folder   : None: it makes no files
    """

    resetter: Resetter | None
    kill_limit: int
    folder: LogFolder | None


class Keeper:
    """Keeps one child.  say : takes a line for the user; ready : called when it reads packets"""

    def __init__(self, rights: Rights, say: Callable[[str], None], ready: Callable[[], None]) -> None:
        self._rights, self._say, self._ready = rights, say, ready
        self._kills = None if rights.resetter is None else Kills(rights.resetter, rights.kill_limit, say)
        self._heard = Signals(SIGNALS)
        self._end_at_s: float | None = None

    def run(self, child: Child) -> int:
        """Until the child has ended; returns its exit status."""
        with self._heard.heard() as heard, selectors.DefaultSelector() as selector:
            selector.register(heard, selectors.EVENT_READ)
            selector.register(child.channel, selectors.EVENT_READ)
            selector.register(child.pidfd, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in selector.select(1.0)}
                if heard in ready:
                    heard.recv(64)
                self._signals(child)
                if child.channel in ready and not self._hear_all(child):
                    selector.unregister(child.channel)
                if child.pidfd in ready:
                    break
                if self._end_at_s is not None and time.monotonic() >= self._end_at_s:
                    child.kill()
                self._report()
        self._hear_all(child)
        self._report(force=True)
        status = os.waitstatus_to_exitcode(child.reap())
        if status < 0:
            self._say(f"the process that reads packets was ended by signal {-status}")
            return FAILED
        return status

    def _signals(self, child: Child) -> None:
        if not self._heard.taken():
            return
        if self._end_at_s is not None:
            if time.monotonic() >= self._end_at_s - END_S + TWICE_S:
                child.kill()
            return
        self._end_at_s = time.monotonic() + END_S
        with suppress(ConnectionError):
            child.channel.send(Kind.STOP)

    def _hear_all(self, child: Child) -> bool:
        """What the child has to say; False: nothing more comes."""
        try:
            while (message := child.channel.receive()) is not None:
                self._act(message, child.channel)
        except BlockingIOError:
            return True
        except ChannelError as error:
            self._say(f"the process that reads packets: {escape(str(error))}; killed")
            child.kill()  # it does what none does: it is in somebody else's hands
        except ConnectionError:
            return False
        return False

    def _act(self, message: Message, channel: Channel) -> None:
        match message.kind:
            case Kind.READY:
                self._ready()
            case Kind.SAY:
                self._say(message.body["text"])
            case Kind.KILL:
                self._kill(message)
            case Kind.CREATE | Kind.AGAIN:
                self._file(message, channel)
            case Kind.BYE:
                pass
            case _:
                raise ChannelError(f"{message.kind.name} is not for it to send")

    def _kill(self, message: Message) -> None:
        if self._kills is None:
            raise ChannelError("KILL, which is not for it to ask")
        self._kills.end(message.body)

    def _report(self, force: bool = False) -> None:
        if self._kills is not None:
            self._kills.report(force)

    def _file(self, message: Message, channel: Channel) -> None:
        folder, body = self._rights.folder, message.body
        if folder is None:
            raise ChannelError(f"{message.kind.name}, and there is no log")
        if message.kind is Kind.AGAIN:
            descriptor = folder.again(body["name"])
            made = None if descriptor is None else (str(body["name"]), descriptor)
        else:
            sender = Sender(
                body["second"],
                bytes.fromhex(body["source"]),
                body["sport"],
                bytes.fromhex(body["dest"]),
                body["dport"],
                body["proto"],
            )
            if not sender.valid:
                raise ChannelError("CREATE of what is no name")
            try:
                made = folder.create(sender)
            except OutputError as error:
                channel.send(Kind.NO_FILE, {"why": printable(str(error))})
                return
        if made is None:
            channel.send(Kind.NO_FILE, {"why": ""})
            return
        name, descriptor = made
        try:
            channel.send(Kind.FILE, {"name": name}, descriptor)
        finally:
            os.close(descriptor)
