"""The bits of a pattern, by the formula, and their minimum over what it leaves open."""

from __future__ import annotations

from math import log2

import pytest

from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.specificity import bits

ROWS = [
    ("tcp * c5", 16),
    ("tcp 22 c5", 32),
    ("tcp 22,23 c5", 31),
    ("tcp * < c5", 24),
    ("tcp * < c5 >", 32),
    ("tcp * c*", 0),
    ("tcp * c1-", 0),
    ("tcp * c1-256", 8),
    ("tcp * c-256", 8),
    ("tcp * c32768-", 1),
    ("tcp * c70000-", 0),
    ("tcp * c70000-70001", 15),
    ("tcp * c5 s6", 33),
    ("tcp * c5 + s6", 33),
    ("tcp * c5 +? s6", 32),
    ("tcp * + c5 s6 +", 35),
    ("tcp * +? c5 s6 +?", 33),
    ("tcp * C5 S6", 33),
    ("tcp * ( c5 s6 | c5 )", 16),
    ("tcp * ( c5 | c1-256 )", 8),
    ("tcp * c5{3}", 50),
    ("tcp * c5{3,9}", 50),
    ("tcp * c5{3,}", 50),
    ("tcp * c5 s6{0,}", 16),
    ("tcp * ( c5 & s6 )", 33),
    ("tcp * ( c5 & +? s6 )", 32),
    ("tcp * c1 ( c5 & s6 )", 50),
    ("tcp * c1 + ( +? c5 & s6 )", 49),
    ("tcp * c1-3 s1-3", 2 * log2(65536 / 3) + 1),
]


@pytest.mark.parametrize(("text", "expected"), ROWS)
def test_bits(text: str, expected: float) -> None:
    assert bits(parse_pattern(text)) == pytest.approx(expected, abs=0.001)
