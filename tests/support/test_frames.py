"""What the builders of the other tests promise: lengths and checksums are right."""

from __future__ import annotations

import io

import dpkt
import pytest

from tests.support.frames import batch, ether, icmp, icmp6, ip4, ip6, tcp, udp
from tests.support.savefiles import pcap


@pytest.mark.parametrize("build", [tcp, udp, icmp])
def test_ip4_checksums_and_lengths(build):
    packet = dpkt.ip.IP(ip4(build(b"odd")))
    assert packet.len == len(bytes(packet))
    assert packet.sum and packet.data.sum
    again = dpkt.ip.IP(ip4(build(b"odd"), ttl=9))
    assert (again.data.sum, again.ttl) == (packet.data.sum, 9)


@pytest.mark.parametrize("build", [tcp, udp, icmp6])
def test_ip6_checksum_sums_to_zero(build):
    raw = ip6(build(b"odd"))
    pseudo = raw[8:40] + (len(raw) - 40).to_bytes(4, "big") + bytes([0, 0, 0, raw[6]])
    assert dpkt.in_cksum(pseudo + raw[40:]) == 0


def test_vlan_tags_are_outermost_first():
    frame = ether(ip4(udp(b"x")), vlan=[7, 9])
    assert frame[12:22].hex() == "8100000781000009" + "0800"


def test_a_saved_frame_reads_back_with_dpkt():
    frame = ether(ip4(tcp(b"x", flags="S")))
    stamp, data = next(iter(dpkt.pcap.Reader(io.BytesIO(pcap([(1_500_000_000, frame)])))))
    assert (float(stamp), data) == (1.5, frame)


def test_batch_describes_its_frames():
    made = batch([(1, b"ab"), (2, b"cde", 90)])
    assert (made.offset.tolist(), made.caplen.tolist(), made.wirelen.tolist()) == ([0, 2], [2, 3], [2, 90])
    assert len(batch([])) == 0
