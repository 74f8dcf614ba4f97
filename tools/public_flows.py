"""Flows of the public captures with ndpiReader's opinion of each, for learning and for judging.

An opinion from contents that is one of the wanted classes makes a label, a guess by port or address does not.
Captures of one name, which two projects have, are one when captures are divided.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fl0p_py.learn.corpus import NO_LABEL, Corpus
from fl0p_py.learn.holdout import split
from fl0p_py.learn.intake import read_corpus
from fl0p_py.signature.pattern import PROTOCOLS
from tools.judge import SILENT, Key, agrees, explained, origins, read_opinions

SHARE, SEED = 0.5, 0
"""Of the captures of each class that are held out."""

Said = Sequence[dict[str, str | None]]
"""Verdicts by facet, of each flow."""


class Named(NamedTuple):
    """Flows that a set names, by ndpiReader's opinion rightly or wrongly, and those it says are tunnels."""

    right: frozenset[int]
    wrong: frozenset[int]
    tunnels: frozenset[int]


@dataclass(frozen=True, slots=True)
class PublicFlows:
    """opinions : of each flow of the corpus, SILENT where there is none"""

    corpus: Corpus
    opinions: tuple[str, ...]

    def named(self, said: Said) -> Named:
        right, wrong, tunnels = set(), set(), set()
        for flow, (verdict, opinion) in enumerate(zip(said, self.opinions, strict=True)):
            class_ = verdict["class"]
            if verdict["tunnel"] is not None:
                tunnels.add(flow)
            if class_ is None or opinion == SILENT:
                continue
            if agrees(class_, opinion):
                right.add(flow)
            elif explained(class_, self._capture(flow), opinion) is None:
                wrong.add(flow)
        return Named(frozenset(right), frozenset(wrong), frozenset(tunnels))

    def labelled(self, classes: Collection[str]) -> tuple[Corpus, Corpus]:
        """Flows whose contents say one of the classes: (to learn from, held out)."""
        names = sorted(classes)
        found = [self._class(flow, names) for flow in range(len(self.corpus))]
        labels = np.array([names.index(one) if one else NO_LABEL for one in found], np.int32)
        known = _by_name(self.corpus.labelled(labels, names).select(labels != NO_LABEL))
        held_out = split(known, SHARE, SEED).kept
        return known.select(~held_out), known.select(held_out)

    def others(self, classes: Collection[str], ports: Collection[int]) -> Corpus:
        """Flows that are none of the classes: neither by opinion, nor without one on a port of theirs."""
        kept = []
        for flow, opinion in enumerate(self.opinions):
            unsure = opinion == SILENT or opinion.endswith("~")
            theirs = any(agrees(class_, opinion) for class_ in classes)
            port = int(self.corpus.server_port[flow])
            kept.append(not theirs and not (unsure and port and port in ports))
        return self.corpus.select(np.array(kept, np.bool_))

    def _class(self, flow: int, classes: Sequence[str]) -> str | None:
        opinion = self.opinions[flow]
        if opinion == SILENT or opinion.endswith("~"):
            return None
        found = [class_ for class_ in classes if agrees(class_, opinion)]
        return found[0] if len(found) == 1 else None

    def _capture(self, flow: int) -> str:
        return self.corpus.sources[self.corpus.source[flow]]


def read_public(folder: Path) -> PublicFlows:
    """All flows of the captures that the folder's MANIFEST.tsv names."""
    known = read_opinions()
    parts = []
    for name in origins(folder):
        corpus, _ = read_corpus([str(folder / name)])
        if not len(corpus):
            continue
        opinions = [known.get(_key(corpus, flow, name), SILENT) for flow in range(len(corpus))]
        names = sorted(set(opinions))
        labels = np.array([names.index(opinion) for opinion in opinions], np.int32)
        parts.append(replace(corpus, sources=(name,)).labelled(labels, names))
    every = Corpus.concat(parts)
    return PublicFlows(every, tuple(every.labels[label] for label in every.label))


def _key(corpus: Corpus, flow: int, capture: str) -> Key:
    ends = {
        (corpus.hosts[corpus.client[flow]], int(corpus.client_port[flow])),
        (corpus.hosts[corpus.server[flow]], int(corpus.server_port[flow])),
    }
    return capture, PROTOCOLS[corpus.proto[flow]], frozenset(ends)


def _by_name(corpus: Corpus) -> Corpus:
    """The same flows with captures by their file names alone."""
    names = [Path(source).name for source in corpus.sources]
    unique = tuple(sorted(set(names)))
    place = np.array([unique.index(name) for name in names], np.int32)
    return replace(corpus, sources=unique, source=place[corpus.source])
