"""PcapyDriver: live packets through pcapy-ng, a batch in each call with the GIL released.

Time stamps are in microseconds: pcapy-ng does not ask libpcap for more.
"""

from __future__ import annotations

import numpy as np
import pcapy

from fl0p_py.capture.live_driver import SNAPLEN, Driver, DriverError, Frames, Setting

BATCH = 8192
"""Packets in one read.  pcapy-ng allocates 16 bytes for each of them, even for those that do not come."""

REFUSALS = {
    -5: "there is no such interface",
    -8: "no permission to capture",
    -9: "the interface is down",
    -11: "no permission for promiscuous mode",
}
"""What libpcap's PCAP_ERROR_ numbers say; pcapy-ng passes no text on for pcap_activate."""

if not hasattr(pcapy, "PACKET_FANOUT_HASH"):
    raise ImportError("this pcapy is too old; pcapy-ng 2 is needed")


def open_driver(setting: Setting) -> Driver:
    return PcapyDriver(setting)


class PcapyDriver:
    """See live_driver.Driver."""

    limit = BATCH

    def __init__(self, setting: Setting) -> None:
        try:
            self._reader = pcapy.create(setting.device)
            self._reader.set_snaplen(SNAPLEN)
            self._reader.set_promisc(setting.promiscuous)
            self._reader.set_timeout(setting.timeout_ms)
            self._reader.set_buffer_size(setting.buffer_bytes)
            status = self._reader.activate()
            if status < 0:  # above 0 it is a warning, such as: all interfaces have no promiscuous mode
                raise DriverError(REFUSALS.get(status, f"libpcap refuses it (error {status})"))
            self._reader.setnonblock(1)
        except pcapy.PcapError as error:
            raise DriverError(str(error)) from None

    def fileno(self) -> int:
        return int(self._reader.getfd())

    def datalink(self) -> int:
        return int(self._reader.datalink())

    def set_filter(self, expression: str) -> None:
        try:
            self._reader.setfilter(expression)
        except pcapy.PcapError as error:
            raise DriverError(str(error)) from None

    def read(self) -> Frames | None:
        try:
            data, columns = self._reader.next_batch(BATCH)
        except pcapy.PcapError as error:
            raise DriverError(str(error)) from None
        if not columns:
            return None
        rows = np.frombuffer(columns, np.uint32).reshape(-1, 4)  # seconds, µs, offset, length
        return Frames(
            data=np.frombuffer(data, np.uint8),
            offset=rows[:, 2].astype(np.int64),
            caplen=rows[:, 3].copy(),
            ts_ns=rows[:, 0].astype(np.int64) * 1_000_000_000 + rows[:, 1].astype(np.int64) * 1000,
        )

    def close(self) -> None:
        self._reader.close()
