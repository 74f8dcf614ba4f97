"""Requests of a confined process to the one that keeps its rights (keeper.py, monitor.py).

`RemoteFiles` has log files opened there; `Killer` has connections ended.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from fl0p_py.capture.linktype import ETHERNET
from fl0p_py.errors import OutputError
from fl0p_py.flow.table import FlowTable
from fl0p_py.grep.hit import TCP, Hit, segments_of
from fl0p_py.grep.log_folder import Sender
from fl0p_py.sensor.channel import Channel, Kind, Message
from fl0p_py.sensor.child import send_surely
from fl0p_py.sensor.target import LARGEST_WINDOW, Target
from fl0p_py.stream.chunk_batch import ChunkBatch
from fl0p_py.tracker import Step

ANSWER_S = 5.0
"""How long an answer may take; the keeper does little else."""

AGAIN = 32
"""Steps in which a connection that goes on is ended once more: its ends may have said more meanwhile.  While
both talk quickly every reset may come too late; so the last one is for the silence behind that."""

END_SEEN, SYN_WINDOW, NO_WSCALE = 4, 16, 255  # flow/record.pxd, decode/record.pxd
LARGEST_SCALE = 14  # RFC 7323 section 2.3
MAC_BYTES = 12


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


class Killer:
    """Asks for the end of TCP connections, and once more while they go on and when they fall silent.

    ask : takes the request; whether it is on its way
    """

    def __init__(self, table: FlowTable, ask: Callable[[Target], bool]) -> None:
        self._table, self._ask = table, ask
        self._macs = np.zeros((len(table.rows), MAC_BYTES), np.uint8)
        self._framed = np.zeros(len(table.rows), np.bool_)
        self._ended: dict[int, tuple[int, int]] = {}
        self._talking: set[int] = set()  # of these, those that spoke in the last step

    def take(self, step: Step, chunks: ChunkBatch, hits: Sequence[Hit]) -> None:
        """End what is hit."""
        self.watch(step)
        for hit in hits:
            if hit.ends.proto == TCP:
                with self._table.steady:
                    target = self._begin(hit.ends.row, hit.ends.serial)
                if target is not None:
                    self._ask(target)

    def watch(self, step: Step) -> None:
        """Learn from a step what is needed to end its connections; those that were ended and go on, again."""
        self._learn_macs(step)
        speaking = self._speaking(step)
        silent = sorted(self._talking.difference(speaking))
        self._talking = set(speaking)
        for row in speaking:
            self._end_again(row, 1)
        for row in silent:
            self._end_again(row, 0)

    def _end_again(self, row: int, kept: int) -> None:
        """Unless no more than `kept` steps are left for it."""
        serial, left = self._ended.get(row, (-1, 0))
        if left <= kept:
            return
        self._ended[row] = serial, left - 1
        if left == 1:
            del self._ended[row]
        with self._table.steady:
            target = self._target_of(row, serial)
        if target is not None:
            self._ask(target)

    def end(self, row: int, serial: int) -> bool:
        """End the connection of this flow, with the table's lock held; whether that is asked for by now."""
        target = self._begin(row, serial)
        if target is not None and not self._ask(target):
            del self._ended[row]
        return self._is_ended(row, serial)

    def _begin(self, row: int, serial: int) -> Target | None:
        """What is to be ended for the first time."""
        if self._is_ended(row, serial):
            return None
        target = self._target_of(row, serial)
        if target is not None:
            self._ended[row] = serial, AGAIN
        return target

    def _is_ended(self, row: int, serial: int) -> bool:
        return self._ended.get(row, (-1, 0))[0] == serial

    def _speaking(self, step: Step) -> list[int]:
        """Connections that were ended and go on."""
        if not self._ended:
            return []
        return sorted(self._ended.keys() & set(segments_of(step).records["flow"].tolist()))

    def _learn_macs(self, step: Step) -> None:
        """The addresses of frames from client to server, of every flow that has said something."""
        batch = step.batch
        if batch is None or not len(batch):
            return
        records = segments_of(step).records
        records = records[records["proto"] == TCP]
        packet = records["packet"]
        packet = packet[packet < len(batch)]
        records = records[: len(packet)]
        good = (batch.linktype[packet] == ETHERNET) & (batch.caplen[packet] >= MAC_BYTES)
        packet, records = packet[good], records[good]
        if not len(packet):
            return
        macs = batch.data[batch.offset[packet][:, None] + np.arange(MAC_BYTES)]
        back = records["direction"] == 1
        macs[back] = np.roll(macs[back], MAC_BYTES // 2, axis=1)
        self._macs[records["flow"]] = macs
        self._framed[records["flow"]] = True

    def _target_of(self, row: int, serial: int) -> Target | None:
        """The flow as a target; None if it has ended."""
        one = self._table.rows[row]
        if int(one["serial"]) != serial or int(one["flags"]) & END_SEEN:
            self._ended.pop(row, None)
            return None
        return self._target(one, row)

    def _target(self, one: Any, row: int) -> Target:
        size = 4 if one["version"] == 4 else 16
        client, server = one["client_end"], one["server_end"]
        return Target(
            client=one["client"].tobytes()[:size].hex(),
            server=one["server"].tobytes()[:size].hex(),
            cport=int(one["cport"]),
            sport=int(one["sport"]),
            client_next=int(client["next_seq"]),
            server_next=int(server["next_seq"]),
            client_window=_window(client),
            server_window=_window(server),
            macs=self._macs[row].tobytes().hex() if self._framed[row] else "",
            vlan=int(one["vlan"]),
        )


def _window(end: Any) -> int:
    """Bytes that this end lets the other send, as it said last."""
    scale = int(end["wscale"])
    if scale == NO_WSCALE or int(end["flags"]) & SYN_WINDOW:
        scale = 0
    return min(int(end["window"]) << min(scale, LARGEST_SCALE), LARGEST_WINDOW)
