"""The page docs/ACCURACY.md, made of what tools/accuracy.py measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from fl0p_py.learn.evaluation import FacetScore
from fl0p_py.learn.score import NOTHING, Share

if TYPE_CHECKING:
    from tools.accuracy import Measured, Public

TITLES = {"heldout": "held out", "learn": "to learn from"}
FEWEST = 5
"""Flows of a group that gets a line of its own among what does not work."""
BAD = 0.9
"""A group is listed there if fewer have the right outcome."""

HEAD = """\
# How often fl0p is right

Made by `make accuracy LAB=DIR CAPTURES=DIR` (`python -m tools.accuracy`); nothing here is written by hand.
The shipped set judges the flows of [the lab](lab.md) as `fl0p -v` would. **Held out** are other versions,
other programs and longer delays than those that signatures are made from; the flows **to learn from** stand
beside them to show how much was fitted. Behind a number stands its interval of 95 %: Wilson's for shares, a
bootstrap over the lab's runs for F1. In tables of confusion a row is what is true, a column what was said,
`-` nothing.
"""

LIMITS = """\
Beside what the tables show:

- Sessions whose beginning is not in the capture get no outcome.
- Delays that exceed 400 ms inside what a program sends in one go break bursts (`-T` helps).
- The lab's people are made up (see [lab.md](lab.md)); no person was recorded.
- What signatures leave out on purpose is in [signature-set.md](signature-set.md#what-is-known-not-to-work).
"""

GOALS = (
    ("SSH outcome banner-only, F1", "outcome", "banner-only", 0.97),
    ("SSH outcome auth-failed, F1", "outcome", "auth-failed", 0.97),
    ("SSH outcome auth-success, F1", "outcome", "auth-success", 0.97),
    ("SSH human, F1", "actor", "human", 0.95),
    ("SSH bot, F1", "actor", "bot", 0.95),
)
LINKS = ("loss", "reordering", "offloading", "round trip over 60 ms", "compression")
MOST_FALSE = 10
"""False identifications per 10,000 ordinary flows."""


def page(measured: Mapping[str, Measured], public: Public | None) -> str:
    """measured : by part, what is held out first"""
    parts = [
        HEAD,
        "## In short\n",
        *_summary(measured),
        "## SSH: outcome\n",
        *_facet(measured, "outcome", "ssh"),
        "## SSH: rejected credentials counted\n",
        *_attempts(measured),
        "## Human or bot\n",
        *(line for class_ in ("ssh", "smtp") for line in _actor(measured, class_)),
        "## Tunnels\n",
        *_tunnels(measured),
        "## False identifications\n",
        *_false(measured, public),
        "## What is known not to work\n",
        *_groups(measured),
        LIMITS,
    ]
    return "\n".join(parts)


def _summary(measured: Mapping[str, Measured]) -> Iterator[str]:
    yield "| | goal | " + " | ".join(TITLES[part] for part in measured) + " |"
    yield "|---|--:|" + "--:|" * len(measured)
    parts = list(measured.values())
    yield "| runs of the lab, by seed | | " + " | ".join(_seeds(part) for part in parts) + " |"
    yield "| flows with a label | | " + " | ".join(f"{len(part.cases):,}" for part in parts) + " |"
    for title, facet, value, goal in GOALS:
        yield _row(title, goal, [_f1(part.score(facet, "ssh"), value) for part in parts])
    for value in ("human", "bot"):
        yield _row(f"SMTP {value}, F1", 0.95, [_f1(part.score("actor", "smtp"), value) for part in parts])
    yield _row(
        "SSH shells by hand, keystrokes obscured, called bots",
        0,
        ["{} of {}".format(*part.obscured()) for part in parts],
    )
    yield _row("SSH, number of rejected credentials right", 0.95, [str(_counted(part)) for part in parts])
    yield _row("tunnels found", 0.9, [str(_found(part)) for part in parts])
    yield _row(
        "false identifications per 10,000 ordinary flows, at most",
        MOST_FALSE,
        [_rate(part.false()[0]) for part in parts],
    )
    yield ""


def _seeds(part: Measured) -> str:
    return ", ".join(map(str, sorted({case.lab["seed"] for case in part.cases})))


def _row(title: str, goal: float, cells: Sequence[str]) -> str:
    return f"| {title} | {goal} | " + " | ".join(cells) + " |"


def _f1(score: FacetScore, name: str) -> str:
    for value in score.values:
        if value.name == name and value.counts.f1 is not None:
            if value.interval is None:
                return f"{value.counts.f1:.3f}"
            return f"{value.counts.f1:.3f} ({value.interval[0]:.3f}-{value.interval[1]:.3f})"
    return "-"


def _counted(part: Measured) -> Share:
    """Of the flows in which credentials were rejected, those whose number is right."""
    score = part.score("attempts", "ssh")
    table = score.confusion.table[:-1]
    return Share(int(table.trace()), int(table.sum()))


def _found(part: Measured) -> Share:
    """Tunnels that were called just that."""
    table = part.score("tunnel", known=False).confusion.table[:-1]
    return Share(int(table.trace()), int(table.sum()))


def _rate(share: Share) -> str:
    if share.value is None or share.interval is None:
        return "-"
    low, high = (round(10_000 * bound) for bound in share.interval)
    return f"{10_000 * share.value:.0f} ({low}-{high})"


def _facet(measured: Mapping[str, Measured], facet: str, class_: str | None) -> Iterator[str]:
    for part, found in measured.items():
        score = found.score(facet, class_, known=facet != "tunnel")
        yield f"{TITLES[part].capitalize()}: {score.flows:,} flows, right {score.right}.\n"
        yield from _values(score)
        yield from _confusion(score)


def _values(score: FacetScore) -> Iterator[str]:
    yield f"| {score.facet} | true | said | precision | recall | F1 |"
    yield "|---|--:|--:|--:|--:|--:|"
    for value in score.values:
        counts = value.counts
        yield (
            f"| {value.name} | {counts.recall.whole:,} | {counts.precision.whole:,} | {counts.precision} "
            f"| {counts.recall} | {_f1(score, value.name)} |"
        )
    yield ""


def _confusion(score: FacetScore) -> Iterator[str]:
    names = score.confusion.names
    yield "| true, said | " + " | ".join(names) + " |"
    yield "|---|" + "--:|" * len(names)
    for name, row in zip(names, score.confusion.table.tolist(), strict=True):
        if any(row):
            yield f"| {name} | " + " | ".join(f"{count:,}" if count else "" for count in row) + " |"
    yield ""


def _attempts(measured: Mapping[str, Measured]) -> Iterator[str]:
    for part, found in measured.items():
        score = found.score("attempts", "ssh")
        yield (
            f"{TITLES[part].capitalize()}: right of all flows {score.right}; of those with rejected "
            f"credentials {_counted(found)}.\n"
        )
        yield from _confusion(score)


def _actor(measured: Mapping[str, Measured], class_: str) -> Iterator[str]:
    yield f"### {class_.upper()}\n"
    yield from _facet(measured, "actor", class_)


def _tunnels(measured: Mapping[str, Measured]) -> Iterator[str]:
    for part, found in measured.items():
        score = found.score("tunnel", known=False)
        nothing = score.confusion.names.index(NOTHING)
        ordinary = score.confusion.table[nothing]
        false = Share(int(ordinary.sum() - ordinary[nothing]), int(ordinary.sum()))
        yield (
            f"{TITLES[part].capitalize()}: called by their name {_found(found)}; ordinary flows called "
            f"tunnels, per 10,000: {_rate(false)}.\n"
        )
        yield from _values(score)
        yield from _confusion(score)


def _false(measured: Mapping[str, Measured], public: Public | None) -> Iterator[str]:
    yield "Ordinary flows of the lab, no tunnels, whose class is said to be another one:\n"
    yield "| | flows | wrong | per 10,000 | true, said |"
    yield "|---|--:|--:|--:|---|"
    for part, found in measured.items():
        share, wrong = found.false()
        pairs = ", ".join(f"{true} {said} {count}" for (true, said), count in sorted(wrong.items()))
        yield f"| {TITLES[part]} | {share.whole:,} | {share.part:,} | {_rate(share)} | {pairs} |"
    yield ""
    if public is not None:
        rate = _rate(Share(public.unexplained, public.flows))
        yield (
            f"Public captures ({public.captures} of those of [signature-set.md](signature-set.md)): "
            f"{public.flows:,} flows, {public.named:,} named by a signature; matches that contradict "
            f"ndpiReader without an explanation: {public.unexplained}, per 10,000 flows {rate}. "
            f"Said to be a tunnel: {public.tunnels}.\n"
        )


def _groups(measured: Mapping[str, Measured]) -> Iterator[str]:
    yield f"SSH servers and clients of which fewer than {BAD:.0%} of the flows get the right outcome:\n"
    yield "| | server | client | flows | outcome right | attempts right |"
    yield "|---|---|---|--:|--:|--:|"
    for part, found in measured.items():
        for (server, client), (outcome, attempts) in found.groups("server", "client").items():
            if outcome.whole >= FEWEST and outcome.part < BAD * outcome.whole:
                yield (f"| {TITLES[part]} | {server} | {client} | {outcome.whole} | {outcome} | {attempts} |")
    yield "\nSSH on hard links, and with compression:\n"
    yield "| | | flows | outcome right | attempts right |"
    yield "|---|---|--:|--:|--:|"
    for part, found in measured.items():
        for name in LINKS:
            for (yes,), (outcome, attempts) in found.groups(name).items():
                without = "" if yes == "True" else "no "
                yield f"| {TITLES[part]} | {without}{name} | {outcome.whole} | {outcome} | {attempts} |"
    yield ""
