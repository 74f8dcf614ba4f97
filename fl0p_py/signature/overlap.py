"""How the flows of two signatures lie to each other: one inside the other, or meeting.

Both walk the two patterns' automata side by side and never enumerate flows.  They look at bursts as
one token each and give up beyond a bounded number of pairs, so they find most but not all;
`included` is never wrong where it says yes, and `meeting` gives a flow that anybody can try.
Sizes are those as written for `included`, and widened by tolerance, where it applies, for `meeting`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fl0p_py.signature.automaton import ANY, NONE, SOME, Position, build
from fl0p_py.signature.pattern import Gap, Item, Pattern, Pause, Segment, Sequence, Signature, Size

MAX_PAIRS = 20_000
"""Pairs of positions of two patterns that are looked at."""

FREE, DONE = -1, -2
"""Stand for a position of the wider pattern: it has not begun, or it has completed already."""

Ports = tuple[tuple[int, int], ...]


class Shape(NamedTuple):
    """A pattern's automaton, ready to be walked; bursts are single steps.

    before : for each position those that lead to it, with the condition between
    after : the positions that follow it, likewise
    first, last : condition of the pause in front of a position that begins, behind one that ends
    certain : False if a burst stands in `( & )`, whose rules a step at a time does not show
    """

    pattern: Pattern
    positions: list[Position]
    before: list[list[tuple[int, int]]]
    after: list[list[tuple[int, int]]]
    first: dict[int, int]
    last: dict[int, int]
    certain: bool

    def size(self, at: int, tolerant: bool = False) -> Size:
        size = self.positions[at].size
        return size.tolerant() if tolerant and not self.pattern.exact else size

    def kind(self, at: int) -> tuple[int, bool]:
        """Direction, and whether it is a burst."""
        return self.positions[at].direction, self.positions[at].slot is not None


def shape(signature: Signature) -> Shape:
    automaton = build([(0, signature)])
    count = len(automaton.positions)
    before: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    after: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for at, edges in enumerate(automaton.edges):
        for edge in edges:
            if not edge.extend:
                before[edge.to].append((at, edge.condition))
                after[at].append((edge.to, edge.condition))
    certain = not any(position.unordered and position.slot is not None for position in automaton.positions)
    first, last = _loosest(automaton.first), _loosest(automaton.last)
    return Shape(signature.pattern, automaton.positions, before, after, first, last, certain)


def _loosest(ends: list[tuple[int, int]]) -> dict[int, int]:
    """One condition a position, the one that asks least."""
    found: dict[int, int] = {}
    for at, condition in ends:
        if condition != SOME or at not in found:
            found[at] = condition
    return found


# -- inside ---------------------------------------------------------------------------------------


def included(narrow: Shape, wide: Shape) -> bool:
    """Whether wide completes on every flow on which narrow does, at the latest with it."""
    if not (narrow.certain and wide.certain) or len(narrow.positions) * len(wide.positions) > MAX_PAIRS:
        return False
    a, b = narrow.pattern, wide.pattern
    if a.proto != b.proto or not _covers(b.ports, a.ports) or b.start > a.start:
        return False
    starts = {
        at: [(at, to) for to in _steps(wide, FREE, _entry(narrow, at), not b.start)] for at in narrow.first
    }
    simulated = _simulation(narrow, wide, [pair for pairs in starts.values() for pair in pairs])
    return all(any(pair in simulated for pair in pairs) for pairs in starts.values())


def _simulation(narrow: Shape, wide: Shape, starts: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Pairs such that whatever narrow does from here on, wide can follow and completes in time.

    The greatest such set: begin with all pairs within reach, take out what cannot follow until
    nothing changes.
    """
    pairs: set[tuple[int, int]] = set()
    stack = [pair for pair in starts if _fits(narrow, pair[0], wide, pair[1])]
    while stack:
        p, q = stack.pop()
        if (p, q) in pairs:
            continue
        pairs.add((p, q))
        if q != DONE:
            steps = ((after, to) for after, gap in narrow.after[p] for to in _steps(wide, q, gap))
            stack += [pair for pair in steps if pair not in pairs and _fits(narrow, pair[0], wide, pair[1])]
    while True:
        failing = {(p, q) for p, q in pairs if not _follows(narrow, p, wide, q, pairs)}
        if not failing:
            return pairs
        pairs -= failing


