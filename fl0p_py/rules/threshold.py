"""`threshold` and `detection_filter`: which of a rule's alerts are said.

    threshold: type limit | threshold | both, track by_src | by_dst | by_rule | by_both, count N, seconds S
    detection_filter: track by_src | ..., count N, seconds S

In a window of S seconds that begins with a match: `limit` says the first N, `threshold` every Nth, `both`
the Nth alone, and `detection_filter` all after the Nth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fl0p_py.rules.value import Value, spell

TYPES = ("limit", "threshold", "both")
TRACKS = ("by_src", "by_dst", "by_rule", "by_both")
FILTER = "detection_filter"
MOST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Threshold:
    """type : one of TYPES, or FILTER"""

    type: str
    track: str
    count: int
    seconds: int
    at: int = field(default=0, compare=False)

    @property
    def keyword(self) -> str:
        return FILTER if self.type == FILTER else "threshold"

    def __str__(self) -> str:
        kind = "" if self.type == FILTER else f"type {self.type}, "
        return f"{self.keyword}:{kind}track {self.track}, count {self.count}, seconds {self.seconds}"


def parse_threshold(value: Value, at: int, *, filter: bool) -> Threshold:
    found: dict[str, Value] = {}
    for part in value.split(","):
        word = part.text.split(None, 1)[0] if part.text else ""
        if word not in ("type", "track", "count", "seconds") or (filter and word == "type"):
            part.fail(f"{spell(part.text)} is none of {'' if filter else 'type, '}track, count, seconds")
        if word in found:
            part.fail(f"{word} stands twice")
        found[word] = part.rest(len(word))
    for word in ("type", "track", "count", "seconds"):
        if word not in found and not (filter and word == "type"):
            value.fail(f"{word} is missing")
    kind = FILTER if filter else found["type"].choice(TYPES)
    track = found["track"].choice(TRACKS)
    count = found["count"].number(1, MOST, "a count")
    return Threshold(kind, track, count, found["seconds"].number(1, MOST, "seconds"), at)
