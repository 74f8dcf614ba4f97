"""TOML files: what loads, and every fault with the signature and field it is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.errors import Place
from fl0p_py.signature.caret import render
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Facets
from fl0p_py.signature.toml_file import read_section, read_toml

FULL = """
title = "SSH"
about = "Secure shell."

[[signature]]
id = "ssh.x"
name = "SSH login"
pattern = "tcp 22 = < c41 ( s41 | S50-60 )"
class = "ssh"
outcome = "auth-failed"
activity = "shell"
actor = "bot"
tunnel = "ssh-in-tls"
prompt = "hostkey"
count = true
edits = false
threshold_ms = 500
inside = ["tls12", "tls13"]
note = "seen"
references = ["https://example.org"]
examples = ["tcp 22 < c41 s41 + >: unknown", { text = "tcp 2222 c41 s55", source = "x.pcap" }]
counter_examples = ["tcp 22 < c40"]

[signature.provenance]
software = "OpenSSH"
versions = ["8.4", "9.6"]
flows = 12
date = 2026-11-01

[[signature]]
id = "y"
name = " plain "
pattern = "udp * c5"
"""


def test_everything_loads() -> None:
    section, errors = read_section(FULL.encode(), "x.toml")
    assert not errors
    assert (section.title, section.about) == ("SSH", "Secure shell.")
    first, second = section.signatures
    assert (first.id, first.name, first.source, first.where) == ("ssh.x", "SSH login", "x.toml", "ssh.x")
    assert first.location == "x.toml: ssh.x"
    assert first.pattern == parse_pattern("tcp 22 = < c41 ( s41 | S50-60 )")
    assert first.facets == Facets("ssh", "auth-failed", "shell", "bot", "ssh-in-tls", "hostkey")
    assert (first.count, first.edits, first.threshold_ms, first.inside) == (
        True,
        False,
        500,
        ("tls12", "tls13"),
    )
    assert (first.note, first.references) == ("seen", ("https://example.org",))
    assert [(example.text, example.source) for example in first.examples] == [
        ("tcp 22 < c41 s41 + >: unknown", ""),
        ("tcp 2222 c41 s55", "x.pcap"),
    ]
    assert first.examples[0].pattern == parse_pattern("tcp 22 < c41 s41 + >")
    assert first.counter_examples[0].pattern == parse_pattern("tcp 22 < c40")
    assert first.provenance == (
        ("software", "OpenSSH"),
        ("versions", "8.4, 9.6"),
        ("flows", "12"),
        ("date", "2026-11-01"),
    )
    assert (second.name, second.facets, second.count, second.edits) == ("plain", Facets(), False, True)
    assert (second.threshold_ms, second.examples, second.provenance) == (None, (), ())


# (lines of one signature beside id, name and pattern; the one message behind "x.toml: ")
FIELDS = [
    ("klass = 'ssh'", "a.b: 'klass' is no key of a signature, did you mean 'class'?"),
    ("class = 5", "a.b: class: found the number 5, expected text in quotes"),
    ("class = 'SSH'", "a.b: class: found 'SSH', expected a word of a-z, 0-9, '.' and '-'"),
    (
        "outcome = 'ok'",
        "a.b: outcome: found 'ok', expected one of banner-only, auth-failed, auth-success, aborted",
    ),
    ("count = 1", "a.b: count: found the number 1, expected true or false"),
    ("edits = 'no'", "a.b: edits: found text 'no', expected true or false"),
    ("threshold_ms = true", "a.b: threshold_ms: found true, expected a whole number of milliseconds"),
    ("threshold_ms = 0", "a.b: threshold_ms: found 0, expected milliseconds from 1 to 3600000"),
    ("inside = 'tls13'", "a.b: inside: found text 'tls13', expected a list"),
    (
        "inside = ['ssh']",
        "a.b: inside: found 'ssh', expected a pattern of tcp with '<': where else a channel's"
        " data begins does not show",
    ),
    ("inside = ['tls13', 'tls']", "a.b: inside 2: found 'tls', expected one of ssh, tls12, tls12-cbc, tls13"),
    ("references = [1979-05-27]", "a.b: references 1: found a date or time, expected text in quotes"),
    ("note = {}", "a.b: note: found a table, expected text in quotes"),
    ("provenance = []", "a.b: provenance: found a list, expected a table"),
    ("provenance = { x = [[]] }", "a.b: provenance.x: found a list, expected text, a number or a date"),
    ("examples = [[]]", 'a.b: examples 1: found a list, expected a line such as "tcp 22 < c41 s41"'),
    ("examples = ['']", 'a.b: examples 1: it is empty, expected a line such as "tcp 22 < c41 s41"'),
    (
        "examples = [{ text = 'tcp 1 c5', src = '' }]",
        "a.b: examples 1: 'src' is no key of an example, did you mean 'source'?",
    ),
    (
        "examples = [{ source = 'x' }]",
        'a.b: examples 1: found nothing, expected a line such as "tcp 22 < c41 s41"',
    ),
    (
        "examples = ['tcp 1 c5', 'tcp 1 c9-']",
        "a.b: examples 2: a range of sizes, expected what one flow looked like",
    ),
    (
        "counter_examples = ['tcp 1 C5']",
        "a.b: counter_examples 1: a burst, expected what one flow looked like",
    ),
    ("examples = ['tcp 1-2 c5']", "a.b: examples 1: not one port, expected what one flow looked like"),
    ("examples = ['tcp * c5']", "a.b: examples 1: not one port, expected what one flow looked like"),
    ("examples = ['tcp 1 c5{2}']", "a.b: examples 1: a group or repeat, expected what one flow looked like"),
    (
        "examples = ['tcp 1 c5 +? c6']",
        "a.b: examples 1: '+?' leaves the pause open, expected what one flow looked like",
    ),
    ("examples = ['tcp 1 = c5']", "a.b: examples 1: '=' is for patterns, expected what one flow looked like"),
    (
        "examples = ['tcp 1 x5']",
        "a.b: examples 1, column 7: 'x5' is not a token,"
        " expected c, s, C or S and a size such as 40, 40-60, 40- or *",
    ),
]


@pytest.mark.parametrize(("line", "message"), FIELDS)
def test_a_fault_is_told_with_its_field(line: str, message: str) -> None:
    text = f"[[signature]]\nid = 'a.b'\nname = 'x'\npattern = 'tcp * c5'\n{line}\n"
    assert list(map(str, read_toml(text.encode(), "x.toml").errors)) == [f"x.toml: {message}"]


FILES = [
    ("[[signature]]\nname='x'\npattern='tcp * c5'", "x.toml: signature 1: no id, which every signature has"),
    ("[[signature]]\nid='a'\npattern='tcp * c5'", "x.toml: a: no name, which every signature has"),
    ("[[signature]]\nid='a'\nname='x'", "x.toml: a: no pattern, which every signature has"),
    (
        "[[signature]]\nid='A'\nname='x'\npattern='tcp * c5'",
        "x.toml: A: id: found 'A', expected an id of a-z, 0-9, '.' and '-', at most 128 characters",
    ),
    (
        "[[signature]]\nid='a'\nname=' '\npattern='tcp * c5'",
        "x.toml: a: name: it is empty, expected a description",
    ),
    (
        "[[signature]]\nid='a'\nname=\"a\\u0007\"\npattern='tcp * c5'",
        "x.toml: a: name: found U+0007, expected no control character",
    ),
    ("[signature]\nid='a'", "x.toml: 'signature' is no array of tables, expected [[signature]]"),
    ("titel = 'x'", "x.toml: 'titel' is no key of a signature file, did you mean 'title'?"),
    ("title = 5", "x.toml: title: found the number 5, expected text in quotes"),
    ("a = 1\nb = = 2", "x.toml:2:5: no TOML: invalid value"),
    ("a = '", 'x.toml:1:6: no TOML: expected "\'"'),
    ("a = " + "[" * 5000, "x.toml: no TOML: nested too deeply"),
]


@pytest.mark.parametrize(("text", "message"), FILES, ids=[message for _, message in FILES])
def test_a_fault_of_the_file_is_told(text: str, message: str) -> None:
    assert list(map(str, read_toml(text.encode(), "x.toml").errors)) == [message]


def test_a_fault_in_a_pattern_has_column_and_caret() -> None:
    text = "[[signature]]\nid = 'a.b'\nname = 'x'\npattern = 'tcp * c5 x6'\n"
    (error,) = read_toml(text.encode(), "x.toml").errors
    assert error.mark == Place(1, 10, 2)
    assert render(error).startswith("x.toml: a.b: pattern, column 10: 'x6' is not a token")
    assert render(error).endswith("\n    tcp * c5 x6\n             ^~")


def test_all_faults_are_told_in_one_run() -> None:
    text = "x = 1\n" + "[[signature]]\nid = 'a'\nname = 5\npattern = 'tcp * c5 x6'\nfoo = 1\n" * 2
    assert len(read_toml(text.encode(), "x.toml").errors) == 7
    assert read_toml(text.encode(), "x.toml").signatures == []


def test_bytes_that_are_no_utf8_are_told_with_their_place() -> None:
    (error,) = read_toml("title = 'ä'\nabout = 'ä".encode() + b"\xff'", "x.toml").errors
    assert str(error) == "x.toml:2:11: found byte 0xff, expected UTF-8"


def test_a_byte_order_mark_and_crlf_are_fine() -> None:
    assert len(read_toml(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode(), "x.toml").signatures) == 2


def test_bare_packets_are_left_out_with_a_warning() -> None:
    result = read_toml(FULL.replace("c41 (", "c41 c0 (").encode(), "x.toml")
    assert list(map(str, result.warnings)) == [
        "x.toml: ssh.x: pattern, column 16: 'c0' is left out: packets without payload are not in sequences"
    ]


@given(st.one_of(st.binary(max_size=100), st.text(max_size=100).map(str.encode)))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    read_toml(data, "x.toml")
