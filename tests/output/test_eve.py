"""The JSON form: every field of each event, the schema, and that nothing can leave it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.flow.reason import REASONS
from fl0p_py.output.choice import Choice
from fl0p_py.output.eve import EveFormatter, eve_time, facet_fields, stats_event, vlan_ids
from fl0p_py.output.stats import Stats
from fl0p_py.signature.pattern import Facets, SignatureSet
from fl0p_py.timing.reason import Reason
from tests.output.build import MS, T0, results, row, signature, table_of
from tests.output.schema import events, schema

FAILED = signature(
    "ssh.auth.password.failed", "SSH login failed (password)", class_="ssh", outcome="auth-failed"
)
TYPED = signature("smtp.typed", "SMTP typed by hand", actor="human")
FLOW = [(41, 0), (-41, 3 * MS), (148, 450 * MS), (-52, MS)]
ALL = Choice(unknown=True, lost=True, flows=True)
PAST = SimpleNamespace(signature=0, token=4, ts_ns=T0, score=94, fuzzy=True, lost=False)


def printed(
    fields: dict[str, Any],
    *chosen: dict[str, Any],
    choice: Choice = ALL,
    verdict: tuple[Facets, int] = (Facets(), 0),
    past: tuple[Any, ...] = (),
    names: Any = None,
) -> list[dict[str, Any]]:
    """The events for results of one flow, valid under the schema."""
    matcher: Any = SimpleNamespace(
        verdict=lambda flow: SimpleNamespace(facets=verdict[0], attempts=verdict[1]),
        identifications=lambda flow: list(past),
    )
    table = table_of([fields], [FLOW], 64)
    formatter = EveFormatter(SignatureSet((FAILED, TYPED)), table, matcher, choice)
    return events(formatter.format(results(*({"number": 4} | one for one in chosen)), names))


def test_an_identification() -> None:
    (event,) = printed(
        row(tokens=4, start_ns=T0, serial=7),
        {"signature": 0, "actor": 2, "attempts": 2, "fuzzy": 1, "score": 94},
    )
    assert event == {
        "timestamp": "2026-11-22T14:59:01.123456+0000",
        "flow_id": (T0 // 10**9 << 32 | 7) & (1 << 53) - 1,
        "event_type": "fl0p",
        "src_ip": "10.0.0.1",
        "src_port": 40001,
        "dest_ip": "10.0.0.2",
        "dest_port": 22,
        "proto": "TCP",
        "community_id": event["community_id"],
        "fl0p": {
            "id": "ssh.auth.password.failed",
            "name": "SSH login failed (password)",
            "match": "fuzzy",
            "score": 94,
            "token": 4,
            "class": "ssh",
            "outcome": "auth-failed",
            "attempts": 2,
            "actor": "bot",
        },
    }


def test_a_flow_that_ended() -> None:
    fields = row(
        tokens=4,
        start_ns=T0,
        last_ns=T0 + 2_500 * MS,
        pkts=(3, 2),
        bytes=(700, 600),
        reason=REASONS.index("closed"),
        vlan=7 | 9 << 12 | 2 << 24,
    )
    verdict = (Facets(class_="ssh", outcome="auth-failed"), 1)
    (event,) = printed(fields, {"kind": 1, "identified": 1}, verdict=verdict, past=(PAST,))
    assert event["event_type"] == "flow"
    assert event["vlan"] == [7, 9]
    assert event["flow"] == {
        "pkts_toserver": 3,
        "pkts_toclient": 2,
        "bytes_toserver": 700,
        "bytes_toclient": 600,
        "start": "2026-11-22T14:59:01.123456+0000",
        "end": "2026-11-22T14:59:03.623456+0000",
        "age": 2,
        "reason": "closed",
    }
    assert event["fl0p"] == {
        "tokens": "< c41 s41 + c148 s52 >",
        "gaps_ms": [None, 3.0, 450.0, 1.0],
        "token_count": 4,
        "class": "ssh",
        "outcome": "auth-failed",
        "attempts": 1,
        "identifications": [{"id": "ssh.auth.password.failed", "match": "fuzzy", "score": 94, "token": 4}],
    }


def test_the_clients_rhythm_overrules_what_the_signature_says_and_tells_why() -> None:
    known = {"signature": 1, "actor": 2, "why": int(Reason.REGULAR_PAUSES), "pauses": 5, "median_cs": 101}
    (event,) = printed(row(tokens=4), known)
    assert (event["fl0p"]["actor"], event["fl0p"]["why"]) == ("bot", "5 pauses, median 1.0 s, regular")
    ended = known | {"kind": 1, "identified": 1}
    (event,) = printed(row(tokens=4, reason=1), ended, verdict=(Facets(actor="bot"), 0))
    assert event["fl0p"]["why"] == "5 pauses, median 1.0 s, regular"


def test_icmp_has_an_identifier_instead_of_ports() -> None:
    (event,) = printed(
        row("fe80::1", "ff02::1", 500, 500, proto=58, tokens=4), {"signature": 1, "actor": 2, "lost": 1}
    )
    assert (event["proto"], event["icmp_id"], event["src_ip"]) == ("IPv6-ICMP", 500, "fe80::1")
    assert "src_port" not in event and "dest_port" not in event
    assert event["fl0p"]["actor"] == "human"  # what the signature says goes before what is known so far
    assert event["fl0p"]["lost"] is True


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(flows=True), ["fl0p", "known"]),
        (Choice(flows=True, lost=True), ["fl0p", "lost", "known"]),
        (Choice(flows=True, unknown=True), ["fl0p", "known", "unknown"]),
        (Choice(flows=True, unknown=True, known=False), ["unknown"]),
    ],
)
def test_what_is_printed(choice: Choice, expected: list[str]) -> None:
    chosen = ({}, {"lost": 1}, {"kind": 1, "identified": 1}, {"kind": 1})
    kinds = []
    for one in chosen:
        past = (PAST,) if one.get("identified") else ()
        for event in printed(row(tokens=4, reason=1), one, choice=choice, past=past):
            if event["event_type"] == "fl0p":
                kinds.append("lost" if event["fl0p"].get("lost") else "fl0p")
            else:
                kinds.append("known" if event["fl0p"]["identifications"] else "unknown")
    assert kinds == expected


def test_names_stand_beside_the_addresses() -> None:
    names = SimpleNamespace(text=np.frombuffer(b"ns.example", np.uint8), at=np.array([[0, 0, 10]]))
    (event,) = printed(row(tokens=4), {}, names=names)
    assert event["dest_host"] == "ns.example" and event["dest_ip"] == "10.0.0.2"
    assert "src_host" not in event


def test_the_statistics() -> None:
    stats = Stats(9, 4, 1, 2, 1, 3, 0, {"not_ip": 2}, {"seen": 1}, {"packets": 7}, T0)
    (event,) = events(stats_event(stats))
    assert event == {
        "timestamp": "2026-11-22T14:59:01.123456+0000",
        "event_type": "stats",
        "stats": {
            "packets": 9,
            "flows": {"total": 4, "identified": 1, "unknown": 2, "empty": 1, "evicted": 0},
            "identifications": 3,
            "skipped": {"not_ip": 2},
            "fragments": {"seen": 1},
            "counters": {"packets": 7},
        },
    }


def test_what_the_matcher_dropped_is_said() -> None:
    (event,) = events(stats_event(Stats(dropped={"threads": 3, "identifications": 1})))
    assert event["stats"]["dropped"] == {"threads": 3, "identifications": 1}


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([6, 17, 1, 58]),
    st.integers(0, 2),
    st.integers(0, 100),
    st.integers(0, 7),
    st.booleans(),
)
def test_whatever_the_fields_are_the_event_is_valid(
    ts_ns: int, proto: int, actor: int, score: int, reason: int, end: bool
) -> None:
    fields = row(tokens=4, proto=proto, start_ns=ts_ns, last_ns=-ts_ns - 1, reason=max(1, reason))
    printed(fields, {"ts_ns": ts_ns, "actor": actor, "score": score, "kind": int(end), "fuzzy": 1})


@pytest.mark.parametrize(
    ("vlan", "ids"),
    [
        (0, []),
        (7 | 1 << 24, [7]),
        (1 << 24, [0]),
        (7 | 9 << 12 | 2 << 24, [7, 9]),
        (7 | 9 << 12 | 5 << 24, [7, 9]),
    ],
)
def test_vlan_ids(vlan: int, ids: list[int]) -> None:
    assert vlan_ids(vlan) == ids


def test_time_before_the_epoch() -> None:
    assert eve_time(-1) == "1969-12-31T23:59:59.999999+0000"


def test_only_facets_that_are_set_are_printed() -> None:
    assert facet_fields(Facets(), 0) == {}
    assert facet_fields(Facets(class_="a", tunnel="b\x1b"), 3) == {
        "class": "a",
        "tunnel": "b\\x1b",
        "attempts": 3,
    }


def test_the_schema_is_one_and_explains_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())

    def walk(node: Any, path: str) -> None:
        for name, child in node.get("properties", {}).items():
            if isinstance(child, dict) and "const" not in child and child != {"$ref": "#/$defs/time"}:
                target = schema()["$defs"][child["$ref"].split("/")[-1]] if "$ref" in child else child
                if not path.endswith("oneOf"):
                    assert "description" in child or "description" in target, f"{path}.{name}"
                walk(child, f"{path}.{name}")

    for name, definition in schema()["$defs"].items():
        walk(definition, name)
