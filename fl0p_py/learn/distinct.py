"""Distinct: flows that are alike looked at once: of one protocol, port, sequence and ends."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.corpus import Corpus

MOST_DISTINCT = 4_000
"""Sequences of one class and protocol that are looked at; of more, evenly chosen ones in canonical order."""

Array = NDArray[Any]


class Distinct(NamedTuple):
    """Distinct flows: `first` of each, as rows of the corpus; times; inverse: of all flows asked for."""

    first: Array
    times: Array
    inverse: Array


def key_of(corpus: Corpus) -> Array:
    """int64[n]: equal for flows alike in protocol, anchors, tokens, pauses and the server's port."""
    return corpus.unique().inverse * 65536 + corpus.server_port


def distinct(key: Array, flows: Array) -> Distinct:
    _, first, inverse, times = np.unique(
        key[flows], return_index=True, return_inverse=True, return_counts=True
    )
    return Distinct(flows[first], times, inverse)


def spread(count: int) -> Array:
    """Indices of all, or of MOST_DISTINCT of them."""
    if count <= MOST_DISTINCT:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MOST_DISTINCT).astype(np.int64))
