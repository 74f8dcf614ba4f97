from typing import Any

from numpy.typing import NDArray

MORE: int
FULL: int
BLOCK: int
BAD_LENGTH: int
TOO_LONG: int
BAD_TRAILER: int
TOO_SHORT: int
NO_INTERFACE: int
MAX_PACKET: int
MAX_BLOCK: int
LATEST_NS: int
CAPLEN_FIRST: int
WIRELEN_FIRST: int
SHORTER_IS_CAPLEN: int
MULTIPLY: int
DIVIDE: int
SHIFT: int

def interface_table(size: int) -> NDArray[Any]: ...
def scan_pcap(
    data: memoryview,
    start: int,
    stop: int,
    big: bool,
    head: int,
    fraction_ns: int,
    lengths: int,
    offset: NDArray[Any],
    caplen: NDArray[Any],
    wirelen: NDArray[Any],
    ts_ns: NDArray[Any],
) -> tuple[int, int, int, int]: ...
def scan_pcapng(
    data: memoryview,
    start: int,
    stop: int,
    big: bool,
    interfaces: NDArray[Any],
    offset: NDArray[Any],
    caplen: NDArray[Any],
    wirelen: NDArray[Any],
    ts_ns: NDArray[Any],
    linktype: NDArray[Any],
    first: int,
) -> tuple[int, int, int, int]: ...
