"""Does fl0p-learn find again what is known?  Learns from flows invented from shipped signatures.

    python -m tools.bench.learn_recovery CAPTURES [--flows 400] [--seed 1] [--only ID ...]

For each signature of KNOWN flows are invented (invent.py) in ten captures, three of which are set aside; the
background are the flows of CAPTURES (a folder) that no signature of KNOWN's classes names.  Learning sees
labels and sequences, never the signatures.  Printed is, for each, the recall on the captures set aside, that
of the known signature itself (which what retransmissions cut escapes), and how many of all other flows there
(invented ones and background) are named falsely.  Status 1 if a recall is below 0.98 of what the known
signature itself reaches, or anything is named falsely.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.intake import read_corpus
from fl0p_py.learn.score import Share
from fl0p_py.learn.study import Study, study
from fl0p_py.learn.trial import each, matches
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from tools.bench.invent import invented_corpus

KNOWN = (
    "bgp",
    "dns",
    "ftp.auth.failed",
    "ftp.auth.success",
    "icmp.ping.unix",
    "ldap",
    "mqtt",
    "mysql.login",
    "ntp",
    "openvpn.udp",
    "pop3.by-program",
    "rdp",
    "rpc.null.tcp",
    "smtp.by-hand",
    "smtp.by-program",
    "socks5",
    "ssh.sftp",
    "tls.13.resumed",
    "vnc",
    "wireguard",
    "xmpp",
)
"""Short and long, anchored and not, with bursts, repeats, alternatives, either side first, one byte's
difference, and one that says little more than that a dialogue has no pauses (smtp.by-program)."""

CAPTURES = 10
SHARE = 0.3
RECALL = 0.98
"""Of the known signature's own."""
SUFFIXES = (".pcap", ".pcapng", ".cap", ".gz")


def label_of(signature: Signature) -> str:
    return signature.id.replace(".", "-")


def background(folder: Path, every: SignatureSet, known: list[Signature]) -> tuple[Corpus, list[str]]:
    """Flows of the folder's captures that none of the known classes has, and the services among them."""
    paths = sorted(str(path) for path in folder.rglob("*") if path.suffix in SUFFIXES)
    corpus, _ = read_corpus(paths)
    own = {signature.facets.class_ for signature in known}
    found = matches(every, corpus)
    classes = [signature.facets.class_ for signature in every.signatures]
    theirs = np.zeros(len(corpus), np.bool_)
    services = set()
    for flow, signature in zip(found.flow.tolist(), found.signature.tolist(), strict=True):
        if classes[signature] in own:
            theirs[flow] = True
        else:
            services.add(str(classes[signature]))
    return corpus.select(~theirs), sorted(services)


def unambiguous(corpus: Corpus, known: list[Signature]) -> Corpus:
    """Without flows that a known signature names though they were invented from another one."""
    named = each(known, corpus, fuzzy=False) > 0
    named[corpus.label, np.arange(len(corpus))] = False
    return corpus.select(~named.any(axis=0))


def run(
    known: list[Signature], other: Corpus | None, flows: int, seed: int
) -> tuple[Study, dict[str, list[Signature]]]:
    """What was learned, and the learned signatures by the known one's id."""
    labels = [label_of(signature) for signature in known]
    corpus = unambiguous(invented_corpus(known, labels, flows, CAPTURES, seed), known)
    done = study(corpus, other, share=SHARE, seed=seed)
    by_id = {one.lesson.target.id: list(one.signatures) for one in done.taught}
    return done, {signature.id: by_id[label] for signature, label in zip(known, labels, strict=True)}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("captures", type=Path)
    parser.add_argument("--flows", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=KNOWN, metavar="ID")
    given = parser.parse_args()
    every = load()
    known = sorted((one for one in every.signatures if one.id in given.only), key=label_of)
    other, services = background(given.captures, every, known)
    print(f"{len(known)} signatures, {given.flows} flows of each; background: {len(other):,} flows, ", end="")
    print(f"with {len(services)} other services: {', '.join(services)}\n")
    began = time.monotonic()
    done, learned = run(known, other, given.flows, given.seed)
    seconds = time.monotonic() - began
    print("| known | recall set aside | known itself | false | patterns |\n|---|---|---|---|---|")
    itself = each(known, done.aside, fuzzy=False) > 0
    passed = True
    for place, signature in enumerate(known):
        (one,) = (one for one in done.taught if one.lesson.target.id == label_of(signature))
        assert one.recall is not None and one.false is not None
        own = done.aside.label == done.aside.labels.index(label_of(signature))
        best = Share(int((itself[place] & own).sum()), int(own.sum()))
        good = (one.recall.value or 0) >= RECALL * (best.value or 1) and one.false.part == 0
        passed &= good
        note = "" if good else " **!**"
        false = f"{one.false.part} of {one.false.whole:,}"
        print(f"| {signature.id} | {one.recall}{note} | {best.value:.3f} | {false} | {len(one.signatures)} |")
    print("\nKnown, and below it what was learned:\n")
    for signature in known:
        print(f"    {pattern_text(signature.pattern)[:150]}")
        for found in learned[signature.id]:
            print(f"        {pattern_text(found.pattern)[:150]}")
    print(f"\n{seconds:.0f} s to learn; {'passed' if passed else 'FAILED'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