def _fits(narrow: Shape, p: int, wide: Shape, q: int) -> bool:
    """Whether the token at p can be the one at q, and wide is complete wherever narrow is."""
    if q == DONE:
        return True
    if q == FREE:
        return p not in narrow.last
    if narrow.kind(p) != wide.kind(q):
        return False
    a, b = narrow.size(p), wide.size(q)
    return b.low <= a.low and a.high <= b.high and (p not in narrow.last or _completes(narrow, p, wide, q))


def _completes(narrow: Shape, p: int, wide: Shape, q: int) -> bool:
    if q not in wide.last or wide.pattern.end > narrow.pattern.end:
        return False
    return wide.last[q] != SOME or narrow.last[p] == SOME


def _follows(narrow: Shape, p: int, wide: Shape, q: int, pairs: set[tuple[int, int]]) -> bool:
    return q == DONE or all(
        any((after, to) in pairs for to in _steps(wide, q, gap)) for after, gap in narrow.after[p]
    )


def _steps(wide: Shape, q: int, gap: int, free: bool = True) -> Iterator[int]:
    """Where wide can be after narrow's next token, which has the condition `gap` before it."""
    if q == FREE:
        if free:
            yield FREE
        for to, asked in wide.first.items():
            if asked != SOME or gap == SOME:
                yield to
        return
    for to, asked in wide.after[q]:
        if asked in (ANY, gap):
            yield to
    if q in wide.last and not wide.pattern.end and (wide.last[q] != SOME or gap == SOME):
        yield DONE


# -- meeting --------------------------------------------------------------------------------------


def meeting(a: Shape, b: Shape, tolerant: bool) -> Pattern | None:
    """A flow on which both complete with the same token, as an example; None if none was found."""
    port = _common_port(a.pattern, b.pattern)
    if port is None or a.pattern.end != b.pattern.end:
        return None
    came: dict[tuple[int, int], tuple[int, int, int] | None] = {}
    for p, behind in a.last.items():
        for q, other in b.last.items():
            if (behind == SOME) == (other == SOME) and _meet(a, p, b, q, tolerant):
                came[p, q] = None
    queue = list(came)
    while queue and len(came) < MAX_PAIRS:
        p, q = queue.pop()
        head = _head(a, p, b, q)
        if head is not None:
            return _example(a, b, port, head, _tail(a, b, p, q, came, tolerant))
        for p2, gap in a.before[p]:
            for q2, other in b.before[q]:
                both = _both(gap, other)
                if both is not None and (p2, q2) not in came and _meet(a, p2, b, q2, tolerant):
                    came[p2, q2] = (p, q, both)
                    queue.append((p2, q2))
    return None


Steps = list[tuple[int, Segment]]
"""Tokens, each with the condition before it."""


def _meet(a: Shape, p: int, b: Shape, q: int, tolerant: bool) -> bool:
    x, y = a.size(p, tolerant), b.size(q, tolerant)
    return a.positions[p].direction == b.positions[q].direction and max(x.low, y.low) <= min(x.high, y.high)


def _both(gap: int, other: int) -> int | None:
    """The condition that satisfies both; None if there is none."""
    if {gap, other} == {NONE, SOME}:
        return None
    return SOME if SOME in (gap, other) else min(gap, other)


