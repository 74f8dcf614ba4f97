"""How well the rhythm of the client tells human and bot apart, on sessions of tests/timing/sessions.py.

    python -m tools.actor_accuracy [--seeds N]

Prints what was said of each kind of session, and precision, recall and F1 of both actors.  Sessions of
which nothing is said count against recall.  The lab's sessions, where signatures speak too, are in
docs/ACCURACY.md (tools/accuracy.py).
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from fl0p_py.timing.reason import Reason
from fl0p_py.timing.rhythm import Rhythms
from tests.timing import sessions
from tests.timing.sessions import Session
from tests.timing.twin_rhythm import PAUSE_NS, SMALL

Play = Callable[[Session, int], None]

PEOPLE: dict[str, Play] = {
    "shell": sessions.person_in_shell,
    "shell, keystrokes hidden": sessions.person_in_shell_hidden,
    "mail by hand": sessions.person_at_lines,
    "three passwords": sessions.person_at_passwords,
}
PROGRAMS: dict[str, Play] = {
    f"{name}, delay {delay}": partial(play, delay=delay)
    for name, play in (
        ("commands", sessions.program_with_commands),
        ("mail", sessions.program_with_lines),
        ("keys", sessions.program_with_keys),
        ("commands, keystrokes hidden", sessions.program_with_commands_hidden),
    )
    for delay in sessions.DELAYS
    if not (name != "keys" and delay == "none")
}
NETWORKS = ({}, {"rtt_s": 0.05, "jitter_s": 0.01}, {"rtt_s": 0.15, "jitter_s": 0.03, "loss": 0.02})
LENGTHS = (5, 12, 30)


def said(play: Play, seed: int) -> Reason:
    session = Session(seed, **NETWORKS[seed % len(NETWORKS)])
    play(session, LENGTHS[seed // len(NETWORKS) % len(LENGTHS)])
    rhythms = Rhythms(1)
    events = session.events()
    for at, (size, gap_ns, _) in enumerate(events):
        if 0 < size <= SMALL and gap_ns >= PAUSE_NS:
            rhythms.begin(0)
            rhythms.feed(0, events[at:])
            break
    return Reason(rhythms.judgement(0)[0])


def simulated(seeds: int) -> Iterator[tuple[str, str, str | None, str]]:
    """(kind, actor, actor said, why)"""
    for actor, plays in (("human", PEOPLE), ("bot", PROGRAMS)):
        for kind, play in plays.items():
            for seed in range(seeds):
                reason = said(play, seed)
                yield kind, actor, reason.actor, reason.name.lower()


def report(sessions_: Iterator[tuple[str, str, str | None, str]]) -> str:
    kinds: dict[tuple[str, str], Counter[str]] = {}
    table: Counter[tuple[str, str | None]] = Counter()
    for kind, actor, found, why in sessions_:
        kinds.setdefault((actor, kind), Counter())[f"{found or 'nothing'} ({why})"] += 1
        table[actor, found] += 1
    lines = [
        f"{actor:6} {kind:32} " + ", ".join(f"{what} {n}" for what, n in found.most_common())
        for (actor, kind), found in kinds.items()
    ]
    for actor in ("human", "bot"):
        right = table[actor, actor]
        all_said = sum(n for (_, found), n in table.items() if found == actor)
        all_are = sum(n for (real, _), n in table.items() if real == actor)
        precision, recall = right / max(1, all_said), right / max(1, all_are)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        rates = f"precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}"
        lines.append(f"{actor}: {rates} ({all_are} sessions)")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Human or bot: how often is it right?")
    parser.add_argument("--seeds", type=int, default=90)
    print(report(simulated(parser.parse_args().seeds)))


if __name__ == "__main__":
    main()
