"""Trial: signatures run over a corpus by the kernel that does it live; no Python for each token.

Where the corpus does not know a gap, a `+` counts as a pause longer than any threshold, and nothing as no
pause.  The bound of the corpus's own `+` (`-T` of the run that wrote it) is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.stage import Told, nobody
from fl0p_py.signature.matcher import EVENT_DTYPE, RESULT_DTYPE, ROW_DTYPE, Matcher
from fl0p_py.signature.pattern import NO_FACETS, PROTOCOLS, Signature, SignatureSet
from fl0p_py.signature.trial import (
    CLOSED,
    END,
    EOF,
    FINISH,
    IDENTIFIED,
    MS,
    PAUSE_MS,
    PROTOCOL_NUMBERS,
    START_NS,
    START_SEEN,
)

TOKENS_AT_ONCE = 1 << 20
"""Tokens whose events are in memory at a time (40 bytes each)."""

LONGEST_GAP_MS = 1e8
"""A gap that is known counts at most as so much: no threshold is longer, and the sum stays in 64 bits."""

SET_AT_ONCE = 24
"""Signatures that are tried together by `each`: fewer than the identifications that a flow can have."""


class Matches(NamedTuple):
    """What was identified, in the order in which it happened within each flow; flows in order.

    flow      : int64[k], index into the corpus
    signature : int64[k], index into the set
    token     : int64[k], tokens of the flow by then
    score     : uint8[k], 1 to 100; fuzzy : bool[k], tolerance or edits were needed
    lost      : bool[k], it set no facet, since a more specific one had
    """

    flow: NDArray[np.int64]
    signature: NDArray[np.int64]
    token: NDArray[np.int64]
    score: NDArray[np.uint8]
    fuzzy: NDArray[np.bool_]
    lost: NDArray[np.bool_]


def matches(
    signatures: SignatureSet,
    corpus: Corpus,
    *,
    threshold_ms: int = 400,
    fuzzy: bool = True,
    told: Told = nobody,
) -> Matches:
    """What fl0p says of the flows with this set: signatures compete for facets, as live.

    told : flows that are done, of how many
    """
    found = []
    for begin, end in parts_of(corpus.offsets):
        told(begin, len(corpus))
        found.append(_run(signatures, corpus, begin, end, threshold_ms, fuzzy))
    result = np.concatenate([part for part, _ in found]) if found else np.zeros(0, RESULT_DTYPE)
    flow = np.concatenate([flow for _, flow in found]) if found else np.zeros(0, np.int64)
    order = np.argsort(flow, kind="stable")
    result, flow = result[order], flow[order]
    return Matches(
        flow,
        result["signature"].astype(np.int64),
        result["number"].astype(np.int64),
        result["score"].copy(),
        result["fuzzy"] != 0,
        result["lost"] != 0,
    )


def each(
    signatures: Sequence[Signature],
    corpus: Corpus,
    *,
    threshold_ms: int = 400,
    fuzzy: bool = True,
    told: Told = nobody,
) -> NDArray[np.int32]:
    """int32[signatures, flows]: tokens of the flow when the signature first completed, 0 never.

    Each signature as if it were the only one, whatever the others say.  told : signatures that are done
    """
    completed = np.zeros((len(signatures), len(corpus)), np.int32)
    alone = [number for number, signature in enumerate(signatures) if fuzzy and _edits(signature)]
    together = sorted(set(range(len(signatures))) - set(alone))
    groups = [[number] for number in alone]
    groups += [together[at : at + SET_AT_ONCE] for at in range(0, len(together), SET_AT_ONCE)]
    done = 0
    for group in groups:
        told(done, len(signatures))
        done += len(group)
        tried = _independent([signatures[i] for i in group])
        found = matches(tried, corpus, threshold_ms=threshold_ms, fuzzy=fuzzy)
        later = slice(None, None, -1)  # so that the first completion is what stays
        completed[np.array(group)[found.signature[later]], found.flow[later]] = found.token[later]
    return completed


def _edits(signature: Signature) -> bool:
    """Whether it may match with edits, which an exact match of another signature would hold back."""
    return signature.edits and not signature.pattern.exact


def _independent(signatures: Sequence[Signature]) -> SignatureSet:
    """The signatures without what lets one stand in another's way."""
    return SignatureSet(
        tuple(
            replace(signature, id=f"trial.{number}", facets=NO_FACETS, count=False)
            for number, signature in enumerate(signatures)
        )
    )


