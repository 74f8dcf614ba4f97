"""Patterns made by hypothesis: any tree that the parser can make."""

from __future__ import annotations

from hypothesis import strategies as st

from fl0p_py.errors import PatternError
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import (
    MAX_SIZE,
    Choice,
    Gap,
    Item,
    Pattern,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Size,
    Unordered,
)
from fl0p_py.signature.printer import pattern_text

numbers = st.one_of(st.integers(1, 12), st.integers(1, MAX_SIZE))
small_numbers = st.integers(1, 6)


def sizes(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Size]:
    exact = numbers.map(lambda n: Size(n, n, True))
    ranges = st.tuples(numbers, numbers).map(lambda pair: Size(min(pair), max(pair), False))
    open_ = numbers.map(lambda n: Size(n, MAX_SIZE, False))
    return st.one_of(exact, exact, ranges, open_, st.just(Size(1, MAX_SIZE, False)))


def segments(numbers: st.SearchStrategy[int], directions: str = "cs") -> st.SearchStrategy[Segment]:
    return st.builds(Segment, st.sampled_from(directions), sizes(numbers), st.booleans())


pauses = st.sampled_from([None, None, None, Pause(Gap.SOME), Pause(Gap.ANY)])


@st.composite
def with_pauses(
    draw: st.DrawFn, items: st.SearchStrategy[Item], most: int, trailing: bool = True
) -> Sequence:
    """1 to `most` items with pauses before, between and behind them."""
    sequence: list[Item] = []
    for item in draw(st.lists(items, min_size=1, max_size=most)):
        pause = draw(pauses)
        sequence += [item] if pause is None else [pause, item]
    pause = draw(pauses) if trailing else None
    return Sequence(tuple(sequence if pause is None else [*sequence, pause]))


@st.composite
def unordered(draw: st.DrawFn, numbers: st.SearchStrategy[int]) -> Unordered:
    directions = draw(st.sampled_from(["cs", "sc"]))
    sides = [draw(with_pauses(segments(numbers, one), 2, trailing=False)) for one in directions]
    return Unordered(*sides)


@st.composite
def repeats(draw: st.DrawFn, atoms: st.SearchStrategy[Segment | Choice | Unordered]) -> Item:
    atom = draw(atoms)
    low = draw(st.integers(0, 3))
    high = draw(st.one_of(st.none(), st.integers(max(1, low), 4)))
    return atom if low == high == 1 else Repeat(atom, low, high)


def sequences(numbers: st.SearchStrategy[int], depth: int = 2) -> st.SearchStrategy[Sequence]:
    atoms: st.SearchStrategy[Segment | Choice | Unordered] = st.one_of(segments(numbers), unordered(numbers))
    if depth:
        choices = st.lists(sequences(numbers, depth - 1), min_size=1, max_size=3)
        atoms = st.one_of(atoms, choices.map(lambda parts: Choice(tuple(parts))))
    return with_pauses(st.one_of(segments(numbers), atoms, repeats(atoms)), 4)


ports = st.sampled_from([(), ((22, 22),), ((1, 1023), (6000, 65535))])


def _valid(pattern: Pattern) -> bool:
    """Whether nothing in it is refused for what it means (never matches, matches nothing)."""
    try:
        parse_pattern(pattern_text(pattern))
    except PatternError:
        return False
    return True


def trees(numbers: st.SearchStrategy[int] = numbers) -> st.SearchStrategy[Pattern]:
    """Anything that the grammar allows."""
    return st.builds(
        Pattern,
        st.sampled_from(["tcp", "udp"]),
        ports,
        st.booleans(),
        st.booleans(),
        sequences(numbers),
        st.booleans(),
    )


def patterns(numbers: st.SearchStrategy[int] = numbers) -> st.SearchStrategy[Pattern]:
    """Anything that the parser accepts."""
    return trees(numbers).filter(_valid)
