"""What the decoder says of single packets: link types, IP, transport headers, checksums, the hash."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from fl0p_py.capture import linktype
from fl0p_py.decode.decoder import DECODED_DTYPE, DecodedBatch, Decoder
from fl0p_py.decode.status import CHECKSUM_NAMES, STATUS_NAMES
from tests.decode.both import KEY, Both
from tests.decode.twin_decoder import CHECKSUMS, STATUSES, siphash
from tests.support.frames import batch, ether, icmp, icmp6, ip4, ip6, tcp, udp

V4 = ip4(udp(b"four"))
V6 = ip6(udp(b"six"))
MPLS = bytes.fromhex("0001 20 400001 31 40".replace(" ", ""))  # labels 18, then 19 with the bottom bit
PPPOE = bytes.fromhex("11 00 0001 0000")  # version and type, session data, session 1, length
SNAP = bytes.fromhex("aaaa03 000000 0800")


def one(frame: bytes, link: int = 1, wirelen: int | None = None, **settings: Any) -> dict[str, Any]:
    """The record of a frame, the same from kernel and twin."""
    packet = (0, frame, len(frame) if wirelen is None else wirelen)
    return Both(**settings).decode(batch([packet], link))[0]


def tcp_with_offset(words: int) -> bytes:
    packet = bytearray(ip4(tcp()))
    packet[20 + 12] = words << 4
    return bytes(packet)


def raw(kind: int, payload: bytes) -> bytes:
    return ether(payload, ethertype=kind)


@pytest.mark.parametrize(
    ("frame", "link", "payload"),
    [
        pytest.param(ether(V4), 1, b"four", id="Ethernet II"),
        pytest.param(ether(V6), 1, b"six", id="Ethernet II, IPv6"),
        pytest.param(ether(V4) + bytes(14), 1, b"four", id="padding of short Ethernet frames is cut off"),
        pytest.param(raw(len(SNAP + V4), SNAP + V4), 1, b"four", id="802.3 with LLC and SNAP"),
        pytest.param(raw(500, bytes.fromhex("aaaa03 0000f8 86dd") + V6), 1, b"six", id="802.1H"),
        pytest.param(raw(0x8847, MPLS + V4), 1, b"four", id="MPLS"),
        pytest.param(raw(0x8848, MPLS + V6), 1, b"six", id="MPLS upstream labels, IPv6"),
        pytest.param(raw(0x8864, PPPOE + b"\x00\x21" + V4), 1, b"four", id="PPPoE session"),
        pytest.param(raw(0x8864, PPPOE + b"\x00\x57" + V6), 1, b"six", id="PPPoE session, IPv6"),
        pytest.param(raw(0x8864, PPPOE + b"\x02\x81" + MPLS + V4), 1, b"four", id="MPLS in PPPoE"),
        pytest.param(bytes(14) + b"\x08\x00" + V4, 113, b"four", id="Linux cooked"),
        pytest.param(bytes(14) + b"\x00\x04" + SNAP + V4, 113, b"four", id="Linux cooked with LLC"),
        pytest.param(b"\x86\xdd" + bytes(18) + V6, 276, b"six", id="Linux cooked 2"),
        pytest.param(V4, 101, b"four", id="raw"),
        pytest.param(V6, 12, b"six", id="raw, DLT 12"),
        pytest.param(V4, 14, b"four", id="raw, DLT 14"),
        pytest.param(V4, 228, b"four", id="raw IPv4"),
        pytest.param(V6, 229, b"six", id="raw IPv6"),
        pytest.param(bytes.fromhex("02000000") + V4, 0, b"four", id="NULL, little-endian"),
        pytest.param(bytes.fromhex("00000002") + V4, 0, b"four", id="NULL, big-endian"),
        pytest.param(bytes.fromhex("18000000") + V6, 0, b"six", id="NULL, IPv6 of NetBSD and OpenBSD"),
        pytest.param(bytes.fromhex("0000001c") + V6, 0, b"six", id="NULL, IPv6 of FreeBSD"),
        pytest.param(bytes.fromhex("1e000000") + V6, 0, b"six", id="NULL, IPv6 of Darwin"),
        pytest.param(bytes.fromhex("0000000a") + V6, 108, b"six", id="LOOP, IPv6 of Linux"),
        pytest.param(bytes.fromhex("ff030021") + V4, 9, b"four", id="PPP with address and control"),
        pytest.param(bytes.fromhex("0057") + V6, 9, b"six", id="PPP without"),
        pytest.param(bytes.fromhex("21") + V4, 50, b"four", id="PPP, protocol compressed"),
        pytest.param(bytes.fromhex("ff0357") + V6, 50, b"six", id="PPP, address but protocol compressed"),
        pytest.param(bytes.fromhex("0f000800") + V4, 9, b"four", id="Cisco HDLC, unicast"),
        pytest.param(bytes.fromhex("8f0086dd") + V6, 50, b"six", id="Cisco HDLC, multicast"),
    ],
)
def test_links(frame: bytes, link: int, payload: bytes) -> None:
    record = one(frame, link)
    assert (record["status"], record["payload"]) == ("FLOW", payload)
    assert (record["frame_len"], record["vlan"]) == (len(frame), 0)
    for cut in range(len(frame)):
        assert one(frame[:cut], link, wirelen=len(frame))["payload_len"] in (0, len(payload))


@pytest.mark.parametrize(
    ("frame", "link", "status"),
    [
        pytest.param(b"", 1, "SHORT_LINK", id="nothing captured"),
        pytest.param(raw(0x0806, bytes(28)), 1, "NOT_IP", id="ARP"),
        pytest.param(raw(38, bytes.fromhex("424203") + bytes(35)), 1, "NOT_IP", id="spanning tree in LLC"),
        pytest.param(raw(38, bytes.fromhex("aaaa03 00000c 2000")), 1, "NOT_IP", id="CDP in SNAP"),
        pytest.param(raw(0x8847, bytes.fromhex("00012040") * 20 + V4), 1, "NOT_IP", id="too many labels"),
        pytest.param(
            raw(0x8847, bytes.fromhex("00013140 00000000")), 1, "NOT_IP", id="MPLS with a pseudowire"
        ),
        pytest.param(raw(0x8864, PPPOE + b"\xc0\x21"), 1, "NOT_IP", id="LCP in PPPoE"),
        pytest.param(bytes.fromhex("07000000") + V4, 0, "NOT_IP", id="NULL, another family"),
        pytest.param(bytes(14) + b"\x00\x01" + V4, 113, "NOT_IP", id="Linux cooked, Novell 802.3"),
        pytest.param(V4, 105, "UNKNOWN_LINKTYPE", id="802.11"),
        pytest.param(raw(0x0800, V6), 1, "BAD_IP", id="IPv6 in a frame for IPv4"),
        pytest.param(b"\x50" + V4[1:], 101, "BAD_IP", id="IP version 5"),
        pytest.param(b"\x44" + V4[1:], 101, "BAD_IP", id="IPv4 header of 16 bytes"),
        pytest.param(b"\x4f" + V4[1:], 101, "BAD_IP", id="IPv4 options beyond the packet"),
        pytest.param(V4[:2] + b"\x00\x13" + V4[4:], 101, "BAD_IP", id="IPv4 total length below the header"),
        pytest.param(ip6(b"", proto=0, extensions=b"\0" * 8 * 17), 101, "BAD_IP", id="17 extension headers"),
        pytest.param(ip6(b"", proto=60, extensions=b"\x11\x05"), 101, "BAD_IP", id="extension cut off"),
        pytest.param(ip4(b"x" * 20, proto=47), 101, "NO_FLOW_PROTOCOL", id="GRE"),
        pytest.param(ip4(V4, proto=4), 101, "NO_FLOW_PROTOCOL", id="IP in IP"),
        pytest.param(ip6(b"x" * 20, proto=50), 101, "NO_FLOW_PROTOCOL", id="ESP"),
        pytest.param(ip6(b"", proto=59), 101, "NO_FLOW_PROTOCOL", id="no next header"),
        pytest.param(ip4(b"x" * 20, proto=132), 101, "NO_FLOW_PROTOCOL", id="SCTP"),
        pytest.param(ip6(bytes(8), proto=1), 101, "NO_FLOW_PROTOCOL", id="ICMP over IPv6"),
        pytest.param(ip4(bytes(8), proto=58), 101, "NO_FLOW_PROTOCOL", id="ICMPv6 over IPv4"),
        pytest.param(ip4(icmp(V4, type=3)), 101, "ICMP_OTHER", id="ICMP unreachable"),
        pytest.param(ip6(icmp6(bytes(16), type=135)), 101, "ICMP_OTHER", id="neighbour solicitation"),
        pytest.param(ip4(bytes(7), proto=1), 101, "BAD_TRANSPORT", id="ICMP of 7 bytes"),
        pytest.param(tcp_with_offset(4), 101, "BAD_TRANSPORT", id="TCP data offset 4"),
        pytest.param(tcp_with_offset(6), 101, "BAD_TRANSPORT", id="TCP data offset beyond the packet"),
        pytest.param(ip4(udp(b"abc", ulen=7)), 101, "BAD_TRANSPORT", id="UDP length 7"),
        pytest.param(ip4(udp(b"abc", ulen=12)), 101, "BAD_TRANSPORT", id="UDP length beyond the packet"),
        pytest.param(ip4(udp(b"abc", ulen=0)), 101, "BAD_TRANSPORT", id="UDP length 0 over IPv4"),
    ],
)
def test_no_flow(frame: bytes, link: int, status: str) -> None:
    assert one(frame, link)["status"] == status


@pytest.mark.parametrize(
    ("tags", "kind", "vlan"),
    [
        pytest.param([7], 0x8100, 7 | 1 << 24, id="802.1Q"),
        pytest.param([0xE007], 0x8100, 7 | 1 << 24, id="priority bits are no part of the VLAN"),
        pytest.param([0], 0x8100, 1 << 24, id="priority tag, VLAN 0"),
        pytest.param([7, 8], 0x88A8, 7 | 8 << 12 | 2 << 24, id="802.1ad"),
        pytest.param([7, 8], 0x9100, 7 | 8 << 12 | 2 << 24, id="old QinQ"),
        pytest.param([7, 8, 9], 0x8100, 7 | 8 << 12 | 3 << 24, id="three tags, two of them told"),
    ],
)
def test_vlan_tags(tags: list[int], kind: int, vlan: int) -> None:
    frame = ether(V4, vlan=tags, tag=kind)
    record = one(frame, vlan=True)
    assert (record["status"], record["vlan"], record["payload"]) == ("FLOW", vlan, b"four")
    record = one(frame)
    assert (record["status"], record["vlan"], record["payload"]) == ("TAGGED", 0, b"")


def test_link_headers_nest_up_to_a_bound() -> None:
    assert one(ether(V4, vlan=[1] * 8), vlan=True)["status"] == "FLOW"
    assert one(ether(V4, vlan=[1] * 9), vlan=True)["status"] == "NOT_IP"
    pppoe = ether(PPPOE + b"\x00\x21" + V4, vlan=[5], ethertype=0x8864)
    assert one(pppoe, vlan=True)["payload"] == b"four"


def test_tcp_fields() -> None:
    options = bytes.fromhex("020405b4 0101 0402 01 030307".replace(" ", ""))  # MSS, NOPs, SACK, NOP, scale 7
    frame = ether(ip4(tcp(b"hi", 1, 2, seq=-1, ack=5, flags="SA", win=9, options=options), ttl=3))
    record = one(frame)
    assert record["src"][:4] == bytes([10, 0, 0, 1])
    wanted = {
        "sport": 1,
        "dport": 2,
        "seq": 0xFFFFFFFF,
        "ack": 5,
        "tcp_flags": 0x12,
        "window": 9,
        "wscale": 7,
        "ttl": 3,
        "proto": 6,
        "version": 4,
    }
    assert {name: record[name] for name in wanted} == wanted
    assert (record["payload"], record["payload_len"], record["checksum"]) == (b"hi", 2, "RIGHT")


@pytest.mark.parametrize(
    ("options", "flags", "wscale"),
    [
        ("03030e00", "S", 14),
        ("0303ff00", "S", 14),
        ("03030700", "A", 255),
        ("03020000", "S", 255),
        ("00030307", "S", 255),
        ("01010103", "S", 255),
        ("05000000", "S", 255),
        ("05ff0000", "S", 255),
    ],
    ids=[
        "14",
        "more counts as 14",
        "not on a SYN",
        "length 2",
        "after the end",
        "cut off",
        "length 0",
        "too long",
    ],
)
def test_window_scale(options: str, flags: str, wscale: int) -> None:
    assert one(ether(ip4(tcp(flags=flags, options=bytes.fromhex(options)))))["wscale"] == wscale


@pytest.mark.parametrize("kind", [8, 0])
def test_icmp_echo(kind: int) -> None:
    record = one(ether(ip4(icmp(b"abcd", type=kind, id=77))))
    assert (record["status"], record["sport"], record["dport"], record["icmp_type"]) == ("FLOW", 77, 77, kind)
    assert (record["payload"], record["checksum"]) == (b"abcd", "RIGHT")


@pytest.mark.parametrize("kind", [128, 129])
def test_icmpv6_echo(kind: int) -> None:
    record = one(ether(ip6(icmp6(b"abcd", type=kind, id=77))))
    assert (record["status"], record["sport"], record["dport"], record["icmp_type"]) == ("FLOW", 77, 77, kind)
    assert (record["payload"], record["checksum"]) == (b"abcd", "RIGHT")


HOP_BY_HOP = bytes.fromhex("2b 00 010400000000")  # then routing; PadN
ROUTING = bytes.fromhex("3c 02 04 00 00000000") + bytes(16)  # then destination; type 4, 0 segments left
DESTINATION = bytes.fromhex("33 00 010400000000")  # then AH
AH = bytes.fromhex("06 04 0000 00000001 00000001") + bytes(12)  # then TCP; 24 bytes


def test_ipv6_extension_headers_are_stepped_over() -> None:
    chain = HOP_BY_HOP + ROUTING + DESTINATION + AH
    record = one(ether(ip6(tcp(b"inside"), extensions=chain, next_header=0)))
    assert (record["status"], record["proto"], record["payload"]) == ("FLOW", 6, b"inside")
    assert record["checksum"] == "RIGHT"


def test_ah_over_ipv4_is_stepped_over() -> None:
    record = one(ether(ip4(AH + bytes(tcp(b"inside")), proto=51)))
    assert (record["status"], record["proto"], record["payload"]) == ("FLOW", 6, b"inside")


def test_atomic_fragment_is_a_whole_datagram() -> None:
    record = one(ether(ip6(udp(b"whole"), extensions=bytes.fromhex("1100000000000009"), next_header=44)))
    assert (record["status"], record["payload"], record["reassembled"]) == ("FLOW", b"whole", 0)


def test_checksums_on_a_source_route_are_made_with_its_last_address() -> None:
    final = bytes([10, 0, 0, 9])
    segment = bytearray(bytes(tcp(b"x")))
    straight = ip4(tcp(b"x"), dst="10.0.0.9")
    segment[16:18] = straight[20 + 16 : 20 + 18]
    for pointer, checksum in ((4, "RIGHT"), (8, "WRONG")):  # 8: the route is used up, 10.0.0.2 is the end
        options = bytes([131, 7, pointer]) + final + b"\0"
        record = one(ether(ip4(bytes(segment), proto=6, options=options)))
        assert record["checksum"] == checksum


@pytest.mark.parametrize(("kind", "order"), [(0, 1), (2, 1), (4, -1)], ids=["type 0", "type 2", "type 4"])
def test_checksums_on_an_ipv6_route(kind: int, order: int) -> None:
    far = ip6(tcp(b"x"), dst="fd00::9")
    hops = [bytes(16), far[24:40]][::order]
    if kind == 2:
        hops = hops[1:]  # mobile: one address only
    routing = bytes([6, 2 * len(hops), kind, 1]) + bytes(4) + b"".join(hops)
    record = one(ether(ip6(far[40:], proto=6, extensions=routing, next_header=43)))
    assert record["checksum"] == "RIGHT"


def damaged(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 0x40]) + frame[at + 1 :]


def pseudo_sum(frame: bytes, length: int) -> int:
    words = frame[26:34] + struct.pack(">HH", 6, length)
    total = sum(struct.unpack(f">{len(words) // 2}H", words))
    return (total & 0xFFFF) + (total >> 16)


GOOD = ether(ip4(tcp(b"some payload of odd length")))
SIZE = len(GOOD) - 34


@pytest.mark.parametrize(
    ("frame", "checksum"),
    [
        pytest.param(GOOD, "RIGHT", id="right"),
        pytest.param(damaged(GOOD, len(GOOD) - 1), "WRONG", id="last byte damaged"),
        pytest.param(damaged(GOOD, 40), "WRONG", id="TCP header damaged"),
        pytest.param(damaged(GOOD, 22), "WRONG", id="IPv4 header damaged"),
        pytest.param(GOOD[:24] + b"\0\0" + GOOD[26:], "RIGHT", id="IPv4 header checksum left to the card"),
        pytest.param(ether(ip4(tcp(b"abc", sum=pseudo_sum(GOOD, 23)))), "PSEUDO", id="offload"),
        pytest.param(ether(ip4(tcp(b"abc", sum=pseudo_sum(GOOD, 0)))), "PSEUDO", id="offload without length"),
        pytest.param(ether(ip4(tcp(b"abc", sum=1))), "WRONG", id="wrong"),
        pytest.param(ether(V4[:26] + b"\0\0" + V4[28:]), "UNCHECKED", id="UDP without checksum"),
        pytest.param(damaged(ether(ip4(icmp(b"x" * 9))), 45), "WRONG", id="ICMP damaged"),
        pytest.param(damaged(ether(ip6(icmp6(b"x" * 9))), 65), "WRONG", id="ICMPv6 damaged"),
    ],
)
def test_checksums(frame: bytes, checksum: str) -> None:
    assert one(frame)["checksum"] == checksum
    assert one(frame, check=False)["checksum"] == "UNCHECKED"


@pytest.mark.parametrize("size", range(64))
def test_checksum_of_every_length(size: int) -> None:
    frame = ether(ip4(udp(bytes(range(1, size + 1)))))
    assert one(frame)["checksum"] == "RIGHT"
    assert one(damaged(frame, len(frame) - 1))["checksum"] == "WRONG"


def test_lengths_are_those_on_the_wire() -> None:
    frame = ether(ip4(tcp(b"x" * 100)))
    record = one(frame[:60], wirelen=len(frame))
    assert (record["payload_len"], record["payload"]) == (100, b"x" * 6)
    assert record["checksum"] == "UNCHECKED"
    record = one(frame[:54], wirelen=len(frame))
    assert (record["status"], record["payload_len"], record["payload"]) == ("FLOW", 100, b"")
    assert one(frame[:53], wirelen=len(frame))["status"] == "BAD_TRANSPORT"


def test_ip_lengths_beyond_the_frame_are_cut_to_it() -> None:
    packet = ip4(tcp(b"x" * 10))
    record = one(ether(packet[:2] + struct.pack(">H", 1000) + packet[4:]))
    assert (record["status"], record["payload_len"], record["checksum"]) == ("FLOW", 10, "UNCHECKED")
    packet = ip6(tcp(b"x" * 10))
    record = one(ether(packet[:4] + struct.pack(">H", 1000) + packet[6:]))
    assert (record["status"], record["payload_len"], record["checksum"]) == ("FLOW", 10, "UNCHECKED")


@pytest.mark.parametrize(("packet", "at"), [(ip4(tcp(b"x" * 9)), 2), (ip6(tcp(b"x" * 9)), 4)], ids=["4", "6"])
def test_length_zero_is_segmentation_offload(packet: bytes, at: int) -> None:
    record = one(ether(packet[:at] + b"\0\0" + packet[at + 2 :]))
    assert (record["status"], record["payload_len"]) == ("FLOW", 9)


def test_hash_is_the_same_for_both_directions_and_depends_on_the_rest() -> None:
    def hashes(**settings: Any) -> list[int]:
        there, back = ("10.0.0.1", "10.9.0.2"), ("10.9.0.2", "10.0.0.1")
        frames = [
            ether(ip4(tcp(b"", 1, 2), *there)),
            ether(ip4(tcp(b"", 2, 1), *back)),
            ether(ip4(tcp(b"", 2, 1), *there)),
            ether(ip4(udp(b"", 1, 2), *there)),
            ether(ip4(tcp(b"", 1, 2), *there), vlan=[3]),
            ether(ip6(tcp(b"", 1, 2), "fd00::1", "fd00::2")),
            ether(ip6(tcp(b"", 2, 1), "fd00::2", "fd00::1")),
        ]
        records = Both(vlan=True, **settings).decode(batch([(0, frame) for frame in frames]))
        return [record["hash"] for record in records]

    found = hashes()
    assert found[0] == found[1] and found[5] == found[6]
    assert len(set(found)) == 5
    found = hashes(vlan_key=False)
    assert found[0] == found[4]


def test_hash_of_both_ends_on_one_address_goes_by_port() -> None:
    frames = [
        ether(make(tcp(b"", *ports), host, host))
        for make, host in ((ip4, "127.0.0.1"), (ip6, "::1"))
        for ports in ((1, 2), (2, 1))
    ]
    records = Both().decode(batch([(0, frame) for frame in frames]))
    assert records[0]["hash"] == records[1]["hash"] and records[2]["hash"] == records[3]["hash"]


@pytest.mark.parametrize(
    "at", [14 + 12, 14 + 18, 14 + 20, 14 + 22], ids=["source", "target", "sport", "dport"]
)
def test_hash_spreads_neighbours(at: int) -> None:
    """A scan counts through addresses or ports: none of 4,096 slots gets many of 16,384 flows."""
    frame = ether(ip4(tcp()))
    swept = [frame[:at] + number.to_bytes(2, "big") + frame[at + 2 :] for number in range(16384)]
    into = DecodedBatch()
    Decoder(key=KEY).decode(batch([(0, one, len(one)) for one in swept]), into)
    hashes = into.packets["hash"]
    assert len(np.unique(hashes)) > 16380
    assert np.bincount(hashes & 4095, minlength=4096).max() <= 20  # by chance 4, seldom as many as 14


def test_siphash_of_the_twin() -> None:
    """Appendix A of the paper: SipHash-2-4 of 00 01 ... 0e with the key 00 01 ... 0f."""
    assert siphash(KEY, bytes(range(15)), 2, 4) == 0xA129CA6149BE45E5


def test_every_supported_link_type_is_known_and_no_other() -> None:
    everything = range(300)
    decoder, into = Decoder(key=KEY), DecodedBatch()
    decoder.decode(batch([(0, V4)] * len(everything), list(everything)), into)
    unknown = STATUSES.index("UNKNOWN_LINKTYPE")
    known = {number for number in everything if into.packets["status"][number] != unknown}
    assert known == set(linktype.SUPPORTED)


def test_counts_and_names() -> None:
    decoder, into = Decoder(key=KEY), DecodedBatch(1)
    decoder.decode(batch([(0, ether(V4)), (1, b""), (2, ether(V4))]), into)
    decoder.decode(batch([(3, ether(V4))]), into)
    assert len(into) == 1 and into.packets.dtype == DECODED_DTYPE
    assert decoder.counts.tolist() == [3, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    assert len(STATUS_NAMES) == len(STATUSES) == len(decoder.counts)
    assert len(CHECKSUM_NAMES) == len(CHECKSUMS)


def test_an_empty_batch_gives_no_records() -> None:
    assert Both().decode(batch([])) == []


def test_columns_of_different_length_are_refused() -> None:
    broken = batch([(0, ether(V4)), (1, ether(V4))])
    broken.ts_ns = broken.ts_ns[:1]
    with pytest.raises(ValueError, match="differ in length"):
        Decoder(key=KEY).decode(broken, DecodedBatch())


def test_columns_that_point_outside_the_data_read_nothing_there() -> None:
    broken = batch([(0, ether(V4))] * 3)
    broken.offset = np.array([-5, 10**15, len(broken.data) - 4], np.int64)
    into = DecodedBatch()
    Decoder(key=KEY).decode(broken, into)
    assert {STATUSES[status] for status in into.packets["status"]} == {"SHORT_LINK"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"key": b"short"}, "key: 5 bytes, expected 16"),
        ({"key": KEY, "checksums": "yes"}, "checksums: 'yes'"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Decoder(**settings)
