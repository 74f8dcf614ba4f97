#!/usr/bin/env python3
"""Makes a log such as `fl0p -lUK` writes: `harvest.py OUT LINES [CAPTURE|FOLDER ...] [--seed N]`.

Six in ten flows are said by a shipped signature (common ones more often, as services are), three are flows of
the captures with sizes moved and tokens left out, one is random.  Without captures, those three are said by
signatures too.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from fl0p_py.learn.corpus import Corpus
from fl0p_py.learn.intake import read_corpus
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Choice, Gap, Item, Pause, Repeat, Segment, Signature, Unordered

SEGMENT = 1448
WIDEST = 3000
"""Bytes above the lower bound that an open range is drawn from."""

MOST_REPEATS = 6
SERVERS = 400
CLIENTS = 4000


def spoken(signature: Signature, draw: random.Random) -> str:
    """A flow that the signature speaks of, from its protocol on, without the end of the line."""
    pattern = signature.pattern
    port = draw.choice(pattern.ports)[0] if pattern.ports else draw.choice((22, 25, 443, 8443, 5222))
    words = said(pattern.sequence.items, draw)
    while words and words[0] == "+":
        words.pop(0)
    if draw.random() < 0.5:  # and something behind it
        words += [token(draw.choice("cs"), draw.randint(20, 1400)) for _ in range(draw.randint(1, 5))]
    while words and words[-1] == "+":
        words.pop()
    start = "< " if pattern.start or draw.random() < 0.9 else ""
    end = " >" if draw.random() < 0.6 else ""
    service = "icmp *" if pattern.proto == "icmp" else f"{pattern.proto} {port}"
    return f"{service} {start}{' '.join(words)}{end}"


def said(items: Sequence[Item], draw: random.Random) -> list[str]:
    words: list[str] = []
    for item in items:
        match item:
            case Pause():
                if item.gap is Gap.SOME or draw.random() < 0.3:
                    words.append("+")
            case Segment():
                words += segment(item, draw)
            case Choice():
                words += said(draw.choice(item.alternatives).items, draw)
            case Unordered():
                words += said(item.left.items, draw) + said(item.right.items, draw)
            case Repeat():
                most = (
                    item.low + MOST_REPEATS if item.high is None else min(item.high, item.low + MOST_REPEATS)
                )
                for _ in range(draw.randint(item.low, most)):
                    words += said([item.atom], draw)
    return [word for at, word in enumerate(words) if word != "+" or at == 0 or words[at - 1] != "+"]


def segment(item: Segment, draw: random.Random) -> list[str]:
    low, high = item.size.low, min(item.size.high, item.size.low + WIDEST)
    size = min(high, low + int((high - low) * draw.random() ** 3))
    return cut(item.direction, size, draw) if item.burst else [token(item.direction, size)]


def cut(direction: str, size: int, draw: random.Random) -> list[str]:
    """A burst as segments."""
    words = []
    while size > SEGMENT:
        words.append(token(direction, SEGMENT))
        size -= SEGMENT
    if size > 100 and draw.random() < 0.3:
        first = draw.randint(1, size - 1)
        return [*words, token(direction, first), token(direction, size - first)]
    return [*words, token(direction, size)]


def token(direction: str, size: int) -> str:
    return f"{direction}{max(1, size)}"


def varied(corpus: Corpus, flow: int, draw: random.Random) -> str:
    """A flow of a capture, seen again."""
    words = []
    for word in corpus.pattern_text(flow).split(" "):
        if word[0] in "cs" and word[-1].isdigit():
            if draw.random() < 0.03:
                continue
            size = int(word[1:])
            words.append(
                token(word[0], round(size * draw.uniform(0.9, 1.1)) if draw.random() < 0.5 else size)
            )
        else:
            words.append(word)
    words = [word for at, word in enumerate(words) if word != "+" or words[at - 1] not in ("<", "+")]
    text = " ".join(words)
    return text if any(word[0] in "cs" for word in words) else corpus.pattern_text(flow)


def noise(draw: random.Random) -> str:
    sizes = (round(2 ** draw.uniform(0, 10.5)) for _ in range(draw.randint(1, 30)))
    return f"tcp {draw.randint(1024, 65535)} < {' '.join(token(draw.choice('cs'), size) for size in sizes)}"


def line(service: str, draw: random.Random) -> str:
    client = f"10.{draw.randrange(CLIENTS) >> 8}.{draw.randrange(256)}.1"
    server = f"192.0.2.{int(SERVERS * draw.random() ** 2) % 254 + 1}"
    if service.startswith("icmp"):
        return f"{client} -> {server} {service} : unknown\n"
    port = service.split(" ")[1]
    return f"{client}:{draw.randint(1024, 65535)} -> {server}:{port} {service} : unknown\n"


def write(out: Path, lines: int, captures: Sequence[str], seed: int) -> None:
    draw = random.Random(seed)
    signatures = load().signatures
    files = [path for name in captures for path in (sorted(Path(name).rglob("*cap*")) or [Path(name)])]
    corpus, _ = read_corpus([str(path) for path in files if path.is_file()])
    with out.open("w") as file:
        for _ in range(lines):
            kind = draw.random()
            if kind < 0.1:
                service = noise(draw)
            elif kind < 0.4 and len(corpus):
                service = varied(corpus, draw.randrange(len(corpus)), draw)
            else:
                service = spoken(signatures[int(len(signatures) * draw.random() ** 2)], draw)
            file.write(line(service, draw))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("lines", type=int)
    parser.add_argument("captures", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    write(given.out, given.lines, given.captures, given.seed)
