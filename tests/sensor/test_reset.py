"""Resets as packets: read back by the project's own decoder, and what a child may ask for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.decode.decoder import DecodedBatch, Decoder
from fl0p_py.sensor.reset import framed, resets
from fl0p_py.sensor.target import LARGEST_WINDOW, Target

TARGET = Target(
    client="0a000001",
    server="0a000002",
    cport=4001,
    sport=22,
    client_next=0xFFFFFF00,
    server_next=77,
    client_window=100,
    server_window=1000,
    macs="020000000002020000000001",
)
SIX = replace(TARGET, client="fe80" + "0" * 27 + "1", server="fe80" + "0" * 27 + "2")
TAGGED = replace(SIX, vlan=5 | 7 << 12 | 2 << 24)
RIGHT, RST_ACK = 1, 0x14


def decoded(frames: list[bytes]) -> Any:
    """What the decoder makes of Ethernet frames."""
    data = np.frombuffer(b"".join(frames), np.uint8)
    sizes = np.array([len(frame) for frame in frames], np.uint32)
    batch = PacketBatch(
        data=data,
        offset=np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64),
        caplen=sizes,
        wirelen=sizes,
        ts_ns=np.ones(len(frames), np.int64),
        linktype=np.ones(len(frames), np.uint16),
    )
    into = DecodedBatch()
    Decoder(key=bytes(16), vlan=True, checksums="check").decode(batch, into)
    return into.packets


@pytest.mark.parametrize("target", [TARGET, SIX, TAGGED], ids=["ipv4", "ipv6", "qinq"])
def test_both_ends_get_the_next_number_and_two_windows_beyond(target: Target) -> None:
    to_server, to_client = resets(target)
    for reset, source, dest, ports, numbers in (
        (to_server, target.client, target.server, (4001, 22), (0xFFFFFF00, 0x2E8, 0x6D0)),
        (to_client, target.server, target.client, (22, 4001), (77, 177, 277)),
    ):
        packets = decoded([framed(reset, packet) for packet in reset.packets])
        size = len(source) // 2
        assert [packet["src"].tobytes()[:size].hex() for packet in packets] == [source] * 3
        assert [packet["dst"].tobytes()[:size].hex() for packet in packets] == [dest] * 3
        assert [(int(packet["sport"]), int(packet["dport"])) for packet in packets] == [ports] * 3
        assert tuple(packets["seq"].tolist()) == numbers
        assert set(packets["tcp_flags"].tolist()) == {RST_ACK}
        assert set(packets["checksum"].tolist()) == {RIGHT} and not packets["status"].any()
        assert set(packets["vlan"].tolist()) == {target.vlan}
        assert reset.dest.hex() == dest


def test_a_closed_window_leaves_one_number() -> None:
    to_server, to_client = resets(replace(TARGET, server_window=0))
    assert (len(to_server.packets), len(to_client.packets)) == (1, 3)


def test_frames_go_where_the_flows_frames_went() -> None:
    to_server, to_client = resets(TARGET)
    assert framed(to_server, to_server.packets[0])[:12].hex() == TARGET.macs
    assert framed(to_client, to_client.packets[0])[:12].hex() == TARGET.macs[12:] + TARGET.macs[:12]
    assert resets(replace(TARGET, macs=""))[0].frame is None


@pytest.mark.parametrize(
    "change",
    [
        {"client": "0a0000"},
        {"client": "fe80" + "0" * 28},
        {"client": "0A000001"},
        {"client": 1},
        {"cport": 65536},
        {"sport": -1},
        {"sport": True},
        {"client_next": 1 << 32},
        {"server_window": LARGEST_WINDOW + 1},
        {"macs": "02"},
        {"more": 1},
    ],
)
def test_what_is_no_target(change: dict[str, Any]) -> None:
    assert Target.of(TARGET.body()) == TARGET
    assert Target.of({**TARGET.body(), **change}) is None


def test_a_target_without_a_field_is_none() -> None:
    body = TARGET.body()
    del body["vlan"]
    assert Target.of(body) is None
