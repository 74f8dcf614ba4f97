"""PypcapDriver: live packets through pypcap, which calls back for each of them, with the GIL held.

Time stamps are in nanoseconds.
"""

from __future__ import annotations

import numpy as np
import pcap

from fl0p_py.capture.live_driver import SNAPLEN, Driver, DriverError, Frames, Setting

BATCH = 2048
"""Packets in one read: nothing else in the process runs for its 0.5 ms or so."""


def open_driver(setting: Setting) -> Driver:
    return PypcapDriver(setting)


class PypcapDriver:
    """See live_driver.Driver."""

    limit = BATCH

    def __init__(self, setting: Setting) -> None:
        try:
            self._reader = pcap.pcap(
                name=setting.device,
                snaplen=SNAPLEN,
                promisc=setting.promiscuous,
                timeout_ms=setting.timeout_ms,
                timestamp_in_ns=True,
                buffer_size=setting.buffer_bytes,
            )
        except OSError as error:
            raise DriverError(_text(error)) from None
        self._reader.setnonblock(True)

    def fileno(self) -> int:
        return int(self._reader.fileno())

    def datalink(self) -> int:
        return int(self._reader.datalink())

    def set_filter(self, expression: str) -> None:
        try:
            self._reader.setfilter(expression)
        except OSError as error:
            raise DriverError(_text(error)) from None

    def read(self) -> Frames | None:
        stamps: list[int] = []
        frames: list[bytes] = []

        def take(ts_ns: int, frame: bytes) -> None:
            stamps.append(ts_ns)
            frames.append(frame)

        if self._reader.dispatch(BATCH, take) < 0:
            raise DriverError(_decoded(self._reader.geterr()))
        if not frames:
            return None
        caplen = np.fromiter(map(len, frames), np.uint32, len(frames))
        ends = np.cumsum(caplen, dtype=np.int64)
        return Frames(
            data=np.frombuffer(b"".join(frames), np.uint8),
            offset=ends - caplen,
            caplen=caplen,
            ts_ns=np.array(stamps, np.int64),
        )

    def close(self) -> None:
        self._reader.close()


def _text(error: OSError) -> str:
    """libpcap's words, without pypcap's."""
    said = _decoded(error.args[0] if error.args else "")
    return said.rpartition(" was ")[2].strip() or "libpcap refuses it"


def _decoded(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said
