"""The canonical text of a pattern, and of a signature as lines.

`parse_pattern(pattern_text(p)) == p` for every tree that the parser makes, and what is printed
parses to what was parsed: ports sorted, single blanks, `*` for every size, `{n}` for `{n,n}`.
"""

from __future__ import annotations

from fl0p_py.signature.pattern import (
    FACETS,
    MAX_SIZE,
    Choice,
    Item,
    Pattern,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Signature,
    Size,
    Unordered,
)


def pattern_text(pattern: Pattern) -> str:
    """What a line has before its `:`, without blanks at its ends."""
    ports = ",".join(str(low) if low == high else f"{low}-{high}" for low, high in pattern.ports)
    words = [pattern.proto, ports or "*"]
    if pattern.exact:
        words.append("=")
    if pattern.start:
        words.append("<")
    words.append(sequence_text(pattern.sequence))
    if pattern.end:
        words.append(">")
    return " ".join(words)


def sequence_text(sequence: Sequence) -> str:
    return " ".join(map(item_text, sequence.items))


def item_text(item: Item) -> str:
    match item:
        case Pause():
            return item.gap.value
        case Segment():
            direction = item.direction.upper() if item.burst else item.direction
            return direction + size_text(item.size)
        case Choice():
            return f"( {' | '.join(map(sequence_text, item.alternatives))} )"
        case Unordered():
            return f"( {sequence_text(item.left)} & {sequence_text(item.right)} )"
        case Repeat():
            return item_text(item.atom) + repeat_text(item.low, item.high)


def size_text(size: Size) -> str:
    if size.exact:
        return str(size.low)
    low = "" if size.low == 1 else str(size.low)
    high = "" if size.high == MAX_SIZE else str(size.high)
    return f"{low}-{high}" if low or high else "*"


def repeat_text(low: int, high: int | None) -> str:
    if high is None:
        return f"{{{low},}}"
    return f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def signature_lines(signature: Signature) -> str:
    """The signature as lines of a `.fp` file: note, metadata, pattern and description."""
    comments = [f"# {line}".rstrip() for line in signature.note.strip().splitlines()]
    return "\n".join(
        (*comments, metadata_text(signature), f"{pattern_text(signature.pattern)} : {signature.name}")
    )


def metadata_text(signature: Signature) -> str:
    """Its `#:` line."""
    words = [f"id={signature.id}"]
    words += [f"{name}={value}" for name, value in zip(FACETS, signature.facets, strict=True) if value]
    if signature.threshold_ms is not None:
        words.append(f"threshold_ms={signature.threshold_ms}")
    if signature.inside:
        words.append(f"inside={','.join(signature.inside)}")
    if signature.count:
        words.append("count")
    if not signature.edits:
        words.append("no-edits")
    return "#: " + " ".join(words)
