"""Contents, expressions and isdataat: by example, and against the twin."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fl0p_py.rules.content import Content, IsDataAt
from fl0p_py.rules.moment import Piece
from fl0p_py.rules.payload import CREDIT_S, PATIENCE_S, STEPS, Origin, PayloadTest, Tested
from fl0p_py.rules.pcre import Pcre
from tests.rules.moments import loaded
from tests.rules.twin_payload import fits

ROWS = [
    ('content:"bc";', b"abcd", 0, True),
    ('content:"BC"; nocase;', b"abcd", 0, True),
    ('content:"BC";', b"abcd", 0, False),
    ('content:!"x";', b"abcd", 0, True),
    ('content:!"b";', b"abcd", 0, False),
    ('content:"b"; offset:2;', b"abcab", 0, True),
    ('content:"b"; offset:2; depth:2;', b"abcab", 0, False),
    ('content:"cd"; depth:4;', b"abcd", 0, True),
    ('content:"ab"; startswith; content:"cd"; endswith;', b"abcd", 0, True),
    ('content:"bc"; startswith;', b"abcd", 0, False),
    ('content:"a"; content:"b"; distance:0; within:1;', b"a-ab", 0, True),
    ('content:"a"; content:"b"; distance:1;', b"ab", 0, False),
    ('content:"b"; content:"a"; distance:-2;', b"ab", 0, True),
    ('content:"a"; content:!"b"; within:1;', b"abac", 0, True),
    ('content:"a"; isdataat:2,relative;', b"xax", 0, False),
    ('content:"a"; isdataat:!2,relative;', b"xax", 0, True),
    ("isdataat:3;", b"abc", 0, False),
    ("isdataat:2;", b"abc", 0, True),
    (r'pcre:"/b.d/";', b"abcd", 0, True),
    (r'content:"b"; pcre:"/^c/R";', b"abcd", 0, True),
    (r'content:"b"; pcre:"/^d/R";', b"abcd", 0, False),
    (r'pcre:"/B C/ix";', b"abcd", 0, True),
    (r'pcre:"/a.c/s";', b"a\nc", 0, True),
    (r'pcre:"/a.c/";', b"a\nc", 0, False),
    (r'pcre:"/^c/m";', b"ab\ncd", 0, True),
    (r'pcre:!"/x/";', b"abcd", 0, True),
    ('content:"ab";', b"abcd", 2, False),
    ('content:"bc";', b"abcd", 2, True),
    ('content:"ab";', b"abab", 2, True),
    ('content:"ab"; content:"cd";', b"abcd", 2, True),
    ('content:"ab"; depth:2;', b"xxab", 2, True),
    ('content:!"ab";', b"abxx", 2, True),
    (r'pcre:"/a+/";', b"aaxx", 2, False),
    (r'pcre:"/a+/";', b"aaxa", 2, True),
    (r'pcre:"/^ab/";', b"abab", 2, False),
]  # fmt: skip


def new(data: bytes, tail: int = 0, begins: bool = False) -> Piece:
    """One segment's bytes behind some old ones."""
    return Piece(data, tail, (tail,), begins or not tail)


def options_of(text: str) -> list[Tested]:
    (one,) = loaded(f"({text})")
    return list(PayloadTest(one.rule.options).options)


@pytest.mark.parametrize(
    ("text", "piece", "tail", "holds"), ROWS, ids=[f"{row[0]} {row[1]!r} {row[2]}" for row in ROWS]
)
def test_a_row(text: str, piece: bytes, tail: int, holds: bool) -> None:
    test = PayloadTest(options_of(text))
    assert (test.failed(new(piece, tail)) is None) is holds


def test_the_option_that_failed_is_told() -> None:
    options = options_of('content:"a"; content:"b"; content:"c";')
    assert PayloadTest(options).failed(new(b"ab")) == options[2]
    assert PayloadTest(options).failed(new(b"bc")) == options[0]


SMALL = st.binary(min_size=1, max_size=2).map(lambda raw: bytes(b"abAB"[byte % 4] for byte in raw))
PLACED = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"offset": st.integers(0, 4), "depth": st.integers(2, 5)}),
    st.fixed_dictionaries({"distance": st.integers(-3, 3)}),
    st.fixed_dictionaries({"distance": st.integers(-3, 3), "within": st.integers(2, 4)}),
    st.just({"startswith": True}),
    st.just({"endswith": True}),
)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    return Content(draw(SMALL), draw(st.booleans()), draw(st.booleans()), **draw(PLACED))


