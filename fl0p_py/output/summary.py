"""Summary: the banner before a run and the counts after it, for people, on standard error.

Lines that would say 0 are left out, except for packets and flows.
"""

from __future__ import annotations

import time

from fl0p_py.output.escape import escape
from fl0p_py.output.stats import (
    CAPTURE_WORDS,
    DROPPED_WORDS,
    FRAGMENT_WORDS,
    GIVEN_UP_WORDS,
    SKIPPED_WORDS,
    Stats,
)
from fl0p_py.wording import counted, noun

GREEN, YELLOW, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[0m"


def banner(version: str, signatures: int, source: str, expression: str = "", doing: str = "reading") -> str:
    """One line: what runs, with how many signatures, on what."""
    where = "standard input" if source == "-" else escape(source)
    chosen = f", filter '{escape(expression)}'" if expression else ""
    return f"fl0p {version}: {counted(signatures, 'signature')}, {doing} {where}{chosen}\n"


def summary(stats: Stats, colour: bool = False) -> str:
    """The counts, aligned, each with its noun in the right number."""
    dropped = [(key, count) for key, count in stats.capture.items() if key != "kernel_packets"]
    lines: list[tuple[int, str, str]] = [
        (stats.packets, noun(stats.packets, "packet"), ""),
        (stats.flows, noun(stats.flows, "flow"), ""),
        (stats.identified, "  identified", GREEN),
        (stats.unknown, "  unknown", YELLOW),
        (stats.empty, "  without payload", ""),
        (stats.evicted, "  evicted, since the table was full (--flows)", YELLOW),
        (sum(stats.skipped.values()), f"{noun(sum(stats.skipped.values()), 'packet')} skipped", ""),
        *((count, f"  {SKIPPED_WORDS[key]}", "") for key, count in stats.skipped.items()),
        (stats.fragments.get("seen", 0), noun(stats.fragments.get("seen", 0), "fragment"), ""),
        *((n, f"  {FRAGMENT_WORDS[key]}", "") for key, n in stats.fragments.items() if key != "seen"),
        *((n, DROPPED_WORDS[key], YELLOW) for key, n in stats.dropped.items()),
        (sum(stats.rules_alerts.values()), noun(sum(stats.rules_alerts.values()), "alert"), YELLOW),
        *((n, GIVEN_UP_WORDS[key], "") for key, n in stats.rules_given_up.items()),
        *((n, f"{noun(n, 'packet')} {CAPTURE_WORDS[key]}", YELLOW) for key, n in dropped),
        (stats.lost, f"{noun(stats.lost, 'line')} lost: the log could not be written", YELLOW),
    ]
    shown = [line for i, line in enumerate(lines) if line[0] or i < 2]
    width = max(len(f"{count:,}") for count, _, _ in shown)
    return "".join(
        f"{shade if colour else ''}{count:>{width},} {words}{PLAIN if colour and shade else ''}\n"
        for count, words, shade in shown
    )


def stats_line(stats: Stats) -> str:
    """The counts on one line, for a log: `stats: packets=12 flows=3 ...`, parts of a whole with a dot."""
    groups = {
        "skipped": stats.skipped,
        "fragments": stats.fragments,
        "dropped": stats.dropped,
        "capture": stats.capture,
        "matched": stats.rules_matched,
        "alerts": stats.rules_alerts,
        "rules": stats.rules_given_up,
    }
    counts = {
        "packets": stats.packets,
        "flows": stats.flows,
        "identified": stats.identified,
        "unknown": stats.unknown,
        "empty": stats.empty,
        "identifications": stats.identifications,
        "evicted": stats.evicted,
        "lost": stats.lost,
        **{f"{group}.{key}": count for group, part in groups.items() for key, count in part.items()},
    }
    return "stats: " + " ".join(f"{key}={count}" for key, count in counts.items())


def stats_entry(stats: Stats, timestamps: bool, end: str = "\n") -> bytes:
    """The counts as an entry among others.  end : what ends one, a line feed or (blocks) two"""
    second, rest_ns = divmod(stats.end_ns, 1_000_000_000)
    stamp = time.strftime("[%Y-%m-%dT%H:%M:%S", time.gmtime(second)) + f".{rest_ns // 1000:06d}Z] "
    return f"{stamp if timestamps else ''}{stats_line(stats)}{end}".encode()
