"""What is refused as never matching never matches; what is accepted can match."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.signature import viability
from fl0p_py.signature.pattern import Pattern
from tests.signature.reference_matcher import Flow, Token, completions
from tests.signature.strategies import SMALL, trees
from tests.support.examples import examples

tokens = st.builds(Token, st.sampled_from("cs"), st.integers(1, SMALL), st.booleans())


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    found = draw(st.lists(tokens, min_size=1, max_size=8))
    first = Token(found[0].direction, found[0].size)
    return Flow((first, *found[1:]), draw(st.booleans()), draw(st.booleans()), draw(st.booleans()), "tcp", 22)


@examples(300)
@given(trees(SMALL), st.lists(flows(), min_size=1, max_size=4))
def test_a_pattern_whose_end_cannot_be_reached_matches_no_flow(pattern: Pattern, tried: list[Flow]) -> None:
    start = frozenset({viability.Context("", "", pattern.start, viability.Gap.NONE)})
    walk = viability._Walk()
    states = start
    for item in pattern.sequence.items:
        states = walk.item(item, states)
    if not states:
        assert viability.dead(pattern)
        assert not any(completions(pattern, flow) for flow in tried)
