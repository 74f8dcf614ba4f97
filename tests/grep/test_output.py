"""How matches are printed, as JSON, with context, and into files; what the network said is always escaped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import fl0p_py
from fl0p_py.grep.hit import Ends, Hit
from fl0p_py.grep.printer import Form, Printer
from tests.grep.conversation import Conversation, events, grep
from tests.support import frames

SCHEMA = Path(fl0p_py.__file__).parent / "grep/schema.json"


def validator() -> Any:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def talk(*pieces: bytes) -> Conversation:
    made = Conversation()
    made.handshake()
    made.says(*pieces)
    return made


def test_a_match_is_printed_as_ngrep_prints_it() -> None:
    made = talk(b"GET / HTTP/1.1\r\nHost: \x1b[2Jx\r\n\r\n")
    assert grep(made, "-a", "GET").decode() == (
        "T 10.0.0.1:40000 -> 10.0.0.2:80 [AP]\n  GET / HTTP/1.1\\x0d\n  Host: \\x1b[2Jx\\x0d\n  \\x0d\n\n"
    )


def test_times_datagrams_distances_and_protocols_without_ports() -> None:
    made = Conversation()
    made.datagram(b"version\n")
    made.add(frames.ip6(b"version", "fd00::1", "fd00::2", proto=47))
    assert grep(made, "-e", "versoin", "-E", "damerau", "-D", "1", "-t").decode() == (
        "U 2023-11-14T22:13:20.001000+0000 10.0.0.1:40000 -> 10.0.0.2:53 (1)\n  version\n\n"
        "47 2023-11-14T22:13:20.002000+0000 fd00::1 -> fd00::2 (1)\n  version\n\n"
    )


ENDS = Ends(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 1, 2, 6, 0, 5)


def hit(payload: bytes, start: int, end: int) -> Hit:
    return Hit(1, ENDS, 0, payload, start, end)


@pytest.mark.parametrize(
    ("form", "found", "lines"),
    [
        (Form(colour=True), hit(b"a match b", 2, 7), ["  a \x1b[01;31mmatch\x1b[m b"]),
        (
            Form(colour=True),
            hit(b"one\ntwo", 2, 5),
            ["  on\x1b[01;31me\x1b[m", "  \x1b[01;31mt\x1b[mwo"],
        ),
        (Form(colour=True), hit(b"\x1b[31mevil", 0, 0), ["  \\x1b[31mevil"]),
        (Form(max_bytes=3), hit(b"secret", 0, 6), ["  sec", "  ... 3 bytes more"]),
        (
            Form(hex=True),
            hit(bytes(range(60, 78)), 0, 1),
            [
                "  0000  3c 3d 3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b  <=>?@ABCDEFGHIJK",
                "  0010  4c 4d                                            LM",
            ],
        ),
        (Form(), hit("naïve \u202e".encode(), 0, 1), ["  naïve \\u202e"]),
    ],
)
def test_forms(form: Form, found: Hit, lines: list[str]) -> None:
    text = Printer(form).text(found).decode()
    assert text.splitlines() == ["T 10.0.0.1:1 -> 10.0.0.2:2", *lines, ""]


def test_objects_are_valid_under_the_schema() -> None:
    made = talk(b"needle \xff\x00", b"and a needle")
    made.says(b"needle", from_client=False)
    made.datagram(b"needle")
    made.add(frames.ip4(b"needle", proto=50))
    found = [*events(made, "-a", "needle"), *events(made, "-v", "-a", "x"), *events(made, "-e", "neadle")]
    check = validator()
    for event in found:
        check.validate(event)
    assert len(found) == 5 + 4 + 5
    first, second = found[:2]
    assert (first["src_port"], first["flowgrep"]["start"], first["flowgrep"]["end"]) == (40000, 0, 6)
    assert first["flowgrep"]["payload_printable"] == "needle \\udcff\\x00".replace("\\udcff", "\\xff")
    assert (second["flowgrep"]["offset"], second["flowgrep"]["start"]) == (9, 6)
    assert first["flow_id"] == second["flow_id"] and first["community_id"] == second["community_id"]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "5"),
        (["-A", "2"], "5 6 7"),
        (["-B", "2"], "3 4 5"),
        (["-C", "1"], "4 5 6"),
        (["-B", "9", "-A", "9"], "1 2 3 4 5 6 7 8 9"),
    ],
)
@pytest.mark.parametrize("batch", [1, 1000])
def test_context_is_of_the_flow(options: list[str], shown: str, batch: int) -> None:
    made = Conversation()
    made.handshake()
    made.handshake(port=40001)
    for number in range(1, 10):
        made.segment(b"%d" % number, seq=number)
        made.segment(b"x", seq=number, port=40001)
    text = grep(made, "-a", "5", *options, batch=batch).decode()
    payloads = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    assert " ".join(payloads) == shown


def test_count() -> None:
    assert grep(talk(b"a", b"b", b"a"), "-a", "a", "--count") == b"2\n"


@pytest.mark.parametrize("batch", [1, 1000])
def test_whole_streams_of_matched_flows_are_logged(tmp_path: Path, batch: int) -> None:
    made = talk(b"before ", b"needle", b" after")
    made.says(b"answer", from_client=False)
    made.handshake(port=40001)
    made.says(b"other", port=40001)
    for payload in (b"no", b"a needle", b"needles"):
        made.datagram(payload)
    made.add(frames.ip4(b"the needle", proto=50))
    names = grep(made, "-a", "needle", "-l", str(tmp_path), "-x", "-0", batch=batch).decode().split("\0")
    said = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert said == {
        "1700000000-10.0.0.1-40000-10.0.0.2-80-tcp": b"before needle after",
        "1700000000-10.0.0.2-80-10.0.0.1-40000-tcp": b"answer",
        "1700000000-10.0.0.1-40000-10.0.0.2-53-udp": b"a needleneedles",
        "1700000000-10.0.0.1-10.0.0.2-proto50": b"the needle",
    }
    assert sorted(name for name in names if name) == sorted(str(tmp_path / name) for name in said)


def test_only_so_many_files_and_bytes_are_written(tmp_path: Path) -> None:
    made = Conversation()
    for port in range(40000, 40010):
        made.handshake(port)
        made.says(b"needle" * 10, port=port)
    grep(made, "-a", "needle", "-l", str(tmp_path), "--log-files", "3")
    assert len(list(tmp_path.iterdir())) == 3
