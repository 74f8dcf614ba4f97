"""Why a client is taken for a person or for a program, in words."""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """What judgement.pyx found; numbers as in record.pxd."""

    NOTHING = 0
    TYPED = 1  # keys at the pace of hands, each echoed
    TRAINS = 2  # keystroke timing hidden by chaff (OpenSSH 9.5 and later), pauses between the trains
    THINKING = 3  # pauses alone
    LEFT = 4  # a last question, after a while; signature/actor.pyx says that
    REGULAR_PAUSES = 5
    DRAWN_PAUSES = 6  # even or exponential
    QUICK_PAUSES = 7  # none, or not most of them, as long as it takes to read and type something
    FAST_LINES = 8  # in less time than it takes to type them
    REGULAR_KEYS = 9
    DRAWN_KEYS = 10
    FAST_KEYS = 11
    NO_PAUSE = 12  # from the beginning to the end; signature/actor.pyx says that

    @property
    def actor(self) -> str | None:
        if self is Reason.NOTHING:
            return None
        return "human" if self <= Reason.LEFT else "bot"


_WORDS = {
    Reason.TYPED: "log-normal; typed echoes",
    Reason.TRAINS: "log-normal; keystroke trains",
    Reason.THINKING: "log-normal",
    Reason.LEFT: "a question left after a while",
    Reason.REGULAR_PAUSES: "regular",
    Reason.DRAWN_PAUSES: "drawn at random",
    Reason.QUICK_PAUSES: "shorter than hands need",
    Reason.FAST_LINES: "lines faster than hands",
    Reason.REGULAR_KEYS: "keys at regular times",
    Reason.DRAWN_KEYS: "keys at times drawn at random",
    Reason.FAST_KEYS: "keys faster than hands",
}
FEW = 3
"""Fewer have no distribution to speak of."""
MOST_PAUSES = 255
"""More are not counted in a Result."""


def words(reason: int, pauses: int, median_cs: int) -> str:
    """`12 think pauses, median 1.3 s, log-normal; typed echoes`; empty for NOTHING.

    median_cs : the pauses' median, hundredths of a second
    """
    why = Reason(reason)
    if why is Reason.NOTHING:
        return ""
    if why is Reason.NO_PAUSE:
        return "no pause"
    more = "+" if pauses >= MOST_PAUSES else ""
    seconds = median_cs / 100
    median = f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
    found = _WORDS[why]
    if why is Reason.THINKING and pauses < FEW:
        found = "as long as hands need"
    kind = "think pause" if why.actor == "human" else "pause"
    if pauses == 1:
        return f"1 {kind}, {median} s, {found}"
    return f"{pauses}{more} {kind}s, median {median} s, {found}"
