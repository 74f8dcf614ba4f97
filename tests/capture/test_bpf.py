"""Filters mean what libpcap says, in and outside of VLAN tags."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from fl0p_py.capture.bpf import FilterSet
from fl0p_py.capture.savefile import open_savefile
from fl0p_py.errors import CaptureError, FilterError
from tests.capture.twin_savefile import read
from tests.support.captures import files, needs_captures
from tests.support.frames import batch, ether, icmp, ip4, ip6, tcp, udp

PACKETS = {
    "ssh": ether(ip4(tcp(b"x", 40000, 22))),
    "dns": ether(ip4(udp(b"x", 40000, 53))),
    "dns6": ether(ip6(udp(b"x", 40000, 53))),
    "ping": ether(ip4(icmp(b"x"))),
    "ssh@7": ether(ip4(tcp(b"x", 40000, 22)), vlan=[7]),
    "dns@7": ether(ip4(udp(b"x", 40000, 53)), vlan=[7]),
    "dns@8.9": ether(ip4(udp(b"x", 40000, 53)), vlan=[8, 9]),
    "arp": ether(bytes(28), ethertype=0x0806),
    "arp@7": ether(bytes(28), ethertype=0x0806, vlan=[7]),
    "short": b"123",
    "empty": b"",
}
ALL = list(PACKETS)
TAGGED = [name for name in ALL if "@" in name]
WHOLE = [name for name in ALL if name not in ("short", "empty")]  # libpcap drops where it cannot look

FILTERS = [
    ("", False, ALL),
    ("", True, ALL),
    ("port 22", False, ["ssh"]),
    ("port 22", True, ["ssh", "ssh@7"]),
    ("port 53", True, ["dns", "dns6", "dns@7", "dns@8.9"]),
    ("not port 53", False, [name for name in WHOLE if name not in ("dns", "dns6")]),
    ("ip and not port 53", True, ["ssh", "ping", "ssh@7"]),
    ("not port 53", True, [name for name in WHOLE if not name.startswith("dns")]),
    ("arp or icmp", True, ["ping", "arp", "arp@7"]),
    ("vlan", True, TAGGED),
    ("vlan 7 and port 53", True, ["dns@7"]),
    ("vlan 7 and port 53", False, ["dns@7"]),
    ("ether src 02:00:00:00:00:01", True, WHOLE),
    ("greater 1000", True, []),
    ("less 1000", True, ALL),
]


def chosen(expression, vlan, linktype=1):
    frames = [(number, frame) for number, frame in enumerate(PACKETS.values())]
    kept = FilterSet(expression, vlan=vlan).apply(batch(frames, linktype))
    return [ALL[number] for number in kept.ts_ns.tolist()]


@pytest.mark.parametrize(("expression", "vlan", "expected"), FILTERS)
def test_what_a_filter_keeps(expression, vlan, expected):
    assert chosen(expression, vlan) == expected


def test_all_columns_move_together():
    frames = [(n, PACKETS["dns" if n % 3 else "ssh"] + bytes(n), 5000 + n) for n in range(100)]
    kept = FilterSet("port 22").apply(batch(frames))
    expected = [frame for frame in frames if frame[0] % 3 == 0]
    ends = zip(kept.offset.tolist(), kept.caplen.tolist(), strict=True)
    got = [kept.data[offset : offset + caplen].tobytes() for offset, caplen in ends]
    assert list(zip(kept.ts_ns.tolist(), got, kept.wirelen.tolist(), strict=True)) == expected


def test_each_link_type_has_its_own_program():
    inner = ip4(tcp(b"x", 40000, 22))
    frames = [(0, ether(inner)), (1, inner), (2, ip4(udp(b"x"))), (3, ether(inner)), (4, b"?"), (5, inner)]
    filters = FilterSet("port 22", vlan=True)
    kept = filters.apply(batch(frames, [1, 101, 101, 1, 147, 14]))
    # what cannot be decoded passes, to be counted
    assert kept.ts_ns.tolist() == [0, 1, 3, 4, 5] and kept.linktype.tolist() == [1, 101, 1, 147, 14]


def test_wire_length_counts_for_truncated_packets():
    frames = [(0, PACKETS["ssh"], 1500), (1, PACKETS["ssh"])]
    assert FilterSet("greater 1000").apply(batch(frames)).ts_ns.tolist() == [0]


BAD = [
    ("tcp prot 22", 1, "filter 'tcp prot 22': .*syntax error"),
    ("tcp and (", 1, "syntax error"),
    ("port 70000", 1, "70000"),
    ("inbound", 1, "inbound/outbound not supported on Ethernet when reading savefiles"),
    ("ether host 1:2:3:4:5:6", 101, r"ethernet/FDDI/token ring.*\(link type RAW \(101\)\)"),
    ("ip6", 228, "expression rejects all packets"),
    ("tcp\0", 1, "NUL"),
]


@pytest.mark.parametrize(("expression", "linktype", "words"), BAD)
def test_refusals_are_in_libpcaps_words(expression, linktype, words):
    with pytest.raises(FilterError, match=words) as raised:
        FilterSet(expression, vlan=True).check([linktype])
    assert raised.value.exit_status == 2


def test_columns_are_checked():
    made = batch([(0, b"abc")])
    made.caplen[0] = 4
    with pytest.raises(ValueError, match="does not lie inside"):
        FilterSet("ip").apply(made)
    made.caplen = np.zeros(2, np.uint32)
    with pytest.raises(ValueError, match="different lengths"):
        FilterSet("ip").apply(made)


@needs_captures
@pytest.mark.skipif(not shutil.which("tcpdump"), reason="tcpdump is not installed")
@pytest.mark.parametrize(
    "expression", ["tcp", "udp port 53 or icmp", "not ip6 and greater 100", "vlan and ip"]
)
def test_as_many_packets_as_tcpdump(expression):
    compared = 0
    for path in files():
        if path.suffix == ".gz":
            continue
        done = subprocess.run(
            ["tcpdump", "-n", "-r", str(path), "-w", "-", expression], capture_output=True, check=False
        )
        if done.returncode:
            continue  # link types for which libpcap refuses it, damaged files
        try:
            with open_savefile(str(path)) as source:
                filters = FilterSet(expression)
                kept = [frame for got in source for frame in frames_of(filters.apply(got))]
        except CaptureError:
            continue
        compared += 1
        # libpcap cuts a packet to the snaplen that the header gives, even when the file has more of it
        for frame, cut in zip(kept, tcpdump_frames(done.stdout), strict=True):
            assert frame.startswith(cut), path
    assert compared > 100


def frames_of(got):
    ends = zip(got.offset.tolist(), got.caplen.tolist(), strict=True)
    return [got.data[offset : offset + caplen].tobytes() for offset, caplen in ends]


def tcpdump_frames(data):
    return [packet.frame for packet in read(data).packets]
