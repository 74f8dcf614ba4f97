"""Kernel and plain-Python twin agree: on made-up packets, on damaged ones, on every capture."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.capture.savefile import open_savefile
from fl0p_py.errors import CaptureError
from tests.decode.both import Both
from tests.support import captures
from tests.support.examples import examples
from tests.support.frames import batch, ether, icmp, icmp6, ip4, ip6, tcp, udp

LINKS = [0, 1, 9, 12, 14, 50, 101, 105, 108, 113, 228, 229, 276]
HOSTS4 = st.sampled_from(["10.0.0.1", "10.0.0.2", "255.1.2.3"])
HOSTS6 = st.sampled_from(["fd00::1", "fd00::2", "::", "ffff::1"])
PORTS = st.sampled_from([0, 22, 53, 40000, 65535])
OPTIONS = st.sampled_from([b"", bytes.fromhex("03030801"), bytes.fromhex("0101080a0000000100000002")])


@st.composite
def segments(draw: st.DrawFn, version: int) -> object:
    payload = draw(st.binary(max_size=80))
    kind = draw(st.sampled_from(["tcp", "udp", "icmp"]))
    if kind == "tcp":
        flags = draw(st.sampled_from(["S", "SA", "A", "PA", "FA", "R"]))
        return tcp(payload, draw(PORTS), draw(PORTS), flags=flags, options=draw(OPTIONS))
    if kind == "udp":
        return udp(payload, draw(PORTS), draw(PORTS))
    number = draw(st.integers(0, 65535))
    if version == 4:
        return icmp(payload, type=draw(st.sampled_from([0, 8, 3])), id=number)
    return icmp6(payload, type=draw(st.sampled_from([128, 129, 135])), id=number)


@st.composite
def extension_chains(draw: st.DrawFn) -> tuple[list[int], bytes]:
    """Types of the headers and, but for the last next-header byte, the headers themselves."""
    kinds = draw(st.lists(st.sampled_from([0, 43, 44, 51, 60, 135]), max_size=3))
    return kinds, draw(st.binary(min_size=64, max_size=64))


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        options = draw(st.sampled_from([b"", bytes.fromhex("01010101"), bytes.fromhex("8307040a00000900")]))
        fields = draw(st.sampled_from([{}, {"mf": True}, {"offset": 2}, {"offset": 1, "mf": True}]))
        return ip4(draw(segments(4)), draw(HOSTS4), draw(HOSTS4), options=options, **fields)
    segment = draw(segments(6))
    inner = {"TCP": 6, "UDP": 17, "ICMP6": 58}[type(segment).__name__]
    kinds, filling = draw(extension_chains())
    chain = b""
    for kind, following in zip(kinds, [*kinds, inner][1:], strict=True):
        size = 24 if kind in (43, 51) else 8
        length = {43: 2, 51: 4}.get(kind, 0)
        chain += bytes([following, length]) + filling[: size - 2]
        filling = filling[7:]
    first = kinds[0] if kinds else inner
    return ip6(segment, draw(HOSTS6), draw(HOSTS6), extensions=chain, next_header=first)


@st.composite
def frames(draw: st.DrawFn) -> tuple[bytes, int]:
    packet = draw(datagrams())
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    tags = draw(st.lists(st.integers(0, 65535), max_size=3))
    ppp = b"\x00\x21" if packet[0] >> 4 == 4 else b"\x57"
    label = bytes.fromhex("00013140")
    return draw(
        st.sampled_from(
            [
                (ether(packet, vlan=tags, tag=0x88A8) + bytes(draw(st.integers(0, 9))), 1),
                (ether(b"\xaa\xaa\x03\0\0\0" + kind + packet, ethertype=300), 1),
                (ether(label + packet, ethertype=0x8847, vlan=tags), 1),
                (ether(bytes.fromhex("110000010000") + ppp + packet, ethertype=0x8864), 1),
                (bytes(14) + kind + packet, 113),
                (kind + bytes(18) + packet, 276),
                (packet, draw(st.sampled_from([12, 14, 101, 228, 229]))),
                (struct.pack("<I", draw(st.sampled_from([2, 10, 24, 28, 30]))) + packet, 0),
                (ppp + packet, 9),
                (b"\x0f\x00" + kind + packet, 50),
            ]
        )
    )


@examples(300)
@given(
    made=st.lists(frames(), min_size=1, max_size=6),
    damage=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 120), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 200),
    more=st.sampled_from([0, 1, 60, 70000]),
    vlan=st.booleans(),
    check=st.booleans(),
)
def test_made_and_damaged_packets(
    made: list[tuple[bytes, int]],
    damage: list[tuple[int, int, int]],
    cut: int,
    more: int,
    vlan: bool,
    check: bool,
) -> None:
    """`damage`: (packet, position, byte to put there); the last packet is cut to `cut` bytes."""
    packets = [bytearray(frame) for frame, _ in made]
    for number, at, byte in damage:
        if number < len(packets) and at < len(packets[number]):
            packets[number][at] = byte
    wirelen = [len(packet) for packet in packets]
    packets[-1] = packets[-1][:cut]
    wirelen[-1] += more
    rows = [(number * 10**9, bytes(packet), wirelen[number]) for number, packet in enumerate(packets)]
    Both(vlan=vlan, check=check).decode(batch(rows, [link for _, link in made]))


@pytest.mark.parametrize(
    "segment", [tcp(b"payload"), tcp(flags="S", options=bytes.fromhex("03030801")), udp(b"payload")]
)
def test_plain_frames_with_any_byte_changed_or_cut_anywhere(segment: object) -> None:
    """Most frames are plain ones, for which the kernel has a short way: see plain.pxd."""
    frame = ether(ip4(segment)) + bytes(2)
    odd = [
        frame[:at] + bytes([frame[at] ^ change]) + frame[at + 1 :]
        for at in range(len(frame))
        for change in (0x01, 0x08, 0x10, 0x40, 0x80, 0xFF)
    ]
    cut = [(0, frame[:size], len(frame)) for size in range(len(frame) + 1)]
    for check in (True, False):
        Both(check=check).decode(batch([(0, one, len(one)) for one in odd] + cut))


@examples(300)
@given(st.lists(st.tuples(st.binary(max_size=120), st.sampled_from(LINKS)), max_size=5))
def test_arbitrary_bytes(made: list[tuple[bytes, int]]) -> None:
    Both(vlan=True).decode(batch([(0, frame) for frame, _ in made], [link for _, link in made]))


PIECES = st.tuples(
    st.integers(0, 12),  # position, in 8 bytes
    st.sampled_from([8, 8, 16, 24, 5]),  # length
    st.booleans(),  # more
    st.integers(1, 2),  # identification
    st.sampled_from([0, 0, 0, 0, 1, 30, 70]),  # seconds since the piece before
)


@examples(400)
@given(
    pieces=st.lists(PIECES, max_size=16), version=st.sampled_from([4, 6]), snaplen=st.sampled_from([60, 1500])
)
def test_random_fragments(pieces: list[tuple[int, int, bool, int, int]], version: int, snaplen: int) -> None:
    whole = (ip4(udp(b"p" * 200)) if version == 4 else ip6(udp(b"p" * 200)))[20 if version == 4 else 40 :]
    rows, now = [], 0
    for position, length, more, number, later in pieces:
        now += later * 10**9
        body = whole[position * 8 : position * 8 + length]
        if version == 4:
            packet = ip4(body, proto=17, id=number, mf=more, offset=position)
        else:
            header = struct.pack(">BBHI", 17, 0, position * 8 | more, number)
            packet = ip6(body, proto=17, extensions=header, next_header=44)
        frame = ether(packet)
        rows.append((now, frame[:snaplen], len(frame)))
    both = Both()
    half = len(rows) // 2
    both.decode(batch(rows[:half]))
    both.decode(batch(rows[half:]))


@examples(60)
@given(frames())
def test_every_truncation(made: tuple[bytes, int]) -> None:
    frame, link = made
    cuts = [(0, frame[:size], len(frame)) for size in range(len(frame) + 1)]
    Both(vlan=True).decode(batch(cuts, link))
    short = [(0, frame[:size]) for size in range(len(frame) + 1)]
    Both(vlan=True).decode(batch(short, link))


@captures.needs_captures
@pytest.mark.parametrize("path", captures.files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_capture(path: Path) -> None:
    for vlan in (False, True):
        both = Both(vlan=vlan)
        try:
            with open_savefile(str(path)) as source:
                for packets in source:
                    both.decode(packets)
        except CaptureError:
            pass  # a damaged file: what could be read was compared
