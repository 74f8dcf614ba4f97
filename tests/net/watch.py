"""Two witnesses of the same cable: a LiveSource, read in a thread, and tcpdump."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.capture.live import LiveSource
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.errors import CaptureError
from tests.net import lab


class Seen(NamedTuple):
    """One captured frame."""

    ts_ns: int
    frame: bytes
    linktype: int


class Watcher:
    """Collects what a source yields until it ends.

    packets : what was seen; clocks : the now_ns of the batches; batches : how many there were
    error   : the CaptureError that ended it
    """

    def __init__(self, source: LiveSource) -> None:
        self.source = source
        self.packets: list[Seen] = []
        self.clocks: list[int] = []
        self.batches = 0
        self.error: CaptureError | None = None
        self._thread = threading.Thread(target=self._run, name="watcher")
        self._thread.start()

    @property
    def frames(self) -> list[bytes]:
        return [packet.frame for packet in self.packets]

    def wait(self, packets: int) -> None:
        """Until so many packets were seen."""
        lab.until(lambda: len(self.packets) >= packets or not self._thread.is_alive())

    def join(self) -> None:
        """Until the source has ended by itself."""
        self._thread.join(lab.TIME_S)
        assert not self._thread.is_alive()

    def end(self) -> None:
        self.source.stop()
        self.join()

    def _run(self) -> None:
        try:
            for batch in self.source:
                self.batches += 1
                self.clocks.append(batch.now_ns)
                self.packets += seen(batch)
        except CaptureError as error:
            self.error = error


@contextmanager
def watching(source: LiveSource) -> Iterator[Watcher]:
    """Read the source while the `with` lasts, and close it afterwards."""
    watcher = Watcher(source)
    try:
        yield watcher
    finally:
        watcher.end()
        source.close()


@contextmanager
def tcpdump(where: lab.Namespace, file: Path, *words: str, device: str = "") -> Iterator[list[Seen]]:
    """Let tcpdump write what passes; the list is filled when the `with` ends."""
    told = file.with_suffix(".err")
    packets: list[Seen] = []
    with told.open("wb") as stderr:
        process = where.spawn(
            "tcpdump", "-i", device or where.device, "-w", str(file), "--immediate-mode", "-Z", "root",
            "-s", "0", "--time-stamp-precision=nano", *words, stderr=stderr,
        )  # fmt: skip
        lab.until(lambda: b"listening on" in told.read_bytes())
        yield packets
        lab.end(process, signal.SIGINT)
    with open_savefile(str(file)) as source:
        for batch in source:
            packets += seen(batch)


def seen(batch: PacketBatch) -> list[Seen]:
    data = batch.data.tobytes()
    columns = (batch.ts_ns.tolist(), batch.offset.tolist(), batch.caplen.tolist(), batch.linktype.tolist())
    return [
        Seen(ts_ns, data[offset : offset + caplen], linktype)
        for ts_ns, offset, caplen, linktype in zip(*columns, strict=True)
    ]
