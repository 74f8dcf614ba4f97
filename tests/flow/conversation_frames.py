"""Segments of one TCP conversation, as frames and as the batches of a table that records them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.flow.table import EOF, FlowTable
from tests.support.frames import batch, ether, ip4, tcp

SECOND = 1_000_000_000
CLIENT_ISN, SERVER_ISN = 999, 4999
"""Initial sequence numbers: the client's first byte is 1000, the server's 5000."""


class Segment(NamedTuple):
    """at_s : time; who : "c" or "s"; start : offset of its first byte in its direction; ack : in the other"""

    at_s: float
    who: str
    start: int
    data: bytes
    ack: int = 0
    flags: str = "A"


def frame(
    segment: Segment, *, port: int = 40000, isns: tuple[int, int] = (CLIENT_ISN, SERVER_ISN)
) -> tuple[int, bytes]:
    at_s, who, start, data, ack, flags = segment
    ends = [(port, "10.0.0.1", isns[0]), (22, "10.0.0.2", isns[1])]
    (sport, src, own), (dport, dst, other) = ends if who == "c" else ends[::-1]
    before = 0 if "S" in flags else 1
    made = tcp(
        data, sport, dport, seq=own + start + before, ack=other + ack + 1 if "A" in flags else 0, flags=flags
    )
    return round(at_s * SECOND), ether(ip4(made, src, dst))


HANDSHAKE = [Segment(0, "c", 0, b"", 0, "S"), Segment(0, "s", 0, b"", 0, "SA"), Segment(0, "c", 0, b"")]


class Steps:
    """A recording table and what it says, a batch at a time."""

    def __init__(self, records: str = "payload", **options: Any) -> None:
        self.table = FlowTable(**{"capacity": 64, "records": records, "batches": 3, **options})
        self.decoder = Decoder(key=bytes(16))
        self.decoded = DecodedBatch()

    def take(self, frames: Sequence[tuple[int, bytes]] | PacketBatch) -> PacketBatch:
        """The batch; `table.segments` and `table.events` tell of it until `release`."""
        made = frames if isinstance(frames, PacketBatch) else batch(frames)
        self.decoder.decode(made, self.decoded)
        assert self.table.track(self.decoded), "too many for one step"
        return made

    def finish(self) -> None:
        assert not self.table.finish(EOF)
