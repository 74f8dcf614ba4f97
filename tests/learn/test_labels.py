"""Labels reach the flows they are meant for, and what does not come out even is told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.errors import UsageError
from fl0p_py.learn import labels
from fl0p_py.learn.corpus import NO_LABEL, NO_TIME, Corpus
from fl0p_py.learn.label_file import Record, read_labels
from fl0p_py.learn.labels import apply_labels, file_labels
from tests.learn.build import corpus

S = 1_000_000_000


def flows(start_s: float | None = 100.0, end_s: float | None = 110.0) -> Corpus:
    """Of 10.0.0.1:40000 and 10.0.0.2:40000 to 192.0.2.1:22, in x/a.pcap and y/b.pcap."""
    two = corpus(["tcp 22 < c1 s1", "tcp 22 < c2 s2"], sources=["x/a.pcap", "y/b.pcap"])
    times = [NO_TIME if time is None else round(time * S) for time in (start_s, end_s)]
    return dataclasses.replace(
        two, start_ns=np.full(2, times[0], np.int64), end_ns=np.full(2, times[1], np.int64)
    )


def records(path: Path, *lines: str) -> list[Record]:
    path.write_text("\n".join(lines))
    found, account = read_labels(str(path))
    assert account.foreign == 0, account.shown
    return found


def labels_of(found: Corpus) -> list[str | None]:
    return [None if label == NO_LABEL else found.labels[label] for label in found.label]


ONE = {"src_ip": "10.0.0.1", "dest_ip": "192.0.2.1", "label": "a"}


@pytest.mark.parametrize(
    ("fields", "hit"),
    [
        ({}, True),
        ({"src_port": 40000, "dest_port": 22, "proto": "TCP"}, True),
        ({"src_ip": "192.0.2.1", "src_port": 22, "dest_ip": "10.0.0.1", "dest_port": 40000}, True),
        ({"dest_port": "22"}, True),
        ({"dest_port": 23}, False),
        ({"src_port": 22, "dest_port": 40000}, False),
        ({"proto": "udp"}, False),
        ({"proto": "", "src_port": None, "note": ["ignored"]}, True),
        ({"start": 99, "end": 101}, True),
        ({"start": "1970-01-01T00:01:40Z"}, True),
        ({"timestamp": "1970-01-01T01:01:40.5+0100"}, True),
        ({"timestamp": 102}, True),
        ({"timestamp": 102.5}, False),
        ({"start": 90, "end": 97.5}, False),
        ({"start": 90, "end": 98}, True),
        ({"capture": "a.pcap"}, True),
        ({"capture": "b.pcap"}, False),
        ({"src_ip": "::ffff:10.0.0.1"}, False),
    ],
)
def test_what_a_record_applies_to(fields: dict[str, object], hit: bool, tmp_path: Path) -> None:
    (record,) = records(tmp_path / "labels", json.dumps(ONE | fields))
    found, labelling = apply_labels(flows(), {}, [record])
    assert labels_of(found) == (["a", None] if hit else [None, None])
    assert labelling.unmatched == ([] if hit else [record])
    assert labelling.unlabelled == (1 if hit else 2)


@pytest.mark.parametrize(
    ("start_s", "end_s", "label"),
    [
        (100.0, 110.0, "now"),
        (50.0, 60.0, "before"),
        (None, 101.5, "now"),  # a log of -tl: printed at its end
        (None, 99.0, "before"),
        (None, 60.0, "before"),
        (None, 40.0, None),
        (None, None, None),  # a log of -l: nothing tells the two apart
    ],
)
def test_port_used_again(
    start_s: float | None, end_s: float | None, label: str | None, tmp_path: Path
) -> None:
    said = records(
        tmp_path / "labels",
        json.dumps(ONE | {"label": "before", "start": 50, "end": 51}),
        json.dumps(ONE | {"label": "now", "start": 100, "end": 101}),
    )
    found, labelling = apply_labels(flows(start_s, end_s), {}, said)
    assert labels_of(found)[0] == label
    assert bool(labelling.contradictory) == (start_s is None and end_s is None)


def test_one_that_fits_exactly_comes_before_one_that_fits_with_slack(tmp_path: Path) -> None:
    said = records(
        tmp_path / "labels",
        json.dumps(ONE | {"label": "near", "start": 95, "end": 99}),
        json.dumps(ONE | {"label": "exact", "start": 99.5, "end": 101}),
    )
    found, labelling = apply_labels(flows(), {}, said)
    assert labels_of(found)[0] == "exact" and [r.label for r in labelling.unmatched] == ["near"]


TIMES = st.integers(90, 115)
RECORDS = st.builds(
    lambda label, begin, length, port, capture, proto: Record(
        label,
        (("10.0.0.1", port), ("192.0.2.1", None)),
        proto,
        None if begin is None else begin * S,
        None if begin is None or length is None else (begin + length) * S,
        capture,
        "labels",
        1,
    ),
    st.sampled_from("abc"),
    st.none() | TIMES,
    st.none() | st.integers(0, 12),
    st.sampled_from([None, 40000]),
    st.sampled_from([None, "a.pcap", "b.pcap"]),
    st.sampled_from([None, 0, 1]),
)


def said_plainly(records: list[Record], start_s: int | None, end_s: int | None) -> set[str]:
    """The twin: what the records say of the first of `flows`, each looked at."""
    about = [one for one in records if one.capture in (None, "a.pcap") and one.proto in (None, 0)]
    for slack in (0, 2 * S):
        inside = []
        for one in about:
            last = one.start_ns if one.end_ns is None else one.end_ns
            if one.start_ns is None or last is None:
                inside.append(one)
            elif start_s is not None:
                if one.start_ns - slack <= start_s * S <= last + slack:
                    inside.append(one)
            elif end_s is None or one.start_ns - slack <= end_s * S:
                inside.append(one)
        if inside and start_s is None and end_s is not None:
            latest = max(one.start_ns or 0 for one in inside)
            inside = [one for one in inside if one.start_ns in (None, latest)]
        if inside:
            return {one.label for one in inside}
    return set()


@given(st.lists(RECORDS, max_size=8), st.none() | TIMES, st.none() | TIMES)
def test_records_are_found_as_if_each_were_looked_at(
    records: list[Record], start_s: int | None, end_s: int | None
) -> None:
    found, labelling = apply_labels(flows(start_s, end_s), {}, records)
    said = said_plainly(records, start_s, end_s)
    assert labels_of(found)[0] == (said.pop() if len(said) == 1 else None)
    assert (0 in [flow for flow, _ in labelling.contradictory]) == (len(said) > 1)


def test_of_very_many_records_the_latest_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(labels, "MOST_ANSWERS", 3)
    lines = [json.dumps({**ONE, "label": f"l{n}", "start": n, "end": 200}) for n in range(96, 102)]
    _, labelling = apply_labels(flows(), {}, records(tmp_path / "l", *lines))
    assert labelling.contradictory == [(0, ("l100", "l98", "l99"))]


def test_contradictions_are_told_and_nothing_is_guessed(tmp_path: Path) -> None:
    said = records(tmp_path / "labels", json.dumps(ONE))
    found, labelling = apply_labels(flows(), {"x/a.pcap": "b", "y/b.pcap": "b"}, said)
    assert labels_of(found) == [None, "b"]
    assert labelling.contradictory == [(0, ("a", "b"))]
    assert found.labels == ("a", "b")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv(mark: str, tmp_path: Path) -> None:
    head = mark + "dest_ip,note,label,src_ip"
    (record,) = records(tmp_path / "labels", head, '192.0.2.1,"x, y",a,10.0.0.1', "")
    found, _ = apply_labels(flows(), {}, [record])
    assert labels_of(found) == ["a", None]
    assert record.place == f"{tmp_path / 'labels'}:2" and record.text == "a: 10.0.0.1 and 192.0.2.1"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not a whole JSON object"),
        ("label", "not a whole JSON object"),
        ("[1]", "not a whole JSON object"),
        (json.dumps(ONE | {"label": ""}), "label: a name of 1 to 200 characters is expected"),
        (json.dumps(ONE | {"label": "a\x1b[2J"}), "label: a name of 1 to 200 characters is expected"),
        (json.dumps(ONE | {"label": "x" * 201}), "label: a name of 1 to 200 characters is expected"),
        (json.dumps(ONE | {"src_ip": None}), "src_ip: an address is expected"),
        (json.dumps(ONE | {"src_ip": {}}), "src_ip: a text or a number is expected"),
        (json.dumps(ONE | {"src_port": 65536}), "src_port: a number from 0 to 65535 is expected"),
        (json.dumps(ONE | {"src_port": "²"}), "src_port: a number from 0 to 65535 is expected"),
        (json.dumps(ONE | {"proto": "sctp"}), "proto: tcp, udp or icmp is expected"),
        (
            json.dumps(ONE | {"start": "noon"}),
            "start: seconds, or a time such as 2026-11-22T14:59:01.5Z, expected",
        ),
        (
            json.dumps(ONE | {"start": "2026-11-22T14:59:01"}),
            "start: seconds, or a time such as 2026-11-22T14:59:01.5Z, expected",
        ),
        (json.dumps(ONE | {"start": "nan"}), "start: seconds since 1970 are expected"),
        (json.dumps(ONE | {"start": 1e300}), "start: seconds since 1970 are expected"),
        (json.dumps(ONE | {"end": 1}), "end without start"),
        (json.dumps(ONE | {"start": 2, "end": 1}), "end lies before start"),
    ],
)
def test_a_line_that_says_nothing_is_refused(line: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text(f"{json.dumps(ONE)}\n{line}\n")
    found, account = read_labels(str(tmp_path / "labels"))
    assert len(found) == 1 and account.shown == [(2, reason)]


def test_bad_lines_of_csv(tmp_path: Path) -> None:
    (tmp_path / "labels").write_bytes(b'label,src_ip,dest_ip\na,b\n"a,1,2\na,10.0.0.1,10.0.0.2\n\xff,1,2\n')
    found, account = read_labels(str(tmp_path / "labels"))
    assert len(found) == 1
    assert account.shown == [(2, "2 fields, expected 3"), (3, "not a line of CSV"), (5, "not UTF-8")]


@pytest.mark.parametrize("text", ["hello", "\x00\x01", "label,src_ip"])
def test_no_label_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "labels").write_text(text)
    with pytest.raises(UsageError, match="neither JSON lines nor CSV with a header"):
        read_labels(str(tmp_path / "labels"))


def test_labels_of_files() -> None:
    assert file_labels([("a", "x", "y"), ("b", "z"), ("a", "x")]) == {"x": "a", "y": "a", "z": "b"}
    with pytest.raises(UsageError, match=r"--label: x is said to be 'a' and 'b'"):
        file_labels([("a", "x"), ("b", "x")])
    with pytest.raises(UsageError, match="no files behind it"):
        file_labels([("a",)])
    with pytest.raises(UsageError, match="is no name for a class"):
        file_labels([("\x1b", "x")])


@settings(max_examples=100)
@given(st.lists(st.one_of(st.just(json.dumps(ONE).encode()), st.binary(max_size=30)), max_size=8))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.getbasetemp() / "any-labels"
    path.write_bytes(b"\n".join(lines))
    try:
        found, account = read_labels(str(path))
    except UsageError:
        return
    assert len(found) + account.foreign <= sum(line.count(b"\n") + 1 for line in lines)
