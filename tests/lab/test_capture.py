"""Captures of the lab: written, read, told apart into flows, put together."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tools.lab.capture import Flow, Writer, flows, merge, records

CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10


def ether(packet: bytes, kind: int = 0x0800, tag: int | None = None) -> bytes:
    vlan = b"" if tag is None else struct.pack("!HH", 0x8100, tag)
    return bytes(12) + vlan + struct.pack("!H", kind) + packet


def ipv4(protocol: int, source: bytes, destination: bytes, transport: bytes, fragment: int = 0) -> bytes:
    length = 20 + len(transport)
    head = struct.pack("!BBHHHBBH", 0x45, 0, length, 1, fragment, 64, protocol, 0)
    return head + source + destination + transport


def tcp(source: int, destination: int, flags: int, sequence: int = 7) -> bytes:
    return struct.pack("!HHIIBBHHH", source, destination, sequence, 0, 0x50, flags, 1000, 0, 0)


def echo(kind: int, identifier: int) -> bytes:
    return struct.pack("!BBHHH", kind, 0, 0, identifier, 1)


def there(transport: bytes, protocol: int = 6, **more: int) -> bytes:
    return ether(ipv4(protocol, CLIENT, SERVER, transport, more.get("fragment", 0)), tag=more.get("tag"))


def back(transport: bytes, protocol: int = 6) -> bytes:
    return ether(ipv4(protocol, SERVER, CLIENT, transport))


def write(path: Path, *frames: bytes, start_ns: int = 1_000) -> Path:
    with Writer(path) as writer:
        for number, frame in enumerate(frames):
            writer.write(start_ns + number * 10, frame)
    return path


ONE = (6, "10.0.0.1", 4000, "10.0.0.2", 22)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((there(tcp(4000, 22, SYN)), back(tcp(22, 4000, SYN_ACK)), there(tcp(4000, 22, ACK))), [ONE]),
        ((there(tcp(4000, 22, SYN), tag=5), there(tcp(4000, 22, ACK), tag=5)), [ONE]),
        (
            (back(tcp(22, 4000, SYN_ACK)), there(tcp(4000, 22, ACK))),
            [ONE],
        ),  # the SYN was lost before the sensor
        ((there(tcp(4000, 22, SYN)), there(tcp(4000, 22, SYN))), [ONE]),  # sent again
        (
            (there(tcp(4000, 22, SYN)), there(tcp(4000, 22, SYN, sequence=9))),
            [ONE, ONE],
        ),  # the pair used again
        ((there(tcp(4000, 22, SYN)), there(tcp(4001, 22, SYN))), [ONE, (*ONE[:2], 4001, *ONE[3:])]),
        ((there(echo(8, 77), 1), back(echo(0, 77), 1)), [(1, "10.0.0.1", 77, "10.0.0.2", 0)]),
        ((there(echo(3, 77), 1),), []),  # an ICMP error is no flow
        ((there(tcp(4000, 22, SYN), fragment=4),), []),
        ((ether(bytes(28), kind=0x0806),), []),  # ARP
    ],
)
def test_flows_of_a_capture(
    tmp_path: Path, frames: tuple[bytes, ...], expected: list[tuple[object, ...]]
) -> None:
    found = flows(write(tmp_path / "a.pcap", *frames))
    assert [(f.protocol, f.src_ip, f.src_port, f.dest_ip, f.dest_port) for f in found] == expected


def test_flows_of_ipv6(tmp_path: Path) -> None:
    source, destination = bytes(15) + b"\x01", bytes(15) + b"\x02"
    hop_by_hop = bytes([17, 0]) + bytes(6)
    datagram = struct.pack("!HHHH", 5000, 53, 8, 0)
    head = struct.pack("!IHBB", 6 << 28, len(hop_by_hop + datagram), 0, 64)
    frame = ether(head + source + destination + hop_by_hop + datagram, kind=0x86DD)
    assert flows(write(tmp_path / "a.pcap", frame)) == [Flow(1_000, 17, "::1", 5000, "::2", 53, speaks=False)]


def test_merged_captures_are_in_the_order_of_time(tmp_path: Path) -> None:
    first = write(tmp_path / "a.pcap", b"a" * 60, b"b" * 60, b"c" * 60)
    second = write(tmp_path / "b.pcap", b"d" * 60, start_ns=1_015)
    write(tmp_path / "empty.pcap")
    count = merge([second, tmp_path / "empty.pcap", first], tmp_path / "all.pcap")
    assert count == 4
    assert [(ts_ns, frame[:1]) for ts_ns, frame in records(tmp_path / "all.pcap")] == [
        (1_000, b"a"), (1_010, b"b"), (1_015, b"d"), (1_020, b"c"),
    ]  # fmt: skip
