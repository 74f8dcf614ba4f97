"""Corpora for tests, written as lines of a signature file without their descriptions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fl0p_py.learn.corpus import NO_TIME, Corpus, corpus_of
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import PROTOCOLS, Signature, SignatureSet
from fl0p_py.signature.trial import PAUSE_MS, flow_of


def corpus(
    texts: Sequence[str],
    *,
    labels: Sequence[str | None] = (),
    sources: Sequence[str] = (),
    gaps_ms: Sequence[Sequence[float]] = (),
) -> Corpus:
    """Flows such as "tcp 22 < c41 s41 + c148 >", from 10.0.0.N to 192.0.2.1.

    labels, sources : of each flow; without them, none and "test"
    gaps_ms         : of each flow; without them, not known
    """
    flows = [flow_of(parse_pattern(text)) for text in texts]
    names = list(sources) or ["test"] * len(flows)
    files = sorted(set(names))
    offsets = np.cumsum([0, *(len(flow.sizes) for flow in flows)])
    known = [gap for gaps in gaps_ms for gap in gaps] or np.full(offsets[-1], np.nan)
    columns = {
        "tokens": [size for flow in flows for size in flow.sizes],
        "paused": [gap >= PAUSE_MS for flow in flows for gap in flow.gaps_ms],
        "gaps_ms": known,
        "offsets": offsets,
        "proto": [PROTOCOLS.index(flow.proto) for flow in flows],
        "start_seen": [flow.start for flow in flows],
        "end_seen": [flow.end for flow in flows],
        "trailing_pause": [flow.silence_ms > 0 for flow in flows],
        "client": np.arange(len(flows)),
        "server": np.full(len(flows), len(flows)),
        "client_port": np.full(len(flows), 40000),
        "server_port": [flow.port for flow in flows],
        "start_ns": np.full(len(flows), NO_TIME),
        "end_ns": np.full(len(flows), NO_TIME),
        "source": [files.index(name) for name in names],
        "line": np.arange(1, len(flows) + 1),
    }
    if labels:
        classes = sorted({label for label in labels if label})
        columns["label"] = [classes.index(label) if label else -1 for label in labels]
    hosts = [f"10.0.0.{number + 1}" for number in range(len(flows))] + ["192.0.2.1"]
    return corpus_of(columns, hosts, files, classes if labels else ())


def signatures(*patterns: str) -> SignatureSet:
    """A set of these patterns, with ids 0, 1, …"""
    return SignatureSet(
        tuple(
            Signature(str(number), str(number), parse_pattern(text)) for number, text in enumerate(patterns)
        )
    )
