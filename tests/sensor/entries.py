"""Entries that say who they are, and the proof that all of a log are whole."""

from __future__ import annotations


def lines(first: int, count: int, size: int = 100) -> bytes:
    """Entries with a number where the time would stand, and filling."""
    return b"".join(b"[%08d] " % n + b"." * (size - 12) + b"\n" for n in range(first, first + count))


def numbers(data: bytes, size: int = 100) -> list[int]:
    """The numbers of entries, each proved to be whole."""
    assert data.endswith(b"\n") or not data
    found = []
    for line in data.splitlines():
        assert len(line) == size - 1 and line[9:] == b"] " + b"." * (size - 12), line
        found.append(int(line[1:9]))
    return found