OPTIONS = st.lists(
    st.one_of(
        contents(),
        st.builds(IsDataAt, st.integers(0, 4), st.booleans(), st.booleans()),
        st.builds(
            Pcre, st.sampled_from(["a", "ab", "b.a", "A|b"]), st.sampled_from(["", "R"]), st.booleans()
        ),
    ),
    min_size=1,
    max_size=4,
)
PIECES = st.lists(st.sampled_from(list(b"abAB")), max_size=10).map(bytes)


@given(OPTIONS, PIECES, st.integers(0, 5), st.booleans())
@example([Content(b"a"), Content(b"b", negated=True, within=2), Content(b"a", distance=0)], b"abaa", 0, True)
@settings(max_examples=400)
def test_it_says_what_the_twin_says(options: list[Tested], data: bytes, tail: int, begins: bool) -> None:
    test = PayloadTest(options)
    piece = new(data, min(tail, len(data)), begins)
    starts = {0} if piece.begins or test.origin is Origin.NOWHERE else set()
    if test.origin is Origin.SEGMENTS:
        starts |= set(piece.segments)
    expected = any(fits(options, data[start:], max(0, piece.tail - start)) for start in starts)
    assert (test.failed(piece) is None) is expected


def test_work_is_bounded() -> None:
    many = ['content:"a";', *['content:"a"; distance:0;'] * 8, 'content:"b"; distance:0;']
    test = PayloadTest(options_of(" ".join(many)))
    assert test.failed(new(b"a" * 500)) is not None
    assert test.given_up == 1
    assert STEPS < 500**2
    test = PayloadTest(options_of('pcre:"/(a+)+$/";'))
    begun = time.process_time()
    assert test.failed(new(b"a" * 40 + b"b")) is not None
    assert time.process_time() - begun < 20 * PATIENCE_S


def test_patience_with_an_expression_becomes_less_and_comes_back() -> None:
    test = PayloadTest([Pcre("^(a|aa)+$")])
    first = test.patience_s
    for _ in range(3):
        assert test.failed(new(b"a" * 2000 + b"!")) is not None
    assert test.given_up == 3
    assert 0.001 <= test.patience_s < first
    test.owed_s = 1_000_000.0
    assert test.patience_s == 0.001
    test.owed_s = 20 * CREDIT_S
    pieces = 0
    while test.patience_s < first and pieces < 10_000:  # one that the machine interrupts owes, too
        assert test.failed(new(b"ab")) is not None
        pieces += 1
    assert test.patience_s == first and pieces >= 20


def test_slow_pieces_that_are_not_given_up_are_owed_too() -> None:
    test = PayloadTest([Pcre("^(a+)+$")])
    for _ in range(5):
        assert test.failed(new(b"a" * 1400 + b"!")) is not None
    assert test.owed_s > 5 * CREDIT_S


PLACES = [
    ('content:"login"; depth:5;', new(b"login", 2, True), True),
    ('content:"login"; depth:5;', new(b"login", 2), False),
    ('content:"login"; depth:5;', new(b"login", 5, True), False),
    ('content:"lo"; startswith; content:"gin"; distance:0;', new(b"login", 2, True), True),
    ('content:"gin"; startswith;', new(b"login", 2, True), True),
    ('content:"gin"; startswith; flow:only_stream;', new(b"login", 2, True), False),
    ('content:"login"; startswith; flow:only_stream;', new(b"login", 2, True), True),
    ('content:"b"; startswith;', Piece(b"abc", 0, (0, 1)), True),
    ('content:"c"; startswith;', Piece(b"abc", 0, (0, 1)), False),
    (r'pcre:"/^login/";', new(b"login", 2, True), True),
    (r'pcre:"/^gin/";', new(b"login", 2, True), False),
    (r'pcre:"/^gin/";', new(b"gin", 0), True),
    (r'pcre:"/^gin/m";', new(b"lo\ngin", 3), True),
    (r'pcre:"/^gin/m";', new(b"login", 2), False),
    (r'pcre:"/\Agin/";', new(b"login", 2), False),
    ("isdataat:4;", new(b"login", 2, True), False),
    ("isdataat:2;", new(b"login", 2), True),
]


@pytest.mark.parametrize(("text", "piece", "holds"), PLACES, ids=[f"{row[0]} {row[1]}" for row in PLACES])
def test_places_count_from_each_beginning(text: str, piece: Piece, holds: bool) -> None:
    (one,) = loaded(f"({text})")
    assert (PayloadTest(one.rule.options).failed(piece) is None) is holds
