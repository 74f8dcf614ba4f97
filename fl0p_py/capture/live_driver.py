"""Driver: what a capture library must do for a LiveSource, and the choice among those installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

SNAPLEN = 262144
"""Bytes of a frame that are captured at most: libpcap's own bound, and more than offload glues together.

Frames are not cut to their headers.  A checksum can only be verified over a whole packet, and one that
is not verified lets anybody slip tokens into a flow that its receiver drops.  Neither library says how
long a frame that it cut had been.  And it gains nothing: reading a mixed trace costs 0.25 µs a packet
whole or cut to 192 bytes, and the kernel copies as fast.
"""


class Frames(NamedTuple):
    """What one read brought, in columns as in PacketBatch; nothing of it is used again by the driver."""

    data: NDArray[np.uint8]
    offset: NDArray[np.int64]
    caplen: NDArray[np.uint32]
    ts_ns: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Setting:
    """How to open a device.

    timeout_ms   : how long the kernel gathers packets before it wakes the reader
    buffer_bytes : of the kernel's ring
    """

    device: str
    promiscuous: bool
    timeout_ms: int
    buffer_bytes: int


class Driver(Protocol):
    """An open, non-blocking capture.  What goes wrong in any of these is a DriverError.

    limit : most packets that one read may bring
    """

    limit: int

    def fileno(self) -> int: ...

    def datalink(self) -> int:
        """libpcap's DLT_ number."""
        ...

    def set_filter(self, expression: str) -> None:
        """Compile for this device and set it in the kernel."""
        ...

    def read(self) -> Frames | None:
        """What is there now, `limit` packets at most; None: nothing.  One thread at a time."""
        ...

    def close(self) -> None: ...


class DriverError(Exception):
    """What a capture library said."""


MODULES = {"pcapy": "fl0p_py.capture.live_pcapy", "pypcap": "fl0p_py.capture.live_pypcap"}
"""The drivers by name, the fastest first: pcapy-ng hands over a batch in one call at 0.25 µs a packet,
pypcap calls back for each packet, 0.45 µs."""

PACKAGES = {"pcapy": "pcapy-ng", "pypcap": "pypcap"}


def opener(driver: str) -> tuple[str, Callable[[Setting], Driver]]:
    """The name and the opening function of the driver named, or with "auto" of the best one installed.

    DriverError if it is not there.
    """
    names = tuple(MODULES) if driver == "auto" else (driver,)
    for name in names:
        try:
            return name, cast(Callable[[Setting], Driver], import_module(MODULES[name]).open_driver)
        except ImportError:
            continue
    wanted = " or ".join(PACKAGES[name] for name in names)
    raise DriverError(f"the capture library is not installed: pip install {wanted}")
