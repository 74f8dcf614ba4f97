"""The pcap file format (draft-ietf-opsawg-pcap): its header, and its records by the kernel.

Read as libpcap does: both byte orders, microseconds and nanoseconds, Kuznetzov's modified records, and the
length fields that old versions wrote the other way round.
"""

from __future__ import annotations

import struct

from fl0p_py.capture import savefile_scan as kernel
from fl0p_py.capture.columns import Columns, Scan
from fl0p_py.capture.linktype import SUPPORTED, describe, supported_names

HEADER_SIZE = 24
RECORD_HEAD = 16
MODIFIED_RECORD_HEAD = 24  # and the interface's index, the protocol and the packet's type
LINKTYPE_MASK = 0x03FFFFFF  # above it: how many bytes of frame check sequence there are

# magic: nanoseconds a unit of the second time field, bytes of a record's header
MAGICS = {
    0xA1B2C3D4: (1000, RECORD_HEAD),
    0xA1B23C4D: (1, RECORD_HEAD),
    0xA1B2CD34: (1000, MODIFIED_RECORD_HEAD),
}
BY_BYTES = {struct.pack(order + "I", magic): (order, magic) for order in "<>" for magic in MAGICS}


class PcapFormat:
    """How to read the records of one pcap file."""

    header_size = HEADER_SIZE

    def __init__(self, header: bytes) -> None:
        """Read a file's first 24 bytes; ValueError says what is wrong with them."""
        order, magic = BY_BYTES[header[:4]]
        major, minor = struct.unpack_from(order + "HH", header, 4)
        (network,) = struct.unpack_from(order + "I", header, 20)
        self._big = order == ">"
        self._fraction_ns, self._record_head = MAGICS[magic]
        self._lengths = _lengths(major, minor)
        linktype = network & LINKTYPE_MASK
        self.linktypes = (linktype,)
        if linktype not in SUPPORTED:
            raise ValueError(
                f"link type {describe(linktype)} is not supported; decoded are {supported_names()}"
            )

    def scan(self, data: memoryview, start: int, stop: int, columns: Columns) -> Scan:
        """Fill `columns` from the records that are complete in data[start:stop]."""
        count, position, status, need = kernel.scan_pcap(
            data, start, stop, self._big, self._record_head, self._fraction_ns, self._lengths,
            columns.offset, columns.caplen, columns.wirelen, columns.ts_ns,
        )  # fmt: skip
        columns.all_of(self.linktypes[0])
        fault = None
        if status == kernel.TOO_LONG:
            first, second = struct.unpack_from("<>"[self._big] + "II", data, position + 8)
            length = {kernel.CAPLEN_FIRST: first, kernel.WIRELEN_FIRST: second}.get(
                self._lengths, min(first, second)
            )
            fault = f"a packet of {length} bytes; at most {kernel.MAX_PACKET} are possible"
        return Scan(count, position, status == kernel.FULL, need, fault)

    def finish(self) -> str | None:
        """What is wrong with the file as a whole, known at its end: nothing."""
        return None


def _lengths(major: int, minor: int) -> int:
    """The order of a record's length fields; ValueError for versions nobody reads."""
    if major == 543 or (major == 2 and minor < 3):
        return int(kernel.WIRELEN_FIRST)  # 543.0: DG/UX
    if (major, minor) == (2, 3):
        return int(kernel.SHORTER_IS_CAPLEN)  # both were written
    if (major, minor) == (2, 4):
        return int(kernel.CAPLEN_FIRST)
    raise ValueError(f"pcap version {major}.{minor}; expected 2.4 or older")
