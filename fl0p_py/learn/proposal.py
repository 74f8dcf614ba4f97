"""Proposals: learned patterns as signatures, with everything that a TOML entry should carry.

Each has an id made of what it says, its facets, examples taken from the flows it was learned from,
counter-examples taken from those most like them that it must not name, and its provenance.  All
examples have been tried.  Captures are named without their folders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.learn.align import align
from fl0p_py.learn.corpus import NO_TIME, Corpus
from fl0p_py.learn.learner import Learner
from fl0p_py.learn.lesson import Learned
from fl0p_py.learn.target import Target
from fl0p_py.learn.turn import turns_in
from fl0p_py.signature.check import tried
from fl0p_py.signature.metadata import MAX_ID
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import FACETS, Example, Pattern, Segment, Signature
from fl0p_py.signature.pattern import Sequence as Items
from fl0p_py.signature.printer import pattern_text, signature_lines

EXAMPLES = 3
COUNTER_EXAMPLES = 2

LIKEST = 12
"""Flows most like an example that are tried as counter-examples."""

LOOKED_AT = 2_000
"""Flows among which these are looked for."""

CAPTURES = 8
"""Names in a provenance."""

LONGEST_EXAMPLE = 48
"""Tokens of a counter-example."""

Array = NDArray[Any]


def proposals(learner: Learner, learned: Sequence[Learned]) -> list[Signature]:
    """Signatures for the patterns of one lesson, in its order."""
    return [
        _signature(learner, one, number if len(learned) > 1 else 0) for number, one in enumerate(learned, 1)
    ]


def identifier(target: Target, number: int) -> str:
    """`ssh.auth-failed`, or `ssh.auth-failed.2` where there are several."""
    tail = f".{number}" if number else ""
    return target.id[: MAX_ID - len(tail)] + tail


def _signature(learner: Learner, learned: Learned, number: int) -> Signature:
    corpus, target = learner.corpus, learner.target
    name = target.title + (f", variant {number}" if number else "")
    signature = Signature(
        identifier(target, number), name, learned.pattern, target.said, edits=learned.pattern.exact
    )
    named = _spread(learned)
    texts = {_example(corpus, flow, tokens, learned.pattern.end): flow for flow, tokens in named}
    signature.examples = tuple(islice(_checked(signature, corpus, texts, wanted=True), EXAMPLES))
    signature.counter_examples = tuple(
        islice(_counter_examples(learner, learned, signature), COUNTER_EXAMPLES)
    )
    signature.provenance = tuple(_provenance(corpus, learned).items())
    return signature


def _spread(learned: Learned) -> list[tuple[int, int]]:
    """(flow, tokens) of a few of the named flows, from those named soonest to those named last."""
    order = np.lexsort((learned.named, learned.tokens))
    chosen = np.unique(np.linspace(0, len(order) - 1, 3 * EXAMPLES).astype(np.int64))
    picked = order[chosen]
    return list(zip(learned.named[picked].tolist(), learned.tokens[picked].tolist(), strict=True))


def _example(corpus: Corpus, flow: int, tokens: int, whole: bool) -> str:
    """The flow's sequence as far as it takes to name it."""
    pattern = corpus.pattern(flow)
    if whole or tokens >= corpus.lengths[flow]:
        return pattern_text(pattern)
    return pattern_text(_begun(pattern, tokens))


def _begun(pattern: Pattern, tokens: int) -> Pattern:
    """The first tokens of a sequence."""
    items = pattern.sequence.items
    segments = [place for place, item in enumerate(items) if isinstance(item, Segment)]
    if len(segments) <= tokens:
        return pattern
    return pattern._replace(sequence=Items(items[: segments[tokens - 1] + 1]), end=False)


def _checked(
    signature: Signature, corpus: Corpus, texts: dict[str, int], *, wanted: bool
) -> Iterator[Example]:
    for text, flow in texts.items():
        pattern = parse_pattern(text)
        if tried(signature, pattern, True) == wanted:
            yield Example(text, pattern, _capture(corpus, flow))


