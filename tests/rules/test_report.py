"""Rules over what several engines report say what they say in one process; nothing sent breaks them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.capture.savefile import open_savefile
from fl0p_py.engine import Engine
from fl0p_py.output.alert import alert_entry
from fl0p_py.rules.loader import RuleSet, load_rules, parse_rules
from fl0p_py.rules.report import REPORT, Judge, Reporter, moments
from fl0p_py.settings import EngineOptions
from fl0p_py.signature.loader import load
from fl0p_py.tracker import Tracker
from tests.rules.conversation import Talk, events
from tests.rules.test_shipped_rules import FOLDER, SSH, logins, signatures
from tests.support.savefiles import pcap


def judge(rules: RuleSet) -> Judge:
    return Judge(rules, lambda alert: alert_entry(alert, "json", False))


def reports(folder: Path, talk: Talk, rules: RuleSet) -> list[np.void]:
    """What an engine that sees this has to say."""
    path = folder / "share.pcap"
    path.write_bytes(pcap(talk.packets, nano=True))
    with open_savefile(str(path)) as file:
        engine = Engine(Tracker(file, EngineOptions()), load([str(folder / "own.fp")]))
        reporter = Reporter(rules)
        return [one for results in engine for one in reporter.records(results, engine)]


def shared_alerts(folder: Path, talks: list[Talk], rules: RuleSet) -> list[tuple[int, int]]:
    """Of several engines, whose reports arrive in the order of time: sid and the flow's source port."""
    told = [
        (int(one["ts_ns"]), engine, one.tobytes())
        for engine, talk in enumerate(talks)
        for one in reports(folder, talk, rules)
    ]
    all_rules = judge(rules)
    said = b"".join(all_rules.entries(engine, data) for _, engine, data in sorted(told))
    found = [json.loads(line) for line in said.splitlines()]
    return [(event["alert"]["signature_id"], event["src_port"]) for event in found]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_brute_force_is_seen_over_flows_of_several_engines(tmp_path: Path, workers: int) -> None:
    """Each connection is refused once, so that no engine alone has enough of them."""
    signatures(tmp_path, *SSH)
    talks = [Talk() for _ in range(workers)]
    together = Talk()
    for number in range(6):
        for talk in (talks[number % workers], together):
            logins(talk, number, 40000 + number, 1, success=number == 5)
    path = FOLDER / "ssh-brute-force.rules"
    expected = [
        (event["alert"]["signature_id"], event["src_port"])
        for event in events(tmp_path, path.read_text(), together, "-f", str(tmp_path / "own.fp"))
    ]
    assert expected == [(7000502, 40004), (7000503, 40005)]
    assert shared_alerts(tmp_path, talks, load_rules([str(path)])) == expected


FLOW_RULES = b"""
alert tcp any any -> any any (flowsig:ssh; flowint:aa,+,1; noalert; sid:1;)
alert tcp any any -> any any (flowsig:ssh; flowint:aa,==,2; sid:2;)
alert tcp any any -> any any (flowsig:"*"; threshold:type both, track by_src, count 3, seconds 60; sid:3;)
"""


def test_flows_of_two_engines_are_two_though_their_numbers_are_one(tmp_path: Path) -> None:
    signatures(tmp_path, *SSH)
    talks = [Talk(), Talk()]
    for number, talk in enumerate(talks):
        logins(talk, number / 10, 40000 + number, 1)  # the first flow of each, in one second
    rules = parse_rules([("x.rules", FLOW_RULES)])
    told = [reports(tmp_path, talk, rules)[0] for talk in talks]
    assert told[0]["flow_id"] == told[1]["flow_id"]
    assert shared_alerts(tmp_path, talks, rules) == []
    logins(talks[0], 5, 41000, 2)
    assert shared_alerts(tmp_path, talks, rules) == [(3, 41000), (2, 41000)]


def test_variables_of_flows_are_forgotten_at_their_ends(tmp_path: Path) -> None:
    signatures(tmp_path, *SSH)
    talk = Talk()
    for number in range(20):
        logins(talk, number, 40000 + number, 1)
    rules = parse_rules([("x.rules", FLOW_RULES)])
    all_rules = judge(rules)
    for one in reports(tmp_path, talk, rules):
        all_rules.entries(0, one.tobytes())
    assert len(all_rules._machine.variables.flows) == 0
    assert all_rules.counts()["rules_matched"]["1:1"] == 20


HOSTILE = b"""
alert ip any any -> any any (flowsig:"*"; hostint:by_pair,aa,+,1; flowint:aa,+,1; flowbits:set,b; sid:1;)
alert tcp any any <> 10.0.0.0/8 any (actor:human; globalint:aa,+,1,expire 5; sid:2;)
alert ip any any -> any any (flowsig:ssh; threshold:type limit, track by_both, count 1, seconds 1; sid:3;)
"""


@given(
    st.lists(st.binary(min_size=REPORT.itemsize, max_size=REPORT.itemsize), max_size=3), st.binary(max_size=3)
)
def test_what_a_taken_engine_sends_is_refused_or_judged(records: list[bytes], rest: bytes) -> None:
    with suppress(ValueError):
        judge(parse_rules([("x.rules", HOSTILE)])).entries(0, b"".join(records) + rest)


@given(
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(-1, 65535), st.integers(-1, 65535), st.integers(-1, 65535)),
    st.tuples(st.integers(0, 1), st.integers(0, 255), st.sampled_from([4, 16]), st.integers(0, 255)),
    st.tuples(st.binary(max_size=4), st.binary(max_size=4)),
    st.binary(max_size=256),
)
def test_whatever_passes_is_written(ts_ns, vlan, numbers, small, ends, id) -> None:  # type: ignore[no-untyped-def]
    """All values that a report may have; its alerts are lines of JSON."""
    row = (ts_ns, 7, vlan, *numbers, *small, 1, *ends, id, b"ssh")
    data = np.array([row], REPORT).tobytes()
    try:
        (moment,) = moments(data, 1)
    except UnicodeDecodeError:
        return
    assert len(moment.src) == len(moment.dst) == small[2]
    for line in judge(parse_rules([("x.rules", HOSTILE)])).entries(1, data).splitlines():
        assert json.loads(line)["event_type"] == "alert"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ts_ns", -1), ("flow_id", 1 << 53), ("sport", 1 << 16), ("sport", -2), ("icmp_id", 1 << 16),
        ("kind", 2), ("octets", 5), ("actor", 3), ("src", b"12345"), ("id", b"\xff"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(field: str, value: object) -> None:
    one = np.zeros(1, REPORT)
    one["octets"] = 4
    list(moments(one.tobytes(), 0))
    one[field] = value
    with pytest.raises(ValueError, match=r"a report of what cannot be|can't decode"):
        list(moments(one.tobytes(), 0))
