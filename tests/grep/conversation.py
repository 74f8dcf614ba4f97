"""Packets between two ends, and flowgrep on them, in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fl0p_py.cli.flowgrep_options import parse
from fl0p_py.cli.flowgrep_pipeline import Pipeline, engine_options, wanted
from fl0p_py.grep.log_folder import LogFolder
from fl0p_py.tracker import Tracker
from tests.support import frames

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"


class Conversation:
    """A list of frames, each some time after the one before.  TCP numbers begin at 1 for both ends."""

    def __init__(self) -> None:
        self.packets: list[tuple[int, bytes]] = []
        self.now_ns = START_NS

    def add(self, ip: bytes, gap_s: float = 0.001) -> None:
        self.now_ns += int(gap_s * SECOND_NS)
        self.packets.append((self.now_ns, frames.ether(ip)))

    def handshake(self, port: int = 40000, server_port: int = 80, first: int = 0) -> None:
        """first : the client's sequence number"""
        for from_client, flags, seq, ack in (
            (True, "S", first, 0),
            (False, "SA", 0, first + 1),
            (True, "A", first + 1, 1),
        ):
            self.segment(b"", from_client, seq, ack, flags, port=port, server_port=server_port)

    def segment(
        self,
        payload: bytes,
        from_client: bool = True,
        seq: int = 1,
        ack: int = 1,
        flags: str = "PA",
        gap_s: float = 0.001,
        port: int = 40000,
        server_port: int = 80,
    ) -> None:
        ports = (port, server_port) if from_client else (server_port, port)
        ends = (CLIENT, SERVER) if from_client else (SERVER, CLIENT)
        self.add(frames.ip4(frames.tcp(payload, *ports, seq=seq, ack=ack, flags=flags), *ends), gap_s)

    def says(self, *pieces: bytes, from_client: bool = True, gap_s: float = 0.001, port: int = 40000) -> None:
        """Pieces in order, from sequence number 1."""
        seq = 1
        for piece in pieces:
            self.segment(piece, from_client, seq, gap_s=gap_s, port=port)
            seq += len(piece)

    def datagram(self, payload: bytes, port: int = 40000) -> None:
        self.add(frames.ip4(frames.udp(payload, port, 53), CLIENT, SERVER))


class Capture:
    """A source of batches; small ones, so that streams go over steps."""

    def __init__(self, packets: Sequence[tuple[int, bytes]], size: int) -> None:
        self._batches = [frames.batch(packets[i : i + size]) for i in range(0, len(packets), size)]
        self.linktypes, self.live = (1,), False

    def __iter__(self) -> Any:
        return iter(self._batches)


class Memory:
    def __init__(self) -> None:
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data


def grep(conversation: Conversation, *words: str, batch: int = 1000, said: list[str] | None = None) -> bytes:
    """What flowgrep prints of it with these options; said : gets what it says at the end"""
    options = parse(["-r", "-", "--flows", "64", *words])
    capture: Any = Capture(conversation.packets, batch)
    tracker = Tracker(capture, engine_options(options))
    folder = None if options.log is None else LogFolder(options.log, options.log_files)
    output = Memory()
    pipeline = Pipeline(options, wanted(options), tracker.table, output, folder, None)
    for step in tracker:
        pipeline.take(step)
    pipeline.finish([].append if said is None else said.append)
    return output.text


def events(conversation: Conversation, *words: str, batch: int = 1000) -> list[dict[str, Any]]:
    """Its matches as objects."""
    return [json.loads(line) for line in grep(conversation, *words, "--json", batch=batch).splitlines()]


def payloads(conversation: Conversation, *words: str, batch: int = 1000) -> list[str]:
    """Of its matches."""
    return [event["flowgrep"]["payload_printable"] for event in events(conversation, *words, batch=batch)]
