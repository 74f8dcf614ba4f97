"""A stream's window: which patterns may be in it is known without scanning all of it again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.grep.finder import Buffer, Finder
from fl0p_py.grep.pattern import Side, from_argument
from fl0p_py.grep.stream_window import StreamWindow

TEXTS = ("ab", "abcab", "ba.*cc", "c", "bcb", "[abc]+")
FINDER = Finder([from_argument(text, Side.ANY, "-a", False) for text in TEXTS], None)
pieces = st.lists(st.text("abc", min_size=1, max_size=6).map(str.encode), min_size=1, max_size=20)


@given(pieces, st.integers(1, 40))
def test_it_names_the_patterns_that_a_scan_of_the_whole_names(parts: list[bytes], reach: int) -> None:
    window, offset = StreamWindow(1), 0
    for part in parts:
        window.add(part, offset)
        offset += len(part)
        named = window.which(FINDER)
        assert set(named) >= set(FINDER.which(window.data))
        assert set(named) <= set(FINDER.which(b"".join(parts)[: window.end]))
        window.trim(reach, 0)


def test_what_was_trimmed_off_is_forgotten() -> None:
    window = StreamWindow(1)
    window.add(b"ccab", 0)
    assert set(window.which(FINDER)) == {0, 3, 5}
    window.trim(1, 0)
    window.add(b"bb", 4)
    assert set(window.which(FINDER)) == {0, 5}  # the b of ab is there still
    window.trim(1, 0)
    window.add(b"b", 6)
    assert set(window.which(FINDER)) == {5}


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
        named: Sequence[int] = window.which(FINDER)
        assert 5 in named
    assert sum(scanned) <= 2000 * (1 + FINDER.overlap)
