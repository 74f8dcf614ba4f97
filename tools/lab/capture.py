"""Captures: the classic pcap format with nanoseconds, Ethernet, nothing cut.

`Writer` is the relay's pen, `tcpdump` the one on a plain cable.  `records` reads them back; `flows` tells
which flows are in one, in the words of the sensor (client: who sent the first packet), and nothing more:
labels are put on these, and they come from what was done, not from what the packets look like.
"""

from __future__ import annotations

import heapq
import signal
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from tools.lab.errors import ProgramError
from tools.lab.process import end

MAGIC_NS = 0xA1B23C4D
SNAPLEN = 262144
ETHERNET = 1
HEADER = struct.Struct("<IHHiIII")  # the Internet-Draft draft-ietf-opsawg-pcap, section 4
RECORD = struct.Struct("<IIII")  # section 5
START_S = 10.0

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
PROTOCOLS = {TCP: "TCP", UDP: "UDP", ICMP: "ICMP", ICMP6: "IPv6-ICMP"}
_ECHO = {ICMP: (8, 0), ICMP6: (128, 129)}  # RFC 792, RFC 4443 section 4: request, reply
_EXTENSIONS = {0, 43, 60}  # RFC 8200 section 4: hop-by-hop, routing, destination options
_SYN, _ACK = 0x02, 0x10


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture file that is being written or whole."""

    path: Path


class Writer:
    """Writes frames into a new capture file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=1 << 16)
        self._file.write(HEADER.pack(MAGIC_NS, 2, 4, 0, 0, SNAPLEN, ETHERNET))

    def write(self, ts_ns: int, frame: bytes) -> None:
        seconds, rest = divmod(ts_ns, 1_000_000_000)
        self._file.write(RECORD.pack(seconds, rest, len(frame), len(frame)) + frame)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Time (ns) and bytes of each frame of a capture that the lab wrote."""
    with path.open("rb") as file:
        magic = HEADER.unpack(file.read(HEADER.size))[0]
        if magic != MAGIC_NS:
            raise ProgramError(f"{path}: not a capture of the lab")
        while head := file.read(RECORD.size):
            seconds, rest, length, _ = RECORD.unpack(head)
            yield seconds * 1_000_000_000 + rest, file.read(length)


@contextmanager
def tcpdump(pid: int, device: str, capture: Capture, log: Path) -> Iterator[None]:
    """Let tcpdump write what passes a device in a process's network namespace while the `with` lasts."""
    command = (
        "nsenter", "-t", str(pid), "-n", "tcpdump", "-i", device,
        "-w", str(capture.path), "-s", "0", "-Z", "root", "--immediate-mode", "-U",
        "--time-stamp-precision=nano",
    )  # fmt: skip
    with log.open("wb") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=told, start_new_session=True)
    until_s = time.monotonic() + START_S
    try:
        while b"listening on" not in log.read_bytes():
            if time.monotonic() > until_s or process.poll() is not None:
                raise ProgramError(f"tcpdump: {log.read_text()[-300:]}")
            time.sleep(0.01)
        yield
        time.sleep(0.1)  # what the last packets need from the kernel to the file
    finally:
        end(process, signal.SIGINT)
    if " 0 packets dropped by kernel" not in " " + log.read_text().replace("\n", " "):
        raise ProgramError(f"tcpdump lost packets: {log.read_text()[-300:]}")


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow of a capture, by its first packet.

    start_ns : time of that packet; speaks: there was payload in it, on one side at least
    protocol : IP protocol number; ports of ICMP are its identifier (client) and 0
    """

    start_ns: int
    protocol: int
    src_ip: str
    src_port: int
    dest_ip: str
    dest_port: int
    speaks: bool = True


def flows(path: Path) -> list[Flow]:
    """The flows of a capture in the order of their first packets, as DESIGN counts them.

    A used pair whose SYN has another sequence number is another flow.  Idle timeouts are not considered:
    no run is that long.
    """
    known: dict[
        tuple[int, bytes, bytes], tuple[bytes, int]
    ] = {}  # each pair's last SYN and its place in `found`
    found: list[Flow] = []
    speaking: set[int] = set()
    for ts_ns, frame in records(path):
        heads = _heads(frame)
        if heads is None:
            continue
        protocol, source, destination, transport, payload = heads
        if protocol in _ECHO:
            if transport[0] not in _ECHO[protocol]:
                continue
            source_end, dest_end = source + transport[4:6], destination + transport[4:6]
        else:
            source_end, dest_end = source + transport[0:2], destination + transport[2:4]
        key = (protocol, *sorted((source_end, dest_end)))
        syn = transport[4:8] if protocol == TCP and transport[13] & (_SYN | _ACK) == _SYN else b""
        if key in known and (not syn or known[key][0] == syn):
            if payload:
                speaking.add(known[key][1])
            continue
        if protocol == TCP and not syn and transport[13] & _SYN:  # SYN+ACK alone: its receiver is the client
            source, destination, source_end, dest_end = destination, source, dest_end, source_end
        known[key] = syn, len(found)
        if payload:
            speaking.add(len(found))
        ports = [int.from_bytes(address_end[-2:], "big") for address_end in (source_end, dest_end)]
        if protocol in _ECHO:
            ports[1] = 0
        found.append(Flow(ts_ns, protocol, _text(source), ports[0], _text(destination), ports[1]))
    return [replace(flow, speaks=place in speaking) for place, flow in enumerate(found)]


def _heads(frame: bytes) -> tuple[int, bytes, bytes, bytes, bool] | None:
    """Protocol, source, destination, the first 20 bytes of transport, whether there is payload behind them.

    None if there is no flow in the frame.
    """
    start = 14
    kind = frame[12:14]
    if kind == b"\x81\x00":
        start, kind = 18, frame[16:18]
    if kind == b"\x08\x00":
        if int.from_bytes(frame[start + 6 : start + 8], "big") & 0x1FFF:
            return None  # a later fragment
        protocol = frame[start + 9]
        source, destination = frame[start + 12 : start + 16], frame[start + 16 : start + 20]
        end = start + (
            int.from_bytes(frame[start + 2 : start + 4], "big") or len(frame)
        )  # 0: offloaded, huge
        start += 4 * (frame[start] & 15)
    elif kind == b"\x86\xdd":
        protocol = frame[start + 6]
        source, destination = frame[start + 8 : start + 24], frame[start + 24 : start + 40]
        end = start + 40 + (int.from_bytes(frame[start + 4 : start + 6], "big") or len(frame))
        start += 40
        while protocol in _EXTENSIONS:
            protocol, start = frame[start], start + 8 * (frame[start + 1] + 1)
    else:
        return None
    transport = frame[start : start + 20]
    if protocol not in PROTOCOLS or len(transport) < 8:
        return None
    head = 4 * (transport[12] >> 4) if protocol == TCP else 8
    return protocol, source, destination, transport, end - start > head


def _text(address: bytes) -> str:
    return str(ip_address(address))


def merge(paths: Iterable[Path], out: Path) -> int:
    """Put captures together in the order of time; how many frames there are.

    Files are opened when their turn has come: as many are open as there were runs at a time.
    """
    starts = sorted((start, path) for path in paths if (start := _start_ns(path)) is not None)
    waiting: list[tuple[int, int, bytes, Iterator[tuple[int, bytes]]]] = []
    count = number = 0
    with Writer(out) as writer:
        while waiting or starts:
            while starts and (not waiting or starts[0][0] <= waiting[0][0]):
                number += 1
                source = records(starts.pop(0)[1])
                ts_ns, frame = next(source)
                heapq.heappush(waiting, (ts_ns, number, frame, source))
            ts_ns, mine, frame, source = waiting[0]
            writer.write(ts_ns, frame)
            count += 1
            following = next(source, None)
            if following is None:
                heapq.heappop(waiting)
            else:
                heapq.heapreplace(waiting, (following[0], mine, following[1], source))
    return count


def _start_ns(path: Path) -> int | None:
    first = next(records(path), None)
    return first[0] if first else None
