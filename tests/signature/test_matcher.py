"""The kernel against the reference matcher, which says the same in the simplest way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.errors import PatternError
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import Pattern, Sequence, Signature, SignatureSet
from fl0p_py.signature.printer import pattern_text
from fl0p_py.signature.trial import PAUSE_MS, TrialFlow, run
from tests.signature import reference_matcher, strategies
from tests.signature.semantics import SEMANTICS
from tests.support.examples import examples


def signature(pattern: Pattern, **fields: object) -> Signature:
    return Signature(id="x", name="x", pattern=pattern, **{"edits": False, **fields})  # type: ignore[arg-type]


def trial_flow(flow: reference_matcher.Flow) -> TrialFlow:
    return TrialFlow(
        [token.size if token.direction == "c" else -token.size for token in flow.tokens],
        [PAUSE_MS if token.paused else 0 for token in flow.tokens],
        flow.start,
        flow.end,
        PAUSE_MS if flow.silent else 0,
        flow.proto,
        flow.port,
    )


def kernel_fires(
    patterns: list[Pattern], flow: reference_matcher.Flow, count: bool, fuzzy: bool
) -> list[list[int]]:
    """For each pattern, tokens of the flow at each firing."""
    found = []
    for pattern in patterns:
        (result,) = run(SignatureSet((signature(pattern, count=count),)), [trial_flow(flow)], fuzzy=fuzzy)
        found.append([identification.token for identification in result.identifications])
    return found


def reference_fires(
    patterns: list[Pattern], flow: reference_matcher.Flow, count: bool, fuzzy: bool
) -> list[list[int]]:
    return [
        [completion.tokens for completion in reference_matcher.fires(pattern, flow, count, fuzzy)]
        for pattern in patterns
    ]


@pytest.mark.parametrize(("text", "example", "completions"), SEMANTICS, ids=lambda value: str(value))
def test_semantics(text: str, example: str, completions: list[tuple[int, int]]) -> None:
    pattern = parse_pattern(text)
    flow = reference_matcher.flow_of(parse_pattern(example))
    assert kernel_fires([pattern], flow, True, False) == [[tokens for tokens, _ in completions]]


small_flows = st.builds(
    reference_matcher.Flow,
    st.lists(
        st.builds(
            reference_matcher.Token,
            st.sampled_from("cs"),
            st.integers(1, 7),
            st.sampled_from([False] * 3 + [True]),
        ),
        min_size=1,
        max_size=14,
    ).map(lambda tokens: (reference_matcher.Token(tokens[0].direction, tokens[0].size), *tokens[1:])),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@examples(120)
@given(
    strategies.patterns(strategies.SMALL),
    st.lists(small_flows, min_size=1, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_agrees_with_the_reference(
    pattern: Pattern, flows: list[reference_matcher.Flow], count: bool, fuzzy: bool
) -> None:
    pattern = pattern._replace(proto="tcp", ports=())
    for flow in flows:
        assert kernel_fires([pattern], flow, count, fuzzy) == reference_fires([pattern], flow, count, fuzzy)


@examples(40)
@given(
    st.lists(
        st.lists(st.sampled_from(["c10", "c20", "s30"]), min_size=1, max_size=24), min_size=1, max_size=4
    ),
    st.integers(0, 3),
)
def test_a_large_set_finds_in_flows_that_repeat_themselves_what_each_pattern_finds_alone(
    rows: list[list[str]], unanchored: int
) -> None:
    beginnings = [f"< {' '.join(row[:length])}" for row in rows for length in range(1, len(row) + 1)]
    texts = [f"tcp * = {text}" for text in [f"< {'c20 ' * n}s31" for n in range(1, 20)] + beginnings]
    texts += [f"tcp * = {' '.join(row[-3:])}" for row in rows[:unanchored]]
    patterns = [parse_pattern(text) for text in dict.fromkeys(texts)]
    signatures = SignatureSet(
        tuple(Signature(f"x{number}", "x", pattern, edits=False) for number, pattern in enumerate(patterns))
    )
    flows = [reference_matcher.flow_of(parse_pattern(f"tcp 9 < {' '.join(row)}")) for row in rows]
    for flow, result in zip(
        flows * 2, run(signatures, list(map(trial_flow, flows * 2)), fuzzy=False), strict=True
    ):
        fired: list[list[int]] = [[] for _ in patterns]
        for identification in result.identifications:
            fired[identification.signature].append(identification.token)
        assert fired == reference_fires(patterns, flow, False, False)


def grafted(head: Pattern, tail: Pattern) -> Pattern | None:
    """The items of both in a row, as a pattern that starts with the flow; None if no such flow can be."""
    pattern = head._replace(
        proto="tcp", ports=(), exact=True, start=True, end=tail.end,
        sequence=Sequence(head.sequence.items + tail.sequence.items),
    )  # fmt: skip
    try:
        return parse_pattern(pattern_text(pattern))
    except PatternError:
        return None


@examples(80)
@given(
    st.lists(strategies.patterns(strategies.SMALL), min_size=1, max_size=2),
    st.lists(strategies.patterns(strategies.SMALL), min_size=2, max_size=4),
    st.lists(small_flows, min_size=1, max_size=3),
    st.booleans(),
)
def test_signatures_that_begin_alike_share_threads_and_fire_as_if_alone(
    heads: list[Pattern], tails: list[Pattern], flows: list[reference_matcher.Flow], count: bool
) -> None:
    patterns = [made for head in heads for tail in tails if (made := grafted(head, tail))]
    signatures = SignatureSet(
        tuple(
            Signature(id=f"x{number}", name="x", pattern=pattern, count=count, edits=False)
            for number, pattern in enumerate(patterns)
        )
    )
    for flow in flows:
        (result,) = run(signatures, [trial_flow(flow)], fuzzy=False)
        fired: list[list[int]] = [[] for _ in patterns]
        for identification in result.identifications:
            fired[identification.signature].append(identification.token)
        assert fired == reference_fires(patterns, flow, count, False)
