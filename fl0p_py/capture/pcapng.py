"""The pcapng file format (draft-ietf-opsawg-pcapng): sections and interfaces here, packets by the kernel.

Section header and interface description blocks are rare and read in Python; the kernel stops at each.  A
section's length field is not needed (blocks are walked one by one) and often wrong, so it is not believed.
"""

from __future__ import annotations

import struct

from fl0p_py.capture import savefile_scan as kernel
from fl0p_py.capture.columns import Columns, Scan
from fl0p_py.capture.linktype import SUPPORTED, describe, supported_names

SECTION_MAGIC = b"\x0a\x0d\x0d\x0a"  # the type of a section header block, the same in both byte orders
BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
HEADER_SIZE = 12  # of a section: type, length, byte order
SECTION_SIZE = 28  # at least: and version, section length, length again
INTERFACE_SIZE = 20  # at least: type, length, link type, reserved, snaplen, length again

OPTION_END, OPTION_TSRESOL, OPTION_TSOFFSET = 0, 9, 14
MICROSECONDS = 6  # tsresol when the option is missing
NS_DIGITS = 9
UINT64_DIGITS = 19  # powers of ten that an uint64 can hold

MAX_INTERFACES = 65536
"""Interfaces of a section; obsolete packet blocks cannot name more, and nobody has so many."""

INTERFACES_AT_FIRST = 4


class PcapngFormat:
    """How to read the blocks of one pcapng file; keeps the state of its current section.

    linktypes : of all interfaces met so far, in order of appearance
    """

    header_size = HEADER_SIZE

    def __init__(self) -> None:
        self.linktypes: tuple[int, ...] = ()
        self._order = "<"
        self._interfaces = kernel.interface_table(INTERFACES_AT_FIRST)
        self._described = 0

    def scan(self, data: memoryview, start: int, stop: int, columns: Columns) -> Scan:
        """Fill `columns` from the blocks that are complete in data[start:stop]."""
        count, position = 0, start
        try:
            while True:
                count, position, status, need = kernel.scan_pcapng(
                    data, position, stop, self._order == ">", self._interfaces[: self._described],
                    columns.offset, columns.caplen, columns.wirelen, columns.ts_ns, columns.linktype, count,
                )  # fmt: skip
                if status != kernel.BLOCK:
                    break
                length = self._read_block(data[position:stop])
                if length > stop - position:
                    return Scan(count, position, False, length, None)
                position += length
        except ValueError as error:
            return Scan(count, position, False, 0, str(error))
        fault = None if status in (kernel.MORE, kernel.FULL) else self._fault(status, data, position)
        return Scan(count, position, status == kernel.FULL, need, fault)

    def finish(self) -> str | None:
        """What is wrong with the file as a whole, known at its end: nothing in it could be decoded."""
        if not self.linktypes or SUPPORTED.intersection(self.linktypes):
            return None
        found = ", ".join(describe(linktype) for linktype in self.linktypes)
        return f"no interface has a supported link type, only {found}; decoded are {supported_names()}"

    def _read_block(self, view: memoryview) -> int:
        """Read the section header or interface description that `view` starts with; ValueError: damaged.

        Returns its length; if that is more than there is, nothing was read.
        """
        is_section = bytes(view[:4]) == SECTION_MAGIC
        if is_section:
            if len(view) < HEADER_SIZE:
                return HEADER_SIZE
            order = BYTE_ORDERS.get(bytes(view[8:12]))
            if order is None:
                raise ValueError(f"a section of unknown byte order {view[8:12].hex()}")
        else:
            order = self._order
        (length,) = struct.unpack_from(order + "I", view, 4)
        smallest = SECTION_SIZE if is_section else INTERFACE_SIZE
        if length < smallest or length % 4:
            what = "a section header" if is_section else "an interface description"
            raise ValueError(f"{what} of {length} bytes; expected a multiple of 4 from {smallest} on")
        if length > kernel.MAX_BLOCK:
            raise ValueError(f"a block of {length} bytes; at most {kernel.MAX_BLOCK} are read")
        if length > len(view):
            return int(length)
        (again,) = struct.unpack_from(order + "I", view, length - 4)
        if again != length:
            raise ValueError(f"a block whose length is {length} at its start and {again} at its end")
        if is_section:
            self._start_section(order, view)
        else:
            self._add_interface(view[8 : length - 4])
        return int(length)

    def _start_section(self, order: str, view: memoryview) -> None:
        major, minor = struct.unpack_from(order + "HH", view, HEADER_SIZE)
        if major != 1:
            raise ValueError(f"pcapng version {major}.{minor}; expected 1.x")
        self._order = order
        self._described = 0

    def _add_interface(self, body: memoryview) -> None:
        if self._described == MAX_INTERFACES:
            raise ValueError(f"more than {MAX_INTERFACES} interfaces in a section")
        if self._described == len(self._interfaces):
            larger = kernel.interface_table(2 * len(self._interfaces))
            larger[: self._described] = self._interfaces
            self._interfaces = larger
        linktype, _reserved, snaplen = struct.unpack_from(self._order + "HHI", body)
        tsresol, tsoffset = MICROSECONDS, 0
        for code, value in _options(body[8:], self._order):
            if code == OPTION_TSRESOL:
                tsresol = _unpack("B", value, "if_tsresol")
            elif code == OPTION_TSOFFSET:
                tsoffset = _unpack(self._order + "q", value, "if_tsoffset")
        row = self._interfaces[self._described]
        row["linktype"], row["snaplen"] = linktype, snaplen
        row["unit"], row["factor"] = _resolution(tsresol)
        row["offset_ns"] = max(-kernel.LATEST_NS, min(kernel.LATEST_NS, tsoffset * 10**NS_DIGITS))
        self._described += 1
        if linktype not in self.linktypes:
            self.linktypes += (linktype,)

    def _fault(self, status: int, data: memoryview, position: int) -> str:
        kind, length = struct.unpack_from(self._order + "II", data, position)
        if status == kernel.TOO_LONG:
            return f"a block of {length} bytes; at most {kernel.MAX_BLOCK} are read"
        if status == kernel.BAD_LENGTH:
            return f"a block of type {kind:#x} of {length} bytes; expected a multiple of 4 from 12 on"
        if status == kernel.BAD_TRAILER:
            (again,) = struct.unpack_from(self._order + "I", data, position + length - 4)
            return f"a block whose length is {length} at its start and {again} at its end"
        if status == kernel.NO_INTERFACE:
            return f"a packet of an interface that is not described; there are {self._described}"
        return "a packet that is longer than its block"


