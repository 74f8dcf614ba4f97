"""The committed samples: each scenario's capture holds the flows that its labels tell of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import fl0p_py
from fl0p_py import EngineOptions
from tools.lab import samples
from tools.lab.capture import PROTOCOLS, flows
from tools.lab.labels import FACETS, read, timestamp

FOLDER = Path(__file__).parent.parent / "data" / "lab"
LABELS = read(FOLDER / samples.LABELS)
CAPTURES = sorted({label["capture"] for label in LABELS})
OURS = {"TCP": "tcp", "UDP": "udp", "ICMP": "icmp", "IPv6-ICMP": "icmp"}
MOST_BYTES = 2_000_000


def key(label: dict[str, object]) -> tuple[object, ...]:
    port = label.get("src_port", label.get("icmp_id"))
    return label["proto"], label["src_ip"], port, label["dest_ip"], label["timestamp"]


def labelled(capture: str) -> list[dict[str, object]]:
    return [label for label in LABELS if label["capture"] == capture]


@pytest.mark.parametrize("capture", CAPTURES)
def test_every_label_is_of_a_flow_in_the_capture(capture: str) -> None:
    there = {
        (PROTOCOLS[flow.protocol], flow.src_ip, flow.src_port, flow.dest_ip, timestamp(flow.start_ns))
        for flow in flows(FOLDER / capture)
    }
    assert {key(label) for label in labelled(capture)} <= there


@pytest.mark.parametrize("capture", CAPTURES)
def test_fl0p_sees_the_labelled_flows_with_tokens(capture: str) -> None:
    seen = {
        (flow.proto, str(flow.client), flow.client_port, flow.start_ns // 1000)
        for flow in fl0p_py.read_flows(FOLDER / capture, options=EngineOptions(vlan=True))
        if len(flow.tokens)
    }
    for label in labelled(capture):
        start = datetime.fromisoformat(str(label["timestamp"])).astimezone(UTC)
        us = int(start.timestamp()) * 1_000_000 + start.microsecond
        port = label.get("src_port", label.get("icmp_id"))
        assert (OURS[str(label["proto"])], label["src_ip"], port, us) in seen


def test_samples_are_small_and_their_labels_are_facets() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES
    assert all(label["facets"] and set(label["facets"]) <= set(FACETS) for label in LABELS)
    assert {path.name for path in FOLDER.glob("*.pcap")} == set(CAPTURES)
