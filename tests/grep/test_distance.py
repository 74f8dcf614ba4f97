"""Distance against its definition: every window compared, in the plainest way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import DamerauLevenshtein, Hamming, Levenshtein

from fl0p_py.grep.distance import LONGEST, Found, Measure, checked
from fl0p_py.grep.pattern import GrepError


def plain_value(measure: Measure, window: bytes, text: bytes) -> float:
    if measure is Measure.JACCARD:
        return len(set(window) & set(text)) / len(set(window) | set(text))
    functions = {
        Measure.LEVENSHTEIN: Levenshtein,
        Measure.DAMERAU: DamerauLevenshtein,
        Measure.HAMMING: Hamming,
    }
    return float(functions[measure].distance(window, text))


def plain_find(measure: Measure, payload: bytes, text: bytes, most: float, after: int) -> Found | None:
    for start in range(max(0, len(payload) - len(text)) + 1):
        window = payload[start : start + len(text)]
        if not window or start + len(window) <= after:
            continue
        value = plain_value(measure, window, text)
        if value >= most if measure is Measure.JACCARD else value <= most:
            return Found(start, start + len(window), value)
    return None


@given(
    st.sampled_from(Measure),
    st.binary(min_size=3, max_size=10).map(lambda text: bytes(97 + byte % 5 for byte in text)),
    st.binary(max_size=40).map(lambda text: bytes(97 + byte % 5 for byte in text)),
    st.integers(0, 2),
    st.integers(0, 20),
)
@settings(max_examples=400)
def test_windows_are_found_as_if_all_were_compared(
    measure: Measure, text: bytes, payload: bytes, number: int, after: int
) -> None:
    most = (0.3, 0.6, 1.0)[number] if measure is Measure.JACCARD else number
    try:
        distance = checked(text, measure, most, ignore_case=False)
    except GrepError:
        return
    assert distance.find(payload, after) == plain_find(measure, payload, text, most, after)


def test_case_and_what_is_to_come() -> None:
    distance = checked(b"User-Agent", Measure.HAMMING, 1, ignore_case=True)
    assert distance.find(b"x: 1\r\nuser-agemt: y") == Found(6, 16, 1.0)
    near = checked(b"password", Measure.LEVENSHTEIN, 2, ignore_case=False)
    assert near.find(b"passwd") == Found(0, 6, 2.0)
    assert near.find(b"passwd", whole=False) is None


@pytest.mark.parametrize(
    ("text", "measure", "most", "message"),
    [
        (b"", Measure.HAMMING, None, "-e: there is nothing in the string to be like"),
        (b"x" * (LONGEST + 1), Measure.HAMMING, None, "-e: 257 bytes; a string has at most 256"),
        (b"abc", Measure.JACCARD, 2.0, "-D: 2 is no similarity: above 0, at most 1"),
        (b"abcdef", Measure.LEVENSHTEIN, 1.5, "-D: 1.5: levenshtein counts whole edits"),
        (b"ab", Measure.LEVENSHTEIN, 2.0, "-D: 2 edits of 2 bytes would accept nearly everything"),
    ],
)
def test_what_is_refused(text: bytes, measure: Measure, most: float | None, message: str) -> None:
    with pytest.raises(GrepError) as error:
        checked(text, measure, most, ignore_case=False)
    assert str(error.value) == message
