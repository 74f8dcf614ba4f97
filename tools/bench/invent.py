"""Flows invented from a signature: what it allows, drawn evenly, with the accidents of a real network.

Sizes lie anywhere in their ranges, repeats come as often as they may, `+?` pauses now and then, bursts are
cut at the MSS and now and then somewhere else, as retransmissions cut them; of a few flows of TCP (SPLIT) one
token is cut in two, which a signature that wants that token in one piece will not name.  What follows the
signature's end is a random dialogue; so is what comes before one without `<`, and then the flow's own
start was not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from fl0p_py.learn.corpus import Corpus, corpus_of
from fl0p_py.signature.pattern import (
    MAX_SIZE,
    PROTOCOLS,
    Choice,
    Gap,
    Item,
    Pattern,
    Pause,
    Segment,
    Signature,
    Unordered,
)

MSS = 1448
PAUSED = 0.1
"""Share of the `+?` that pause."""
CUT = 0.1
"""Of the bursts that are cut once more than the MSS asks for."""
SPLIT = 0.01
"""Of the flows in which a token came in two pieces."""
OPEN = 8
"""A range without an end reaches to so many times its beginning, and to 4,000 at least."""
ROUNDS = 4
"""Rounds more than its least of a repeat without end."""
MOST_TOKENS = 64

Tokens = list[tuple[int, bool]]
"""Sizes, negative from the server, each with whether a pause stands before it."""


class Invented(NamedTuple):
    tokens: Tokens
    start: bool
    end: bool
    port: int


def invent(pattern: Pattern, draw: Random) -> Invented:
    """One flow that the pattern names (but for SPLIT)."""
    writer = _Writer(draw)
    before = 0 if pattern.start else 2 * draw.randint(0, 2)
    writer.dialogue(before)
    writer.items(pattern.sequence.items)
    if not pattern.end:
        writer.dialogue(draw.randint(0, 6))
    if pattern.proto == "tcp" and draw.random() < SPLIT:
        writer.split()
    port = draw.choice(pattern.ports)[0] if pattern.ports else draw.randint(1024, 65535)
    end = pattern.end or draw.random() < 0.7
    return Invented(writer.tokens[:MOST_TOKENS], not before, end and len(writer.tokens) <= MOST_TOKENS, port)


class _Writer:
    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.tokens: Tokens = []
        self.paused = False

    def items(self, items: Iterable[Item]) -> None:
        for item in items:
            self.item(item)

    def item(self, item: Item) -> None:
        draw = self.draw
        match item:
            case Pause():
                self.paused |= item.gap is Gap.SOME or draw.random() < PAUSED
            case Segment():
                self.segment(item)
            case Choice():
                self.items(draw.choice(item.alternatives).items)
            case Unordered():
                sides = [item.left, item.right]
                draw.shuffle(sides)
                for side in sides:
                    self.items(side.items)
            case _:
                most = item.low + ROUNDS if item.high is None else item.high
                for _ in range(draw.randint(item.low, most)):
                    self.item(item.atom)

    def segment(self, segment: Segment) -> None:
        low, high = segment.size.low, segment.size.high
        size = self.draw.randint(low, max(OPEN * low, 4000) if high == MAX_SIZE else high)
        pieces = [size]
        if segment.burst:
            pieces = [MSS] * ((size - 1) // MSS) + [(size - 1) % MSS + 1]
            if pieces[-1] > 1 and self.draw.random() < CUT:
                at = self.draw.randint(1, pieces[-1] - 1)
                pieces[-1:] = [at, pieces[-1] - at]
        for piece in pieces:
            self.tokens.append(
                (piece if segment.direction == "c" else -piece, self.paused and bool(self.tokens))
            )
            self.paused = False

    def dialogue(self, turns: int) -> None:
        sign = -1 if self.tokens and self.tokens[-1][0] > 0 else 1
        for _ in range(turns):
            paused = bool(self.tokens) and self.draw.random() < PAUSED
            self.tokens.append((sign * self.draw.randint(5, 1400), paused))
            sign = -sign

    def split(self) -> None:
        places = [i for i, (size, _) in enumerate(self.tokens) if abs(size) > 1]
        if places:
            place = self.draw.choice(places)
            size, paused = self.tokens[place]
            at = self.draw.randint(1, abs(size) - 1) * (1 if size > 0 else -1)
            self.tokens[place : place + 1] = [(at, paused), (size - at, False)]


def invented_corpus(
    signatures: Sequence[Signature], labels: Sequence[str], count: int, captures: int, seed: int
) -> Corpus:
    """`count` flows of each signature, under its label, spread over so many captures."""
    flows: list[Invented] = []
    protocols, sources, numbers = [], [], []
    for number, signature in enumerate(signatures):
        draw = Random(f"{seed} {signature.id}")
        for each in range(count):
            flows.append(invent(signature.pattern, draw))
            protocols.append(PROTOCOLS.index(signature.pattern.proto))
            sources.append(each % captures)
            numbers.append(number)
    tokens = [token for flow in flows for token in flow.tokens]
    columns = {
        "tokens": [size for size, _ in tokens],
        "paused": [paused for _, paused in tokens],
        "gaps_ms": np.full(len(tokens), np.nan),
        "offsets": np.cumsum([0, *(len(flow.tokens) for flow in flows)]),
        "proto": protocols,
        "start_seen": [flow.start for flow in flows],
        "end_seen": [flow.end for flow in flows],
        "trailing_pause": np.zeros(len(flows), np.bool_),
        "client": np.zeros(len(flows)),
        "server": np.zeros(len(flows)),
        "client_port": np.full(len(flows), 40000),
        "server_port": [flow.port for flow in flows],
        "start_ns": np.arange(len(flows)),
        "end_ns": np.arange(len(flows)),
        "source": sources,
        "line": np.arange(1, len(flows) + 1),
        "label": numbers,
    }
    names = [f"invented-{number}.pcap" for number in range(captures)]
    return corpus_of(columns, ["192.0.2.1"], names, labels)