def _head(a: Shape, p: int, b: Shape, q: int) -> tuple[int, Steps] | None:
    """If one pattern begins here: the condition before, and what the other has in front of it."""
    if p in a.first and q in b.first:
        gap = _both(_entry(a, p), _entry(b, q))
        if gap is not None and not (gap == SOME and (a.pattern.start or b.pattern.start)):
            return gap, []
    for one, at, other, there in ((a, p, b, q), (b, q, a, p)):
        if at not in one.first or one.pattern.start:
            continue
        for back, gap in other.before[there]:
            both = _both(_entry(one, at), gap)
            if both is not None:
                return both, _way_to(other, back)
    return None


def _entry(of: Shape, at: int) -> int:
    """What a pattern asks of the pause before its first token."""
    return of.first[at] if of.pattern.start else max(of.first[at], ANY)


def _way_to(of: Shape, at: int) -> Steps:
    """The shortest way of one pattern from its beginning to a position, as tokens."""
    came: dict[int, tuple[int, int] | None] = {at: None}
    queue = [at]
    for here in queue:
        if here in of.first and not (of.pattern.start and of.first[here] == SOME):
            break
        for back, gap in of.before[here]:
            if back not in came:
                came[back] = (here, gap)
                queue.append(back)
    steps: Steps = [(_entry(of, here), _token(of.positions[here], of.size(here).low))]
    while (link := came[here]) is not None:
        here, gap = link
        steps.append((gap, _token(of.positions[here], of.size(here).low)))
    return steps


def _tail(
    a: Shape,
    b: Shape,
    p: int,
    q: int,
    came: dict[tuple[int, int], tuple[int, int, int] | None],
    tolerant: bool,
) -> Steps:
    """From where they meet to the end; the first step's condition is not known here."""
    steps: Steps = []
    gap = ANY
    while True:
        x, y = a.size(p, tolerant), b.size(q, tolerant)
        size = min(max(a.size(p).low, x.low, y.low), x.high, y.high)  # as written, if that is in both
        steps.append((gap, _token(a.positions[p], size)))
        link = came[p, q]
        if link is None:
            return steps
        p, q, gap = link


def _token(position: Position, size: int) -> Segment:
    """The burst flag only says what the token stands for."""
    direction = "c" if position.direction > 0 else "s"
    return Segment(direction, Size(size, size, True), position.slot is not None)


def _example(a: Shape, b: Shape, port: Ports, head: tuple[int, Steps], tail: Steps) -> Pattern:
    gap, steps = head
    steps = [*steps, (gap, tail[0][1]), *tail[1:]]
    start = a.pattern.start or b.pattern.start
    items: list[Item] = []
    before: Segment | None = None
    if steps[0][0] == SOME and not start:  # a pause needs something before it
        before = Segment("s" if steps[0][1].direction == "c" else "c", Size(1, 1, True), False)
        items.append(before)
    for condition, token in steps:
        touching = before and before.direction == token.direction and (before.burst or token.burst)
        if before and (condition == SOME or (condition == ANY and touching)):
            items.append(Pause(Gap.SOME))
        items.append(Segment(token.direction, token.size, False))
        before = token
    if any(SOME in of.last.values() for of in (a, b)):
        items.append(Pause(Gap.SOME))
    return Pattern(a.pattern.proto, port, False, start, Sequence(tuple(items)), a.pattern.end)


# -- ports ----------------------------------------------------------------------------------------


def _covers(wide: Ports, narrow: Ports) -> bool:
    if not wide or not narrow:
        return not wide
    return all(any(low <= first and last <= high for low, high in wide) for first, last in narrow)


def _common_port(a: Pattern, b: Pattern) -> Ports | None:
    """One port of both, as a pattern has it; None if there is none."""
    if a.proto != b.proto:
        return None
    if a.proto == "icmp":
        return ()
    every = ((0, 65535),)
    for low, high in a.ports or every:
        for first, last in b.ports or every:
            if max(low, first) <= min(high, last):
                port = max(low, first)
                return ((port, port),)
    return None
