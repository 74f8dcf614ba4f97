"""Stage: a part of long work, as it is told to those who wait for it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, "int | None"], None]
"""Told how far a stage is: its name (of reading, the file's), what of it is done, and of how much; None where
that is not known."""

Told = Callable[[int, int], None]
"""The same of a stage that has a name already."""


def silent(name: str, done: int, whole: int | None) -> None:
    """For those who do not want to know."""


def nobody(done: int, whole: int) -> None:
    """The same of a stage that has a name."""


def stage(progress: Progress, name: str) -> Told:
    """Tells of one stage."""
    return lambda done, whole: progress(name, done, whole)
