"""Whole captures are set aside, whatever the order, and never all that a label has."""

from __future__ import annotations

import numpy as np
import pytest

from fl0p_py.learn.holdout import split
from tests.learn.build import corpus

TEXTS = [f"tcp 22 < c{number + 1} s5" for number in range(40)]
LABELS = ["a" if number % 2 else "b" for number in range(40)]
SOURCES = [f"{number // 4}.pcap" for number in range(40)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
def test_each_label_keeps_a_capture_and_gives_one(share: float, seed: int) -> None:
    flows = corpus(TEXTS, labels=LABELS, sources=SOURCES)
    done = split(flows, share, seed)
    assert done.alone == ()
    for label in range(2):
        of_label = flows.label == label
        assert (of_label & done.kept).any() and (of_label & ~done.kept).any()
    assert not set(flows.source[done.kept].tolist()) & set(flows.source[~done.kept].tolist())


def test_the_order_of_captures_does_not_matter() -> None:
    flows = corpus(TEXTS, labels=LABELS, sources=SOURCES)
    shuffled = flows.select(np.random.default_rng(1).permutation(len(flows)))
    assert split(flows, 0.3, 7).sources == split(shuffled, 0.3, 7).sources


def test_a_label_with_one_capture_keeps_it() -> None:
    flows = corpus(TEXTS[:8], labels=["a"] * 4 + ["b"] * 4, sources=["x"] * 4 + ["y"] * 2 + ["z"] * 2)
    done = split(flows, 0.5, 1)
    assert done.alone == ("a",) and len(done.sources) == 1 and "x" not in done.sources


def test_nothing_is_set_aside_unless_asked_for() -> None:
    assert not split(corpus(TEXTS, labels=LABELS, sources=SOURCES), 0.0, 1).kept.any()