def _counter_examples(learner: Learner, learned: Learned, signature: Signature) -> Iterator[Example]:
    """The flows most like one that the signature names, among those that it must not."""
    corpus = learner.corpus
    false = set(learned.false.tolist())
    proto = corpus.proto[learned.named[0]]
    others = np.array([flow for flow in learner.distinct_others(int(proto)) if flow not in false], np.int64)
    if not len(others):
        return iter(())
    others = others[np.unique(np.linspace(0, len(others) - 1, LOOKED_AT).astype(np.int64))]
    model = turns_in(corpus, learned.named[:1])
    like = turns_in(corpus, others)
    reference = model.total[0, : max(1, int(model.end[0]))]
    cost, columns = align(like.total, like.begin, like.end, reference)
    met = np.maximum(1, (columns >= 0).sum(axis=1))
    order = np.lexsort((others, cost / met - met))[:LIKEST]
    texts = {
        pattern_text(_begun(corpus.pattern(flow), LONGEST_EXAMPLE)): flow for flow in others[order].tolist()
    }
    return _checked(signature, corpus, texts, wanted=False)


def _capture(corpus: Corpus, flow: int) -> str:
    return PurePath(corpus.sources[corpus.source[flow]]).name


def _provenance(corpus: Corpus, learned: Learned) -> dict[str, str]:
    """As text, the way the loader keeps it."""
    sources = sorted({_capture(corpus, flow) for flow in learned.named.tolist()})
    found = {"flows": str(len(learned.named)), "captures": ", ".join(sources[:CAPTURES])}
    if len(sources) > CAPTURES:
        found["captures"] += f" and {len(sources) - CAPTURES} more"
    times = corpus.start_ns[learned.named]
    times = times[times != NO_TIME]
    if len(times):
        found["date"] = _date(int(times.max())).isoformat()
    found["notes"] = "Learned by fl0p-learn; its ranges are widened from what was seen."
    return found


def _date(ns: int) -> date:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).date()


def fp_text(signatures: Iterable[Signature]) -> str:
    """The signatures as lines of a `.fp` file."""
    return "\n\n".join(map(signature_lines, signatures)) + "\n"


def toml_text(signatures: Iterable[Signature]) -> str:
    """The signatures as entries of a TOML file."""
    return "\n".join(map(entry_text, signatures))


def entry_text(signature: Signature) -> str:
    """One `[[signature]]`."""
    lines = [
        "[[signature]]",
        f"id = {quoted(signature.id)}",
        f"name = {quoted(signature.name)}",
        f"pattern = {quoted(pattern_text(signature.pattern))}",
    ]
    lines += [
        f"{key} = {quoted(value)}" for key, value in zip(FACETS, signature.facets, strict=True) if value
    ]
    if signature.count:
        lines.append("count = true")
    if not signature.edits:
        lines.append("edits = false")
    if signature.threshold_ms is not None:
        lines.append(f"threshold_ms = {signature.threshold_ms}")
    for key, examples in (("examples", signature.examples), ("counter_examples", signature.counter_examples)):
        if examples:
            lines += [f"{key} = [", *map(_example_text, examples), "]"]
    if signature.provenance:
        lines += ["", "[signature.provenance]"]
        lines += [f"{key} = {_value(key, value)}" for key, value in signature.provenance]
    return "\n".join(lines) + "\n"


def _example_text(example: Example) -> str:
    source = f", source = {quoted(example.source)}" if example.source else ""
    return f"  {{ text = {quoted(example.text)}{source} }}," if source else f"  {quoted(example.text)},"


def _value(key: str, value: str) -> str:
    """Numbers and dates bare, as they were."""
    return value if key in ("flows", "date") else quoted(value)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def quoted(text: str) -> str:
    """A TOML string; whatever is not printable is escaped."""
    return (
        '"'
        + "".join(_ESCAPES.get(char) or (char if char.isprintable() else _code(char)) for char in text)
        + '"'
    )


def _code(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
