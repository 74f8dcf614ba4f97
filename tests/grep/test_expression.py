"""Patterns written anew for hyperscan: the same matches as Python's `re`, and pieces that never miss one."""

from __future__ import annotations

import re
from contextlib import suppress

import hyperscan
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.errors import PatternError
from fl0p_py.grep.expression import LONGEST_PATTERN, UNBOUNDED, WIDEST_PIECE, read


@pytest.mark.parametrize(
    ("pattern", "piece", "whole", "reach"),
    [
        (rb"SSH-2\.0", r"SSH\x2d2\x2e0", True, 7),
        (rb"^GET|^POST", r"(?:GET|POST)", True, 5),
        (rb"foo.*bar", "foo", False, 3),
        (rb".*foo", "foo", True, 3),
        (rb"^.*foo", "foo", True, 3),
        (rb"foo.*$", "foo", True, 3),
        (rb"^\s*foo", "foo", True, UNBOUNDED),
        (rb"a+b+", "ab", True, 2),
        (rb"(a+b)+c", "abc", True, 3),
        (rb"x(ab*c)+y", "xa", False, 2),
        (rb"(?<=x)y(\w+)\1", r"y[0-9A-Z\x5fa-z]", False, 4),
        (rb"(a|b|)c{2,900}d", "(?:c){2,2}d", True, 3),
        (rb"a{30000}", "(?:a){64,64}", False, 64),
        (rb"x(?i:y)z", "x[Yy]z", True, 3),
        (rb"foo(?=.*bar)", "foo", False, 3),
        (rb"(x)?(?(1)a|b)", "(?:a|b)", True, 1),
        (rb"(?:ab*)*c", "c", True, 1),
    ],
)
def test_the_piece_that_is_looked_for_everywhere(pattern: bytes, piece: str, whole: bool, reach: int) -> None:
    expression = read(pattern)
    assert (expression.piece, expression.whole, expression.reach) == (piece, whole, reach)


@pytest.mark.parametrize(
    "pattern",
    [rb"(?=foo)bar", rb"foo(?!bar)", rb"(?<!a)b", rb"(a)\1", rb"(?>a+)b", rb"a++b", rb"(?:a{99}){99}b"],
)
def test_what_hyperscan_cannot_express(pattern: bytes) -> None:
    assert read(pattern).exact is None


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        (rb"SSH-2\.0", b"SSH-2.0"),
        (rb"\x00\xff", b"\0\xff"),
        (rb"a.b", None),
        (rb"(?i)a", None),
        (rb"(?i)1", b"1"),
    ],
)
def test_literals_are_known(pattern: bytes, literal: bytes | None) -> None:
    assert read(pattern).literal == literal


@pytest.mark.parametrize(
    ("pattern", "column", "message"),
    [
        (b"(foo", 1, "missing ), unterminated subpattern"),
        (b"ab[z-a]", 4, "bad character range z-a"),
        (b"a*", 1, "it matches no bytes at all, and so everything"),
        (b"^", 1, "it matches no bytes at all, and so everything"),
        (rb"a[^\x00-\xff]", 1, "a class without a byte in it"),
        (b"(?<=a+)b", 1, "look-behind of a width that is not fixed"),
        (b"(" * 5000, 1, "it is nested too deeply"),
        (b"a{99999999999}", 1, "the repetition number is too large"),
        (
            b"a" * (LONGEST_PATTERN + 1),
            1,
            f"{LONGEST_PATTERN + 1} bytes; a pattern has at most {LONGEST_PATTERN}",
        ),
    ],
)
def test_what_is_refused(pattern: bytes, column: int, message: str) -> None:
    with pytest.raises(PatternError) as error:
        read(pattern)
    assert (error.value.column + 1, error.value.message) == (column, message)


ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "c",
        r"\n",
        ".",
        "[ab]",
        "[^a]",
        r"\w",
        r"\W",
        r"\s",
        "^",
        "$",
        r"\b",
        r"\B",
        "(?i:A)",
        "(?s:.)",
    ]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda ways: f"({'|'.join(ways)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "+?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
    ),
    max_leaves=8,
)
TEXTS = st.lists(st.sampled_from([b"a", b"b", b"c", b"A", b"\n", b" "]), max_size=12).map(b"".join)


def scan(expression: str, text: bytes) -> list[int]:
    """Ends of matches."""
    database = hyperscan.Database()
    flags = hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_ALLOWEMPTY
    database.compile(expressions=[expression.encode()], ids=[0], elements=1, flags=flags)
    ends: list[int] = []
    database.scan(text, match_event_handler=lambda number, start, end, flags, context: ends.append(end))
    return ends


@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=4), st.booleans())
@settings(max_examples=300, deadline=None)
def test_hyperscan_finds_what_re_finds(pattern: str, texts: list[bytes], ignore_case: bool) -> None:
    """The exact text where it is found, the piece wherever the pattern is."""
    try:
        expression = read(pattern.encode(), ignore_case)
    except PatternError:
        return
    compiled = re.compile(pattern.encode(), re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
    assert 0 < expression.high <= WIDEST_PIECE
    for text in texts:
        found = compiled.search(text) is not None
        assert expression.exact is not None
        with suppress(hyperscan.error):  # of some anchors in the middle it says so
            assert bool(scan(expression.exact, text)) == found
        assert not found or scan(expression.piece, text)
