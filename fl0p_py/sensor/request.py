"""Requests of a confined process to the one that keeps its rights (keeper.py, monitor.py).

`RemoteFiles` has log files opened there; `Line.kill` and `ask_to_kill` have connections ended (killer.py says
which and how often).
"""

from __future__ import annotations

import select
import time
from contextlib import suppress

from fl0p_py.errors import OutputError
from fl0p_py.grep.log_folder import Sender
from fl0p_py.sensor.channel import Channel, Kind, Message
from fl0p_py.sensor.child import send_surely
from fl0p_py.sensor.target import Target

ANSWER_S = 5.0
"""How long an answer may take; the keeper does little else."""


class Line:
    """The child's end of the channel.  stopped : the keeper has said STOP, or is gone"""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.stopped = False

    def listen(self) -> None:
        """Take what is there to be taken."""
        with suppress(BlockingIOError):
            self._hear()

    def ask(self, kind: Kind, body: dict[str, object]) -> Message | None:
        """Send a request and wait for its answer; None if none comes."""
        send_surely(self._channel, kind, body)
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        end_s = time.monotonic() + ANSWER_S
        while (left_s := end_s - time.monotonic()) > 0:
            if not poll.poll(1000 * left_s):
                continue
            with suppress(BlockingIOError):
                message = self._hear()
                if message is not None:
                    return message
                if self._gone:
                    return None
        return None

    def kill(self, target: Target) -> bool:
        send_surely(self._channel, Kind.KILL, target.body())
        return True

    _gone = False

    def _hear(self) -> Message | None:
        message = self._channel.receive()
        if message is None:
            self._gone = self.stopped = True
        elif message.kind is Kind.STOP:
            self.stopped = True
        else:
            return message
        return None


class RemoteFiles:
    """Log files that the keeper opens; see log_folder.Files."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def create(self, sender: Sender) -> tuple[str, int] | None:
        body: dict[str, object] = {
            "second": sender.second,
            "source": sender.source.hex(),
            "sport": sender.sport,
            "dest": sender.dest.hex(),
            "dport": sender.dport,
            "proto": sender.proto,
        }
        answer = self._line.ask(Kind.CREATE, body)
        if answer is None:
            raise OutputError(f"{sender.file_name}: it was not made")
        if answer.descriptor is None:
            if answer.body["why"]:
                raise OutputError(answer.body["why"])
            return None
        return answer.body["name"], answer.descriptor

    def again(self, name: str) -> int | None:
        answer = self._line.ask(Kind.AGAIN, {"name": name})
        return None if answer is None else answer.descriptor


def ask_to_kill(channel: Channel, target: Target) -> bool:
    """Ask without waiting, as an engine must that packets wait for; False if there is no room to ask."""
    try:
        return channel.send(Kind.KILL, target.body())
    except ConnectionError:
        return False
