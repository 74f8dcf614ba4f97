"""A stored token: what goes in comes out, up to 8 MB."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from fl0p_py.flow.table import CELL_DTYPE, stored_token

LARGEST = (1 << 23) - 1


@given(st.integers(-(2**31) + 1, 2**31 - 1))
@example(1)
@example(-1)
@example(-0x10000)
@example(LARGEST + 1)
@example(-LARGEST - 1)
def test_a_token_is_stored_with_its_direction(token: int) -> None:
    assert stored_token(token) == max(-LARGEST, min(LARGEST, token))


def test_it_takes_five_bytes() -> None:
    assert CELL_DTYPE.itemsize == 5
