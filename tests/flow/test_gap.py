"""A stored gap takes 16 bits: short ones to the microsecond, long ones to one part in 2048."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.flow.table import stored_gap

MS = 1_000_000
UNITS = 1024  # of a millisecond
LONGEST = 4095 << 30


def twin(gap_ns: int, threshold_ms: int) -> int:
    """The same in words: what fits into 12 bits is kept, of the rest the 12 highest bits."""
    units = gap_ns * UNITS // MS
    lost = max(0, units.bit_length() - 12)
    stored = units >> lost << lost
    if stored > LONGEST:
        return LONGEST
    if gap_ns >= threshold_ms * MS and stored < threshold_ms * UNITS:
        stored += 1 << lost
    return stored


@pytest.mark.parametrize(
    ("gap_ns", "units"),
    [
        (0, 0),
        (976, 0),
        (977, 1),
        (1 * MS, 1024),
        (4 * MS - 1, 4095),
        (400 * MS, 400 * 1024),
        (400 * MS - 1, 400 * 1024 - 128),
        (5001 * MS, 5002 * 1024),  # 5,000 would be the nearest below, and not reach the threshold of 5,001
        ((1 << 63) - 1, LONGEST),
    ],
)
def test_examples(gap_ns: int, units: int) -> None:
    assert stored_gap(gap_ns, 5001) == units


@given(st.integers(0, (1 << 63) - 1) | st.integers(0, 10**13), st.integers(1, 3_600_000))
def test_the_kernel_does_what_its_twin_does(gap_ns: int, threshold_ms: int) -> None:
    assert stored_gap(gap_ns, threshold_ms) == twin(gap_ns, threshold_ms)


@given(st.integers(1, 3_600_000), st.integers(-2 * MS, 2 * MS))
def test_whether_the_threshold_is_reached_is_exact(threshold_ms: int, beside_ns: int) -> None:
    gap_ns = max(0, threshold_ms * MS + beside_ns)
    assert (stored_gap(gap_ns, threshold_ms) >= threshold_ms * UNITS) == (gap_ns >= threshold_ms * MS)
