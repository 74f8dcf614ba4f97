"""How many tokens and bursts a sequence is made of: at least, written out, and in rounds without end."""

from __future__ import annotations

from fl0p_py.signature.pattern import Choice, Item, Pattern, Pause, Repeat, Segment, Sequence, Unordered


def has_segment(sequence: Sequence) -> bool:
    """Whether there is more than pauses in it."""
    return not all(isinstance(item, Pause) for item in sequence.items)


def expanded(sequence: Sequence) -> int:
    """Tokens and bursts with counted repeats written out; a repeat without end counts its least."""
    return sum(map(_expanded, sequence.items))


def _expanded(item: Item) -> int:
    match item:
        case Pause():
            return 0
        case Segment():
            return 1
        case Choice():
            return sum(map(expanded, item.alternatives))
        case Unordered():
            return expanded(item.left) + expanded(item.right)
        case Repeat():
            return _expanded(item.atom) * (max(1, item.low) if item.high is None else item.high)


def shortest(sequence: Sequence) -> int:
    """The fewest tokens and bursts that the sequence can match."""
    return sum(map(shortest_item, sequence.items))


def shortest_item(item: Item) -> int:
    match item:
        case Pause():
            return 0
        case Segment():
            return 1
        case Choice():
            return min(map(shortest, item.alternatives))
        case Unordered():
            return shortest(item.left) + shortest(item.right)
        case Repeat():
            return shortest_item(item.atom) * item.low


def in_rounds(pattern: Pattern) -> bool:
    """Whether the pattern begins with `<` and ends with a repeat without end: `count` fires at each round."""
    return pattern.start and not pattern.end and _ends_in_rounds(pattern.sequence.items[-1])


def _ends_in_rounds(last: Item) -> bool:
    if isinstance(last, Repeat):
        return last.high is None or _ends_in_rounds(last.atom)
    return isinstance(last, Choice) and any(_ends_in_rounds(part.items[-1]) for part in last.alternatives)
