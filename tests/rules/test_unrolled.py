"""How large expressions are with their repeats written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.rules.unrolled import unrolled

MOST = 65536


@pytest.mark.parametrize(
    ("expression", "pieces"),
    [
        ("", 0),
        ("abc", 3),
        (r"a\d\{5", 4),
        ("a{5}", 5),
        ("a{5,9}b{0}c{2,}", 8),
        ("(ab){3}", 6),
        ("((ab){3}c){10}", 70),
        ("[a-z{9}]{4}", 4),
        (r"[\]x]{4}", 4),
        ("(a|b{3}){2}", 10),
        ("( a ) {7}", 7),
        ("{3}", 0),
        (")a{2}", 2 + 1),
        ("x{60000}", 60000),
        ("x{70000}", MOST + 1),
        ("(?:x{60000}){60000}", MOST + 1),
        ("(?:(?:(?:x{99}){99}){99}", MOST + 1),
        ("x{99999999999999999999999}", MOST + 1),
        ("((((a{0,65535}){0,65535}){0,65535}){0,65535})", 1),
    ],
)
def test_each_piece_counts_as_often_as_it_has_to_be_there(expression: str, pieces: int) -> None:
    assert unrolled(expression, MOST) == pieces


@given(st.text(r"ab(){}[]\?*+|,123 ", max_size=40))
def test_it_is_bounded_whatever_is_written(expression: str) -> None:
    assert 0 <= unrolled(expression, 1000) <= 1001
