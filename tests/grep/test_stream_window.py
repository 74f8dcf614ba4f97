"""A stream's window: which patterns may be in it is known without scanning all of it again."""

from __future__ import annotations

from collections.abc import Sequence
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.grep import finder
from fl0p_py.grep.finder import Buffer, Finder
from fl0p_py.grep.need import of_pattern
from fl0p_py.grep.pattern import Side, from_argument
from fl0p_py.grep.stream_window import StreamWindow

TEXTS = ("ab", "abcab", "ba.*cc", "c", "bcb", "[abc]+", "a*ca.")
PATTERNS = [from_argument(text, Side.ANY, "-a", False) for text in TEXTS]
NEEDS = [of_pattern(pattern) for pattern in PATTERNS]
FINDER = Finder(PATTERNS, None)
pieces = st.lists(st.text("abc", min_size=1, max_size=6).map(str.encode), min_size=1, max_size=20)


def last_ends(data: bytes, offset: int) -> dict[int, int]:
    """By the number of a pattern, where the last of its pieces ends."""
    return {
        number: max(ends)
        for number, pattern in enumerate(PATTERNS)
        if (
            ends := [
                offset + at + len(piece.text)
                for piece in pattern.expression.pieces
                if (at := data.rfind(piece.text)) >= 0
            ]
        )
    }


@given(pieces, st.integers(1, 40), st.sampled_from([1, 512]))
def test_it_names_the_patterns_of_which_a_match_may_end_in_what_is_new(
    parts: list[bytes], reach: int, most: int
) -> None:
    whole, window, late = b"".join(parts), StreamWindow(1), 0
    with patch.object(finder, "MOST_PLACES", most):
        for part in parts:
            before = window.end
            window.add(part, before)
            start = window.end - len(window.data)
            named = set(window.which(FINDER, NEEDS)) - FINDER.blind
            sure = last_ends(window.data, start)
            maybe = last_ends(whole[: window.end], 0)  # what began before the window's first byte
            assert named >= {one for one, end in sure.items() if end + NEEDS[one].follow > before}
            if most == 1:  # a piece counts as if it had ended where the part ends with which it was seen
                late = max(late, len(part) + FINDER.overlap)
            assert named <= {
                one
                for one, end in maybe.items()
                if end + late > start and end + late + NEEDS[one].follow > before
            }
            window.trim(reach, 0)


def test_it_is_followed_for_as_long_as_a_match_may_come() -> None:
    window = StreamWindow(1)
    window.add(b"..ba..", 0)
    numbers = window.which(FINDER, NEEDS)
    window.follow([one for one in numbers if one != 2], NEEDS)
    assert window.until == 0
    window.follow(numbers, NEEDS)
    assert window.until == 4 + NEEDS[2].follow
    window.add(b"....", 6)
    window.follow(window.which(FINDER, NEEDS), NEEDS)
    assert window.until == 4 + NEEDS[2].follow


def test_one_byte_after_another_costs_no_more_than_the_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    scanned: list[int] = []
    seen = Finder.seen

    def counted(self: Finder, data: Buffer, at: int) -> dict[int, int]:
        scanned.append(len(data))
        return seen(self, data, at)

    monkeypatch.setattr(Finder, "seen", counted)
    window = StreamWindow(1)
    for offset in range(2000):
        window.add(b"a", offset)
        named: Sequence[int] = window.which(FINDER, NEEDS)
        assert 5 in named
    assert sum(scanned) <= 2000 * (1 + FINDER.overlap)
