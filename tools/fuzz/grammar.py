"""Signature text: valid lines of every construct, and what happens to them.

`signatures` makes files of valid lines (some of which the loader refuses for what they mean); `broken` is
text with mutations, for the parser.
"""

from __future__ import annotations

import random

WORDS = (
    *("tcp", "udp", "icmp", "c", "s", "C", "S", "<", ">", "=", "(", ")", "|", "&", "{", "}", "+", "+?", "*"),
    *(":", ",", "-", "#", "#:", "0", "1", "255", "256", "65535", "65536", "1048575", "1048576", "9" * 20),
    *(" ", "\t", "\n", "\r", "\x00", "\u202e", "ä", "\ud7ff"),
    *("id=", "class=", "outcome=auth-failed", "count"),
)
TOP = 2  # levels of groups
OUTCOMES = ("banner-only", "auth-failed", "auth-success", "aborted")


def size(draw: random.Random) -> str:
    n = draw.choice((draw.randint(1, 60), draw.randint(1, 1460), draw.randint(1, 70000)))
    form = draw.random()
    if form < 0.6:
        return str(n)
    return draw.choice((f"{n}-{n + draw.randint(0, 300)}", f"{n}-", f"-{n}", "*"))


def atom(draw: random.Random, depth: int) -> str:
    """One token, or a group of them."""
    chance = draw.random()
    if depth and chance < 0.1:
        return "( " + " | ".join(sequence(draw, depth - 1, 3) for _ in range(draw.randint(1, 4))) + " )"
    if depth and chance < 0.17:
        left, right = (" ".join(s + size(draw) for _ in range(draw.randint(1, 4))) for s in "cs")
        return f"( {left} & {right} )"
    return draw.choice("cs") + size(draw)


def repeat(draw: random.Random) -> str:
    low = draw.choice((0, 1, 2, draw.randint(0, 250)))
    return draw.choice((f"{{{low + 2}}}", f"{{{low},}}", f"{{{low},{low + draw.randint(1, 5)}}}"))


def sequence(draw: random.Random, depth: int, most: int) -> str:
    """Items; a burst has a pause or the other direction around it, without which it could never match."""
    items: list[str] = []
    for _ in range(draw.randint(1, most)):
        gap = draw.choice(("+", "+?")) if items and draw.random() < 0.2 else ""
        if depth == TOP and draw.random() < 0.15:
            burst = [draw.choice("CS") + size(draw), "+"]
            items += ["+", *burst] if items else burst
            continue
        if gap and items[-1] not in ("+", "+?"):
            items.append(gap)
        items.append(atom(draw, depth) + (repeat(draw) if draw.random() < 0.15 else ""))
    if len(items) > 1 and items[-1] == "+" and draw.random() < 0.8:
        items.pop()
    return " ".join(item for at, item in enumerate(items) if item != "+" or items[at - 1] != "+")


def line(draw: random.Random, number: int) -> str:
    """One signature, perhaps with metadata above it."""
    proto = draw.choice(("tcp", "tcp", "tcp", "udp", "icmp"))
    ports = draw.choice(("*", "*", "22", "25,80-90,443", "1-65535")) if proto != "icmp" else "*"
    anchors = draw.choice(("", "<", "<")), draw.choice(("", "", ">"))
    exact = draw.choice(("", "", "= "))
    text = f"{proto} {ports} {exact}{anchors[0]} {sequence(draw, TOP, 12)} {anchors[1]} : made {number}"
    if draw.random() < 0.3:
        outcome = f"outcome={draw.choice(OUTCOMES)}"
        facets = draw.choice(("class=ssh", outcome, "actor=bot count", "activity=shell"))
        text = f"#: id=made.{number} {facets}\n{text}"
    return text


def signatures(draw: random.Random) -> str:
    """A file of valid lines."""
    count = draw.choice((1, 1, 3, 10, 70))
    return "\n".join(line(draw, number) for number in range(count)) + "\n"


def broken(draw: random.Random, good: str) -> str:
    """`good` with some of its characters gone, doubled, or replaced by words of the language."""
    text = good
    for _ in range(draw.choice((1, 2, 5, 30))):
        at = draw.randint(0, len(text))
        chance = draw.random()
        if chance < 0.3:
            text = text[:at] + text[at + draw.choice((1, 1, 4, 20)) :]
        elif chance < 0.7:
            text = text[:at] + draw.choice(WORDS) * draw.choice((1, 1, 1, 3, 60)) + text[at:]
        elif chance < 0.9:
            end = at + draw.randint(1, 30)
            text = text[:end] + text[at:]
        else:
            character = chr(draw.choice((draw.randint(1, 127), draw.randint(128, 0xD7FF))))
            text = text[:at] + character + text[at + 1 :]
    return text[:20000]
