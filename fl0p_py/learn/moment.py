"""Moment: a written time as nanoseconds since the epoch, without passing through a float."""

from __future__ import annotations

import datetime

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def time_ns(text: str) -> int:
    """Of an ISO 8601 time with its zone; ValueError if it is none."""
    time = datetime.datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without zone")
    since = time - EPOCH
    return ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
