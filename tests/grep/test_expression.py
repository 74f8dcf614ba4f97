"""Patterns written anew for RE2: the same matches as Python's `re`, and pieces that never miss one."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from fl0p_py.errors import PatternError
from fl0p_py.grep.expression import LONGEST_PATTERN, read
from fl0p_py.grep.piece import LONGEST_PIECE, MOST_PIECES, Piece
from fl0p_py.grep.tree import UNBOUNDED


@pytest.mark.parametrize(
    ("pattern", "pieces", "whole", "reach"),
    [
        (rb"SSH-2\.0", "SSH-2.0", True, 7),
        (rb"^GET|^POST", "GET POST", True, 5),
        (rb"^(?:GET|HEAD) /(?:a|bc)", "GET HEAD", False, 5),
        (rb"HTTP/1\.[01] 200", "HTTP/1.0_200 HTTP/1.1_200", True, 12),
        (rb"foo.*bar", "foo", False, 3),
        (rb"foo.{3,5}barbaz", "barbaz", False, 15),
        (rb".*foo", "foo", True, 3),
        (rb"^.*foo", "foo", True, 3),
        (rb"foo.*$", "foo", True, 3),
        (rb"foo$", "foo", True, 3),
        (rb"fo+$", "fo", False, 2),
        (rb"^\s*foo", "foo", False, UNBOUNDED),
        (rb"a+b+", "ab", True, 2),
        (rb"(a+b)+c", "abc", True, 3),
        (rb"x(ab*c)+y", "xa", False, 2),
        (rb"x[yz]{2,3}tu", "ytu ztu", False, 7),
        (rb"q.x{2,4}tuv", "xtuv", False, 10),
        (rb"(?<=x)y([ab]+)\1", "ya yb", False, 4),
        (rb"(a|b|)c{2,900}d", "cc", False, 3),
        (rb"a{30000}", 64 * "a", False, 64),
        (rb"x(?i:y)z", "XYZ", True, 3),
        (rb"foo(?=.*bar)", "foo", False, 3),
        (rb"(x)?(?(1)a|b)", "", False, 2),
        (rb"(?:ab*)*c", "c", True, 1),
        (rb"v[0-2][0-2][^c]", "v00 v01 v02 v10 v11 v12 v20 v21 v22", False, 3),
        (rb"\d\.[4-6]", " ".join(f"{a}.{b}" for a in range(10) for b in (4, 5, 6)), True, 3),
        (rb"[a-z]+", "", False, UNBOUNDED),
        (rb"\b[^a]{8}", "", False, 9),
        (rb"(\w)\1{5}", "", False, 6),
    ],
)
def test_the_pieces_that_are_looked_for_everywhere(
    pattern: bytes, pieces: str, whole: bool, reach: int
) -> None:
    """Blanks are written _, and pieces in either case in capitals."""
    expression = read(pattern)
    shown = {
        (piece.text.upper() if piece.either_case else piece.text).decode().replace(" ", "_")
        for piece in expression.pieces
    }
    assert (shown, expression.whole, expression.reach) == (set(pieces.split()), whole, reach)


def test_of_many_patterns_fewer_pieces_are_looked_for() -> None:
    assert len(read(rb"v[0-9][0-9]x").pieces) == 100
    assert read(rb"v[0-9][0-9]x", most=10).pieces == {Piece(b"v%d" % digit, False) for digit in range(10)}
    assert read(rb"v[0-9][0-9]x", most=1).pieces == {Piece(b"v", False)}


@pytest.mark.parametrize(
    "pattern",
    [rb"(?=foo)bar", rb"foo(?!bar)", rb"(?<!a)b", rb"(a)\1", rb"(?>a+)b", rb"a++b", rb"(?:a{99}){99}b"],
)
def test_what_re2_cannot_express(pattern: bytes) -> None:
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
        (b"(((a{99}){99}){99})?b", 1, "970300 bytes, its repeats written out; at most 262144"),
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
        "[01]",
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
TEXTS = st.lists(st.sampled_from([b"a", b"b", b"c", b"A", b"0", b"1", b"\n", b" "]), max_size=12).map(
    b"".join
)


@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=4), st.booleans(), st.sampled_from([1, 4, MOST_PIECES]))
@settings(max_examples=300)
def test_re2_finds_what_re_finds(pattern: str, texts: list[bytes], ignore_case: bool, most: int) -> None:
    """The exact text where it is found, a piece wherever the pattern is."""
    try:
        expression = read(pattern.encode(), ignore_case, most)
    except PatternError:
        return
    compiled = re.compile(pattern.encode(), re.MULTILINE | (re.IGNORECASE if ignore_case else 0))
    assert expression.exact is not None
    exact = re2.compile(f"(?m){expression.exact}".encode())
    assert len(expression.pieces) <= most
    assert all(0 < len(piece.text) <= LONGEST_PIECE for piece in expression.pieces)
    for text in texts:
        found = compiled.search(text) is not None
        assert (exact.search(text) is not None) == found
        has_piece = not expression.pieces or any(
            piece.text.lower() in text.lower() if piece.either_case else piece.text in text
            for piece in expression.pieces
        )
        assert has_piece or not found