def _options(view: memoryview, order: str) -> list[tuple[int, memoryview]]:
    """The options of a block, (code, value); ValueError if one runs past the block."""
    found = []
    while len(view) >= 4:
        code, length = struct.unpack_from(order + "HH", view)
        if code == OPTION_END:
            break
        if 4 + length > len(view):
            raise ValueError(f"option {code} of an interface description runs past its block")
        found.append((code, view[4 : 4 + length]))
        view = view[4 + length + -length % 4 :]
    return found


def _unpack(layout: str, value: memoryview, name: str) -> int:
    expected = struct.calcsize(layout)
    if len(value) != expected:
        raise ValueError(f"an {name} option of {len(value)} bytes; expected {expected}")
    return int(struct.unpack(layout, value)[0])


def _resolution(tsresol: int) -> tuple[int, int]:
    """The kernel's (unit, factor) for an if_tsresol byte: its low 7 bits are a power of 2 (top bit) or 10."""
    power = tsresol & 0x7F
    if tsresol & 0x80:
        return kernel.SHIFT, power
    if power <= NS_DIGITS:
        return kernel.MULTIPLY, 10 ** (NS_DIGITS - power)
    if power <= NS_DIGITS + UINT64_DIGITS:
        return kernel.DIVIDE, 10 ** (power - NS_DIGITS)
    return kernel.SHIFT, 127  # so fine that 64 bits of ticks are less than a nanosecond
