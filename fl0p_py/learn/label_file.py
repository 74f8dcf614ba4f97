"""Label file: records of what somebody knows of flows, as JSON lines or CSV.

A header line names the columns of CSV; others than these are ignored:

    src_ip, dest_ip     addresses, as fl0p prints them; which is the client does not matter
    src_port, dest_port empty or absent: any port (ICMP has none)
    proto               tcp, udp, icmp in any case; empty or absent: any
    start, end          the flow began in between; ISO 8601 with zone, or seconds since the epoch
    timestamp           another name for start
    capture             name of the file that the flow is in, without folders; empty or absent: any
    label               its class

Lines that say nothing are skipped, counted and listed.  Bounds: MOST_RECORDS records.  Docs: docs/learn.md.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from fl0p_py.capture.stream import open_stream
from fl0p_py.errors import CaptureError, UsageError
from fl0p_py.learn.intake import Account
from fl0p_py.learn.lines import MAX_LINE, numbered_lines
from fl0p_py.learn.moment import time_ns
from fl0p_py.learn.stage import Progress, silent
from fl0p_py.learn.target import BACKGROUND, meaning
from fl0p_py.signature.pattern import PROTOCOLS

MOST_RECORDS = 1 << 20
LONGEST_LABEL = 200

TOLD_EVERY = 4096
"""Lines."""

NS = 1_000_000_000
LATEST_S = 9e9
"""In nanoseconds it still fits into 64 bits."""

REQUIRED = ("label", "src_ip", "dest_ip")

Endpoint = tuple[str, "int | None"]


class Record(NamedTuple):
    """A line of a label file.  ends : in order; proto : index into PROTOCOLS, None any; times None: any."""

    label: str
    ends: tuple[Endpoint, ...]
    proto: int | None
    start_ns: int | None
    end_ns: int | None
    capture: str | None
    source: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.source}:{self.line}"

    @property
    def text(self) -> str:
        """What it speaks of, in short."""
        ends = " and ".join(host if port is None else f"{host} port {port}" for host, port in self.ends)
        return f"{self.label}: {ends}"


def in_order(*ends: Endpoint) -> tuple[Endpoint, ...]:
    return tuple(sorted(ends, key=lambda end: (end[0], -1 if end[1] is None else end[1])))


@lru_cache(1 << 16)
def host_of(text: str) -> str:
    """One spelling for each address; names in lower case."""
    try:
        return ipaddress.ip_address(text).compressed
    except ValueError:
        return text.lower()


def is_label(text: str) -> bool:
    return 0 < len(text.strip()) <= LONGEST_LABEL and text.isprintable() and text != BACKGROUND


def read_labels(path: str, *, progress: Progress = silent) -> tuple[list[Record], Account]:
    """The records of a label file, and an account of the lines that say nothing.

    Raises CaptureError if the file cannot be opened, UsageError if it is no label file at all, or if a label
    is one of facets and has no meaning.
    """
    account = Account(path)
    stream = open_stream(path)
    reader = _Reader(path, account)
    try:
        for number, line in numbered_lines(stream):
            reader.read(number, line)
            if number % TOLD_EVERY == 0:
                progress(path, stream.consumed, stream.size)
    except CaptureError as error:
        account.damage = error
    finally:
        stream.close()
    return reader.records, account


class _Reader:
    """One label file; `records` so far."""

    def __init__(self, path: str, account: Account) -> None:
        self._path, self._account = path, account
        self._columns: list[str] | None = None
        self._sound: set[str] = set()  # labels that were looked at
        self.records: list[Record] = []

    def read(self, number: int, line: bytes | None) -> None:
        if line is None:
            self._account.refuse(number, f"longer than {MAX_LINE:,} bytes")
        elif line.strip():
            try:
                fields = self._fields(line.decode())
                if fields is not None:
                    self._add(number, fields)
            except UnicodeDecodeError:
                self._account.refuse(number, "not UTF-8")
            except ValueError as error:
                self._account.refuse(number, str(error))

    def _fields(self, line: str) -> dict[str, Any] | None:
        """Values by name; None for the header of a CSV file."""
        if self._columns is None and line.lstrip().startswith("{"):
            try:
                fields = orjson.loads(line)
            except orjson.JSONDecodeError:
                raise ValueError("not a whole JSON object") from None
            if not isinstance(fields, dict):
                raise ValueError("not a whole JSON object")
            return fields
        try:
            (cells,) = csv.reader([line], strict=True)
        except (csv.Error, ValueError):
            raise ValueError("not a line of CSV") from None
        if self._columns is None:
            if self.records or self._account.foreign:
                raise ValueError("not a whole JSON object")
            self._columns = [cell.strip() for cell in cells]
            missing = [name for name in REQUIRED if name not in self._columns]
            if missing:
                raise UsageError(
                    f"{self._path}: neither JSON lines nor CSV with a header: {', '.join(missing)} "
                    "is missing in the first line"
                )
            return None
        if len(cells) != len(self._columns):
            raise ValueError(f"{len(cells)} fields, expected {len(self._columns)}")
        return dict(zip(self._columns, cells, strict=True))

    def _add(self, number: int, fields: Mapping[str, Any]) -> None:
        if len(self.records) == MOST_RECORDS:
            raise ValueError(f"more than {MOST_RECORDS:,} records")
        label = _text(fields, "label")
        if label is None or not is_label(label):
            raise ValueError(f"label: a name of 1 to {LONGEST_LABEL} characters is expected")
        if label not in self._sound:
            try:
                meaning(label)
            except UsageError as error:
                raise UsageError(f"{self._path}:{number}: {error}") from None
            self._sound.add(label)
        start = _time(fields, "start")
        end = _time(fields, "end")
        if start is None:
            start = _time(fields, "timestamp")
        if start is None and end is not None:
            raise ValueError("end without start")
        if start is not None and end is not None and end < start:
            raise ValueError("end lies before start")
        ends = in_order(_endpoint(fields, "src"), _endpoint(fields, "dest"))
        capture = _text(fields, "capture")
        self.records.append(Record(label, ends, _proto(fields), start, end, capture, self._path, number))


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, (str, int, float)):
        raise ValueError(f"{name}: a text or a number is expected")
    return str(value).strip() or None if value is not None else None


def _endpoint(fields: Mapping[str, Any], side: str) -> Endpoint:
    host, port = _text(fields, f"{side}_ip"), _text(fields, f"{side}_port")
    if host is None or len(host) > 255:
        raise ValueError(f"{side}_ip: an address is expected")
    if port is None:
        return host_of(host), None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 0xFFFF):
        raise ValueError(f"{side}_port: a number from 0 to 65535 is expected")
    return host_of(host), int(port)


def _proto(fields: Mapping[str, Any]) -> int | None:
    text = _text(fields, "proto")
    if text is None:
        return None
    name = {"ipv6-icmp": "icmp", "icmpv6": "icmp"}.get(text.lower(), text.lower())
    if name not in PROTOCOLS:
        raise ValueError("proto: tcp, udp or icmp is expected")
    return PROTOCOLS.index(name)


def _time(fields: Mapping[str, Any], name: str) -> int | None:
    """ns since the epoch of a field, None if it is absent."""
    text = _text(fields, name)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            return time_ns(text)
        except ValueError:
            raise ValueError(f"{name}: seconds, or a time such as 2026-11-22T14:59:01.5Z, expected") from None
    if not abs(seconds) < LATEST_S:
        raise ValueError(f"{name}: seconds since 1970 are expected")
    return round(seconds * NS)
