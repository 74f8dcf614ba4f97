"""FlowTable.track does what decoding a batch and then processing it does, whatever the sizes of things."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.flow.table import EOF, FlowTable

DATA = Path(__file__).parent.parent / "data"
CAPTURES = sorted(DATA.glob("*.pcap"))


def batches(path: Path, packets: int) -> Iterator[PacketBatch]:
    """The capture three times over, later each time, in batches of so many packets."""
    with open_savefile(str(path)) as source:
        (whole,) = source
    turns = [whole.ts_ns + turn * 7200 * 10**9 for turn in range(3)]
    columns = [
        np.concatenate(part)
        for part in (
            [whole.offset] * 3, [whole.caplen] * 3, [whole.wirelen] * 3, turns, [whole.linktype] * 3,
        )
    ]  # fmt: skip
    for at in range(0, len(columns[0]), packets):
        yield PacketBatch(whole.data, *(column[at : at + packets] for column in columns))


class Run:
    """One way through a capture; everything that comes of it is in `events` and `table`."""

    def __init__(self, events: int) -> None:
        self.table = FlowTable(events=events, capacity=40)
        self.decoder = Decoder(key=bytes(16))
        self.events: list[Any] = []

    def drain(self) -> None:
        self.events += self.table.events.tolist()
        self.table.release()

    def finish(self) -> Run:
        while self.table.finish(EOF):
            self.drain()
        self.drain()
        return self


def apart(path: Path) -> Run:
    run, into = Run(4096), DecodedBatch()
    for batch in batches(path, 1 << 20):
        run.decoder.decode(batch, into)
        done = 0
        while done < len(into.packets):
            done = run.table.process(into.packets, done)
            run.drain()
    return run.finish()


def together(path: Path, packets: int, events: int) -> Run:
    run, decoded = Run(events), DecodedBatch(8)
    for batch in batches(path, packets):
        run.decoder.decode(batch, decoded)
        while not run.table.track(decoded):
            run.drain()
    return run.finish()


@pytest.mark.parametrize("packets", [1, 23, 24, 25, 511, 1 << 20])
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_it_is_the_same(path: Path, packets: int) -> None:
    expected = apart(path)
    for events in (128, 4096):
        found = together(path, packets, events)
        assert found.table.stats == expected.table.stats
        assert found.decoder.counts.tolist() == expected.decoder.counts.tolist()
        # rows are numbered by when they are released, which the size of the buffer decides
        row = 3
        assert [e[:row] + e[row + 1 :] for e in found.events] == [
            e[:row] + e[row + 1 :] for e in expected.events
        ]
