"""The canonical text: what is parsed prints, what is printed parses to the same tree."""

from __future__ import annotations

import pytest
from hypothesis import given

from fl0p_py.signature.fp_file import read_lines
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Facets, Pattern, Signature
from fl0p_py.signature.printer import pattern_text, signature_lines
from tests.signature.strategies import patterns

CANONICAL = [
    ("tcp\t22<c41  s41 +  c148", "tcp 22 < c41 s41 + c148"),
    ("udp 53,20-30,31 =c1-1048575 s1-7 c7-1048575>", "udp 20-31,53 = c* s-7 c7- >"),
    ("tcp *((c5|S6-7){2,2} +?)s8{0,}", "tcp * ( ( c5 | S6-7 ){2} +? ) s8{0,}"),
    ("tcp *(c5&+ s6)", "tcp * ( c5 & + s6 )"),
    ("icmp * c5-5 s6{3,9}", "icmp * c5-5 s6{3,9}"),
]


@pytest.mark.parametrize(("text", "canonical"), CANONICAL)
def test_the_canonical_text(text: str, canonical: str) -> None:
    assert pattern_text(parse_pattern(text)) == canonical


@given(patterns())
def test_what_is_printed_parses_to_the_same(pattern: Pattern) -> None:
    assert parse_pattern(pattern_text(pattern)) == pattern


def test_a_signature_prints_as_lines_that_load_as_the_same() -> None:
    signature = Signature(
        "ssh.x",
        "SSH: größer | (x)",
        parse_pattern("tcp 22 = < c5 ( s6 | S7 ){2,} >"),
        Facets("ssh", "auth-failed", "shell", "bot", "ssh-in-tls", "hostkey"),
        count=True,
        threshold_ms=500,
        edits=False,
        inside=("tls12", "tls13"),
        note="seen once\n\nand again",
    )
    text = signature_lines(signature)
    assert text == (
        "# seen once\n#\n# and again\n"
        "#: id=ssh.x class=ssh outcome=auth-failed activity=shell actor=bot tunnel=ssh-in-tls prompt=hostkey"
        " threshold_ms=500 inside=tls12,tls13 count no-edits\n"
        "tcp 22 = < c5 ( s6 | S7 ){2,} > : SSH: größer | (x)"
    )
    read = read_lines(text.encode(), "x.fp")
    assert not read.errors
    (again,) = read.signatures
    for name in ("id", "name", "pattern", "facets", "count", "threshold_ms", "edits", "inside"):
        assert getattr(again, name) == getattr(signature, name)
