"""Labels: each claim finds its flow, or the run is given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.lab import labels
from tools.lab.capture import Flow
from tools.lab.errors import UncertainError
from tools.lab.labels import Claim

FIRST = Flow(1_000_000_000_123_456_789, 6, "10.0.0.1", 4000, "10.0.0.2", 22)
SECOND = Flow(1_000_000_001_000_000_000, 6, "10.0.0.1", 4001, "10.0.0.2", 22)
PING = Flow(1_000_000_002_000_000_000, 1, "10.0.0.1", 77, "10.0.0.2", 0)
OUT = Flow(1_000_000_003_000_000_000, 6, "10.0.0.2", 5000, "10.0.0.1", 22)
SSH = {"class": "ssh"}


def chosen(*claims: Claim, flows: tuple[Flow, ...] = (FIRST, SECOND, PING, OUT)) -> list[Flow]:
    return [flow for flow, _ in labels.assign(flows, claims, {"10.0.0.2"})]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ((Claim(SSH, 22, client_port=4001),), [SECOND]),
        ((Claim(SSH, 22), Claim(SSH, 22, client_port=4001)), [FIRST, SECOND]),  # the named one goes first
        ((Claim(SSH, 22, every=True),), [FIRST, SECOND]),
        ((Claim(SSH, 25, every=True),), []),
        ((Claim({"class": "icmp"}, 0, ("ICMP", "IPv6-ICMP")),), [PING]),
    ],
)
def test_claims_find_their_flows(claims: tuple[Claim, ...], expected: list[Flow]) -> None:
    assert chosen(*claims) == expected


@pytest.mark.parametrize("claim", [Claim(SSH, 22), Claim(SSH, 25), Claim(SSH, 22, client_port=9)])
def test_a_claim_that_does_not_mean_one_flow_is_uncertain(claim: Claim) -> None:
    with pytest.raises(UncertainError, match=r"[02] flows are"):
        chosen(claim)


def test_facets_are_checked() -> None:
    with pytest.raises(ValueError, match="color"):
        Claim({"color": "red"}, 22)


def test_a_label_as_it_is_written(tmp_path: Path) -> None:
    claim = Claim(
        {"attempts": 2, "class": "ssh", "outcome": "auth-failed", "actor": None}, 22, facts={"x": 1}
    )
    labels.write(tmp_path / "a.jsonl", [labels.record(FIRST, claim, {"run": 3})])
    assert labels.read(tmp_path / "a.jsonl") == [
        {
            "timestamp": "2001-09-09T01:46:40.123456Z",
            "src_ip": "10.0.0.1",
            "dest_ip": "10.0.0.2",
            "src_port": 4000,
            "dest_port": 22,
            "proto": "TCP",
            "label": "class=ssh,outcome=auth-failed,attempts=2",
            "facets": {"class": "ssh", "outcome": "auth-failed", "attempts": 2},
            "lab": {"run": 3, "x": 1},
        }
    ]


def test_a_label_of_a_ping_has_its_identifier() -> None:
    written = labels.record(PING, Claim({"class": "icmp"}, 0), {})
    assert (written["icmp_id"], "src_port" in written) == (77, False)
