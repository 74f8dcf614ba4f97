"""Learns signatures from the lab and from public captures, and says which of them should ship.

    python -m tools.learned LAB --captures CAPTURES                  learn, judge, print the table
    python -m tools.learned LAB --captures CAPTURES -o OUT.toml      and keep what was learned
    python -m tools.learned LAB --captures CAPTURES --judge OUT.toml only judge what was learned before

LAB are folders that `tools.lab run` wrote, or that hold several of them: learned is from all learn.pcap with
their learn.jsonl, judged by all heldout.pcap.  CAPTURES is a folder as tools/judge.py has it: of the captures
of each class, by ndpiReader's opinion, half are learned from, and all are judged by.  --others LAB are
folders with flows of other classes, which nothing may name.  The rule is that of tools/shipping.py.

Numbers of the table are right/false.  `before` is --before or what ships, `learned alone` what the learned
signatures say without any other, `with learned` what the whole set says with those of that line, `ships` what
ships today.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fl0p_py.learn.corpus import NO_LABEL, Corpus
from fl0p_py.learn.intake import read_corpus
from fl0p_py.learn.label_file import read_labels
from fl0p_py.learn.labels import apply_labels
from fl0p_py.learn.learner import Options
from fl0p_py.learn.proposal import toml_text
from fl0p_py.learn.study import study
from fl0p_py.learn.target import meaning
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Signature
from fl0p_py.signature.text import source_paths
from tools.public_flows import PublicFlows, read_public
from tools.shipping import Court, Place, Ruling, Signatures, State, Tally, speaks

LABEL_WINDOW_S = 2.0
PART = {"learn": "learn.pcap", "heldout": "heldout.pcap"}
HEAD = ("value", "flows", "before", "learned alone", "with learned", "public", "ships", "rule")


class Row(NamedTuple):
    """One value of a facet.  ruling : None where nothing was learned"""

    place: Place
    ruling: Ruling | None
    learned: int


def labelled(folders: Iterable[Path], part: str) -> Corpus:
    """The flows of one part of all runs that their label files speak of."""
    parts = []
    for capture in sorted(path for folder in folders for path in folder.rglob(PART[part])):
        corpus, _ = read_corpus([str(capture)])
        records, _ = read_labels(str(capture.with_suffix(".jsonl")))
        corpus, _ = apply_labels(corpus, {}, records, window_s=LABEL_WINDOW_S)
        parts.append(corpus.select(corpus.label != NO_LABEL))
    return Corpus.concat(parts)


def learn(known: Corpus, others: Corpus, public: PublicFlows, min_flows: int) -> Signatures:
    """From the lab's flows and from half of the public ones of their classes."""
    classes = {meaning(label)["class"] for label in known.labels}
    ports = set(np.unique(known.server_port).tolist())
    more, _ = public.labelled(classes)
    background = Corpus.concat([_nameless(public.others(classes, ports)), _nameless(others)])
    began, spent = time.monotonic(), _cpu()
    done = study(Corpus.concat([known, more]), background, Options(min_flows=min_flows))
    print(
        f"Learned from {len(known):,} flows of the lab, {len(more):,} public ones and {len(background):,} of "
        f"background: {len(done.signatures)} signatures, {time.monotonic() - began:.0f} s, "
        f"{_cpu() - spent:.0f} s of CPU.\n"
    )
    return done.signatures


def rows(
    classes: set[str], learned: Signatures, standing: Signatures, court: Court, before: State
) -> list[Row]:
    """A row for each value that is true of some flow or was learned, with what the rule says of it."""
    groups: dict[Place, list[Signature]] = defaultdict(list)
    for one in learned:
        groups[speaks(one.facets)].append(one)
    found = []
    for place in sorted({place for place, tally in before.lab.items() if tally.true} | groups.keys()):
        if place.class_ in classes:
            group = tuple(groups.get(place, ()))
            ruling = court.ruling(place, group, standing, before) if group else None
            found.append(Row(place, ruling, len(group)))
    return found


def table(found: Sequence[Row], before: State, alone: State, ships: State) -> list[str]:
    """In Markdown.  alone : of the learned signatures without any other; ships : of what ships today"""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for place, ruling, learned in found:
        state = ruling.state if ruling else before
        cells = [
            str(place),
            f"{before.at(place).true:,}",
            _cell(before.at(place)),
            _cell(alone.at(place)),
            _cell(state.at(place)) if ruling else "",
            _public(state, before) if ruling else "",
            _cell(ships.at(place)),
            _word(ruling, learned),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cell(tally: Tally) -> str:
    return f"{tally.right:,}/{tally.false:,}"


def _public(state: State, before: State) -> str:
    """Flows that got and that lost their name."""
    gained = len(state.public.right - before.public.right)
    lost = len(before.public.right - state.public.right)
    return f"+{gained} -{lost}" if gained or lost else ""


def _word(ruling: Ruling | None, learned: int) -> str:
    if ruling is None:
        return "nothing learned"
    if ruling.against is not None:
        return f"no: {ruling.against}"
    instead = f", in place of {', '.join(ruling.needless)}" if ruling.needless else ", beside"
    return f"yes: {learned}{instead}"


def _nameless(corpus: Corpus) -> Corpus:
    return corpus.labelled(np.full(len(corpus), NO_LABEL, np.int32), [])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lab", type=Path, nargs="+", metavar="LAB")
    parser.add_argument("--captures", type=Path, required=True, help="public captures, with a MANIFEST.tsv")
    parser.add_argument("--others", type=Path, nargs="+", default=[], metavar="LAB")
    parser.add_argument("--min-flows", type=int, default=5, metavar="N", help="that a signature has to name")
    parser.add_argument("--before", type=Path, help="signatures to judge beside (those that ship)")
    parser.add_argument("--judge", type=Path, metavar="TOML", help="learned before; nothing is learned anew")
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    public = read_public(given.captures)
    if given.judge:
        learned = load([given.judge]).signatures
    else:
        learned = learn(
            labelled(given.lab, "learn"), labelled(given.others, "learn"), public, given.min_flows
        )
    if given.output:
        given.output.write_text(toml_text(learned), encoding="utf-8")
    heldout = labelled(given.lab, "heldout")
    classes = {meaning(label)["class"] for label in heldout.labels}
    court = Court(Corpus.concat([heldout, labelled(given.others, "heldout")]), public)
    shipped = load(source_paths()).signatures
    standing = load([given.before]).signatures if given.before else shipped
    before = court.state(standing)
    found = rows(classes, learned, standing, court, before)
    print("\n".join(table(found, before, court.state(learned), court.state(shipped))))
    return 0


def _cpu() -> float:
    """Of this process and of those that worked for it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main())
