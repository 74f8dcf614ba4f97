"""Alerts in their three forms, and that nothing in a rule or on the wire can leave its line."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from fl0p_py.output.alert import Alert, alert_entry
from tests.output.schema import events

ALERT = Alert(
    ts_ns=1_795_359_541_123_456_789,
    gid=1,
    sid=7,
    rev=2,
    msg="too many",
    category="Misc Attack",
    priority=2,
    proto=6,
    src=ip_address("10.0.0.1").packed,
    sport=40000,
    dst=ip_address("fd00::2").packed,
    dport=22,
    flow_id=5,
    flowints={"aa": 6},
    flowbits=("b",),
    globalints={"gg": 1},
    hostints={"by_src": {"hh": 2}},
)


def test_a_line() -> None:
    assert alert_entry(ALERT, "line", timestamps=True).decode() == (
        "[2026-11-22T14:59:01.123456Z] [**] [1:7:2] too many [**] [Classification: Misc Attack] "
        "[Priority: 2] {TCP} 10.0.0.1:40000 -> [fd00::2]:22\n"
    )


def test_a_line_without_words_and_with_names() -> None:
    alert = replace(ALERT, msg="", category="", src_host="one.example", dst_host="two.example", blocked=True)
    assert alert_entry(alert, "line", timestamps=False).decode() == (
        "[Drop] [**] [1:7:2] (null) [**] [Classification: (null)] [Priority: 2] {TCP} "
        "one.example:40000 -> two.example:22\n"
    )
    (event,) = events(alert_entry(alert, "json", timestamps=True))
    assert (event["src_host"], event["dest_host"]) == ("one.example", "two.example")


def test_a_block() -> None:
    assert alert_entry(ALERT, "block", timestamps=False).decode() == (
        "10.0.0.1:40000 -> [fd00::2]:22\n"
        "    alert      too many\n"
        "    rule       1:7:2, priority 2, Misc Attack\n"
        "    variables  aa 6, b, gg 1 (sensor), hh 2 (by_src)\n\n"
    )


def test_an_event() -> None:
    (event,) = events(alert_entry(ALERT, "json", timestamps=True))
    assert event["timestamp"] == "2026-11-22T14:59:01.123456+0000"
    assert event["alert"] == {
        "action": "allowed",
        "gid": 1,
        "signature_id": 7,
        "rev": 2,
        "signature": "too many",
        "category": "Misc Attack",
        "severity": 2,
    }
    assert event["metadata"] == {
        "flowints": {"aa": 6},
        "flowbits": ["b"],
        "globalints": {"gg": 1},
        "hostints": {"by_src": {"hh": 2}},
    }


def test_both_directions_of_a_flow_have_one_community_id() -> None:
    back = replace(ALERT, src=ALERT.dst, dst=ALERT.src, sport=22, dport=40000, of_client=False)
    one, other = (events(alert_entry(alert, "json", timestamps=True))[0] for alert in (ALERT, back))
    assert one["community_id"] == other["community_id"]
    assert (one["src_port"], other["src_port"]) == (40000, 22)


BARE = replace(ALERT, flow_id=0, flowints={}, flowbits=(), globalints={}, hostints={})


def test_icmp_and_packets_of_no_flow() -> None:
    echo = replace(ALERT, proto=1, sport=-1, dport=-1, icmp_id=9)
    (event,) = events(alert_entry(echo, "json", timestamps=True))
    assert event["icmp_id"] == 9
    assert "{ICMP} 10.0.0.1 -> fd00::2\n" in alert_entry(echo, "line", timestamps=False).decode()
    packet = replace(echo, itype=8, icode=0)
    (event,) = events(alert_entry(packet, "json", timestamps=True))
    assert (event["icmp_type"], event["icmp_code"]) == (8, 0)
    assert "{ICMP} 10.0.0.1:8 -> [fd00::2]:0\n" in alert_entry(packet, "line", timestamps=False).decode()
    stray = replace(BARE, proto=47, sport=-1, dport=-1)
    (event,) = events(alert_entry(stray, "json", timestamps=True))
    assert not {"flow_id", "community_id", "src_port", "metadata"} & event.keys()
    assert event["proto"] == "47"


@pytest.mark.parametrize("form", ["line", "block", "json"])
def test_nothing_leaves_its_line(form: str) -> None:
    text = alert_entry(replace(ALERT, msg="a\n\x1b[2J\u202eb"), form, timestamps=True).decode()
    plain = alert_entry(ALERT, form, timestamps=True).decode()
    assert text.count("\n") == plain.count("\n")
    assert "\x1b" not in text
    assert "\u202e" not in text
