"""Counts in words, for messages to people."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """`1 flow`, `2,000 flows`."""
    return f"{count:,} {noun(count, what)}"


def noun(count: int, what: str) -> str:
    return what if count == 1 else f"{what}s"
