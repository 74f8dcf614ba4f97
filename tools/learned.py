"""Learns signatures from a part of the lab and judges them beside the shipped ones on the part held out.

    python -m tools.learned LAB --background FILES               print the table
    python -m tools.learned LAB --background FILES -o OUT.toml   and keep what was learned

LAB is a folder that `tools.lab run` wrote: learn.pcap and learn.jsonl, heldout.pcap and heldout.jsonl.  Of
the background, flows to the ports of the labelled flows are left out: among them are more of their classes.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.evaluation import Evaluation, evaluate
from fl0p_py.learn.intake import read_corpus
from fl0p_py.learn.labels import apply_labels, read_labels
from fl0p_py.learn.proposal import toml_text
from fl0p_py.learn.score import Counts
from fl0p_py.learn.study import study
from fl0p_py.learn.target import ATTEMPTS
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import SignatureSet

LABEL_WINDOW_S = 2.0
SUFFIXES = (".pcap", ".pcapng", ".cap", ".gz")


def labelled(lab: Path, part: str) -> Corpus:
    """The flows of one part, with what their label file says of them."""
    corpus, _ = read_corpus([str(lab / f"{part}.pcap")])
    records, _ = read_labels(str(lab / f"{part}.jsonl"))
    corpus, _ = apply_labels(corpus, {}, records, window_s=LABEL_WINDOW_S)
    return corpus


def elsewhere(paths: Sequence[Path], lab: Corpus) -> Corpus:
    """The flows of the background that go to none of the lab's ports."""
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    corpus, _ = read_corpus([str(file) for file in files if file.suffix in SUFFIXES])
    ports = np.unique(lab.server_port[lab.label >= 0])
    icmp = corpus.server_port == 0
    return corpus.select(icmp | ~np.isin(corpus.server_port, ports))


def table(shipped: Evaluation, learned: Evaluation) -> list[str]:
    """A row for each value that is true of some flow."""
    lines = ["| facet | value | shipped | learned |", "|---|---|---|---|"]
    before = {(facet.facet, value.name): value.counts for facet in shipped.facets for value in facet.values}
    for facet in learned.facets:
        for value in facet.values:
            if facet.facet != ATTEMPTS and value.counts.recall.whole:
                was = before.get((facet.facet, value.name), Counts(0, 0, value.counts.recall.whole))
                lines.append(f"| {facet.facet} | {value.name} | {_cell(was)} | {_cell(value.counts)} |")
    return lines


def _cell(counts: Counts) -> str:
    return f"{counts.f1 or 0:.3f} ({counts.right}/{counts.false}/{counts.missed})"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lab", type=Path)
    parser.add_argument("--background", type=Path, nargs="+", default=[], metavar="FILE")
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    known = labelled(given.lab, "learn")
    background = elsewhere(given.background, known)
    began, spent = time.monotonic(), _cpu()
    done = study(known, background)
    wall, cpu = time.monotonic() - began, _cpu() - spent
    if given.output:
        given.output.write_text(toml_text(done.signatures))
    judged = labelled(given.lab, "heldout")
    print("\n".join(table(evaluate(judged, load()), evaluate(judged, SignatureSet(done.signatures)))))
    flows = f"{int((known.label >= 0).sum()):,} flows and {len(background):,} of background"
    print(f"\nLearned from {flows}: {len(done.signatures)} signatures, {wall:.0f} s, {cpu:.0f} s of CPU.")
    return 0


def _cpu() -> float:
    """Of this process and of those that worked for it."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    sys.exit(main())