def parts_of(offsets: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of flows with about TOKENS_AT_ONCE tokens each."""
    parts, begin = [], 0
    while begin < len(offsets) - 1:
        end = int(np.searchsorted(offsets, offsets[begin] + TOKENS_AT_ONCE, "right")) - 1
        end = max(end, begin + 1)
        parts.append((begin, end))
        begin = end
    return parts


def _run(
    signatures: SignatureSet, corpus: Corpus, begin: int, end: int, threshold_ms: int, fuzzy: bool
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The identifications in flows begin to end: Results, and the flow of each."""
    events, rows = events_of(corpus, begin, end)
    matcher = Matcher(signatures, threshold_ms=threshold_ms, fuzzy=fuzzy, capacity=end - begin)
    matcher.feed(events, rows)
    kept = []
    more = True
    while more:
        more = matcher.run()
        results = matcher.results
        kept.append(results[results["kind"] == IDENTIFIED].copy())
        matcher.release()
    found = np.concatenate(kept)
    return found, found["flow"].astype(np.int64) + begin


def events_of(corpus: Corpus, begin: int, end: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """(TokenEvents, FlowRows) of flows begin to end of a corpus, which follow one another in time."""
    offsets = corpus.offsets[begin : end + 1] - corpus.offsets[begin]
    flows, lengths, total = end - begin, np.diff(offsets), int(offsets[-1])
    numbers = np.array([PROTOCOL_NUMBERS[name] for name in PROTOCOLS], np.uint8)
    rows = np.zeros(flows, ROW_DTYPE)
    rows["proto"], rows["sport"] = numbers[corpus.proto[begin:end]], corpus.server_port[begin:end]
    rows["flags"] = np.where(corpus.start_seen[begin:end], START_SEEN, 0)

    ended = corpus.end_seen[begin:end]
    first = np.concatenate([[0], np.cumsum(lengths + ended + 1)])  # where each flow's events begin
    events = np.zeros(int(first[-1]), EVENT_DTYPE)
    row = np.repeat(np.arange(flows), np.diff(first))
    at = np.arange(total) + np.repeat(first[:-1] - offsets[:-1], lengths)
    tokens = slice(int(corpus.offsets[begin]), int(corpus.offsets[begin]) + total)

    gaps = _gaps_ns(corpus, tokens)
    gaps[offsets[:-1]] = 0
    wait = np.zeros(len(events), np.int64)  # since the event before
    wait[at] = gaps
    wait[first[:-1] + lengths] = np.where(corpus.trailing_pause[begin:end], PAUSE_MS * MS, 0)
    now = START_NS + np.cumsum(wait)
    events["ts_ns"] = events["arrival_ns"] = now
    events["flow"] = row
    events["number"] = np.minimum(np.arange(len(events)) - first[row] + 1, lengths[row])
    events["size"][at] = corpus.tokens[tokens]
    events["gap_ns"] = -1
    gaps[offsets[:-1]] = -1
    events["gap_ns"][at] = gaps
    events["kind"][first[:-1] + lengths] = END
    events["kind"][first[1:] - 1] = FINISH
    events["reason"][first[:-1] + lengths] = CLOSED
    events["reason"][first[1:] - 1] = np.where(ended, CLOSED, EOF)
    return events, rows


def _gaps_ns(corpus: Corpus, tokens: slice) -> NDArray[np.int64]:
    known = corpus.gaps_ms[tokens].astype(np.float64)
    written = np.where(corpus.paused[tokens], float(PAUSE_MS), 0.0)
    gaps = np.where(np.isnan(known), written, np.clip(known, 0, LONGEST_GAP_MS))
    rounded: NDArray[np.int64] = np.rint(gaps * MS).astype(np.int64)
    return rounded
