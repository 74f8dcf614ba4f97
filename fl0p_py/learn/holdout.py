"""Holdout: captures kept aside, on which what was learned is judged.

Whole sources, never some flows of one: flows of one capture share hosts, software and network, and would
praise a signature that had merely learned those by heart.  For each label a share of the sources that
have it, drawn by a seed and by the sources' names, not by the order in which they were given.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.corpus import NO_LABEL, Corpus


class Holdout(NamedTuple):
    """kept : bool[n], flows to judge by; sources : their names; alone : labels that should have given one
    but have one source only"""

    kept: NDArray[np.bool_]
    sources: tuple[str, ...]
    alone: tuple[str, ...]


def split(corpus: Corpus, share: float, seed: int) -> Holdout:
    """Set aside about `share` of the sources of each label; labels with one source keep it for learning."""
    pairs: Any = np.unique(np.stack([corpus.label, corpus.source], axis=1), axis=0)
    having: dict[str, list[str]] = {}
    for label, source in pairs[pairs[:, 0] != NO_LABEL].tolist():
        having.setdefault(corpus.labels[label], []).append(corpus.sources[source])
    random = Random(seed)
    aside: set[str] = set()
    learned: set[str] = set()
    alone = []
    for label in sorted(having, key=lambda label: (len(having[label]), label)):
        sources = sorted(having[label])
        if len(sources) == 1:
            if share > 0:
                alone.append(label)
            learned |= set(sources) - aside
            continue
        wanted = min(len(sources) - 1, max(1, round(share * len(sources)))) if share > 0 else 0
        already = [source for source in sources if source in aside]
        free = [source for source in sources if source not in aside and source not in learned]
        random.shuffle(free)
        chosen = free[: max(0, wanted - len(already))]
        if len(already) + len(chosen) == len(sources):
            chosen = chosen[:-1]
        aside |= set(chosen)
        learned |= set(sources) - aside
    numbers = [number for number, name in enumerate(corpus.sources) if name in aside]
    return Holdout(np.isin(corpus.source, numbers), tuple(sorted(aside)), tuple(sorted(alone)))
