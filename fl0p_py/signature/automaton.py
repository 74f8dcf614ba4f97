"""The position automaton of a pattern: which segment may follow which, and under what condition.

Every segment of the pattern, after its repeats are written out, is a *position*; entering a position
takes one token.  A burst's position may be entered again by the tokens that go on with it.  In
`( a & b )` a position stands for a pair of places, one on each side, and the side that spoke last, so
two bursts may be open at once; hence two *slots*, each with its own sum.

    Glushkov, The abstract theory of automata (1961), for patterns without groups; the shuffle product
    for `&`.

Refuses, with a SignatureError, patterns that need more than MAX_POSITIONS or MAX_EDGES.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from fl0p_py.errors import SignatureError
from fl0p_py.signature.extent import shortest_item
from fl0p_py.signature.pattern import (
    Atom,
    Choice,
    Gap,
    Item,
    Pause,
    Repeat,
    Segment,
    Sequence,
    Signature,
    Size,
    Unordered,
)

MAX_POSITIONS = 4096
"""Of one signature.  `( c1 | s1 ){255}` takes 510; more than this is a mistake or malice."""
MAX_EDGES = 65536

NONE, ANY, SOME = 0, 1, 2
"""Gap conditions, as in state.pxd; where two meet, the larger holds (`+` before `+?` before nothing)."""
AFTER_ANY, AFTER_GROUP, AFTER_OWN = 0, 1, 2
CONDITION = {Gap.NONE: NONE, Gap.ANY: ANY, Gap.SOME: SOME}
DIRECTION = {"c": 1, "s": -1}


class Position(NamedTuple):
    """A place in the pattern, reached by taking a token.

    direction : of that token, 1 client, -1 server
    size      : bounds for that token, or for the sum if it is part of a burst
    slot      : None for a single token, else the slot (0, 1) that adds up the burst
    open      : for each slot the bounds of the burst that is open here, and its direction
    unordered : inside `( a & b )`
    """

    direction: int
    size: Size
    slot: int | None = None
    open: tuple[tuple[Size, int] | None, tuple[Size, int] | None] = (None, None)
    unordered: bool = False

    @property
    def open_mask(self) -> int:
        return (self.open[0] is not None) | (self.open[1] is not None) << 1


class Edge(NamedTuple):
    """A step to position `to` on a token whose gap satisfies `condition`.

    extend : the token goes on with the burst of that position's slot
    close  : mask of the slots whose bursts must be over, and their sums right
    begin  : if the token begins a burst: AFTER_ANY, AFTER_GROUP, AFTER_OWN; see state.pxd
    enters : leads into `( a & b )` from outside
    """

    to: int
    condition: int
    extend: bool = False
    close: int = 0
    begin: int = 0
    enters: bool = False


NOTHING = frozenset({NONE})
"""What stands for no token and no pause."""

SHARED = -1

Ends = list[tuple[int, int]]
"""Pairs of a position and the condition of the pause next to it."""


@dataclass(slots=True)
class Fragment:
    """A part of a pattern: where it begins and ends, and the pauses it amounts to without a token."""

    first: Ends
    last: Ends
    empty: frozenset[int] = frozenset()


@dataclass(slots=True)
class Automaton:
    """first, last : with the condition of a leading or trailing pause.

    owner : for each position the signature that it belongs to, as `build` was told; SHARED: several
    """

    positions: list[Position] = field(default_factory=list)
    edges: list[dict[Edge, None]] = field(default_factory=list)
    first: Ends = field(default_factory=list)
    last: Ends = field(default_factory=list)
    owner: list[int] = field(default_factory=list)

    def paths(self, most: int, longest: int) -> list[tuple[list[int], list[int], int]] | None:
        """All ways through, as (positions, conditions, trailing condition), if there are at most
        `most`, none longer than `longest`, and no bursts; else None."""
        if any(position.slot is not None for position in self.positions):
            return None
        found: list[tuple[list[int], list[int], int]] = []
        stack = [([position], [condition]) for position, condition in reversed(self.first)]
        budget = most * longest * 4
        while stack:
            positions, conditions = stack.pop()
            found += [
                (positions, conditions, condition) for at, condition in self.last if at == positions[-1]
            ]
            budget -= 1
            if len(positions) > longest or len(found) > most or budget < 0:
                return None
            for edge in reversed(self.edges[positions[-1]]):
                stack.append(([*positions, edge.to], [*conditions, edge.condition]))
        return found

    def heads(self, longest: int) -> list[tuple[list[int], list[int]]]:
        """Plain beginnings, each as long as only one single token can come next: (positions, conditions)."""
        last = {position for position, _ in self.last}
        found = []
        for position, condition in self.first:
            positions, conditions = [position], [condition]
            while len(positions) < longest:
                here = positions[-1]
                if here in last or len(self.edges[here]) != 1 or self.positions[here].open_mask:
                    break
                (edge,) = self.edges[here]
                if self.positions[edge.to].slot is not None:
                    break
                positions.append(edge.to)
                conditions.append(edge.condition)
            found.append((positions, conditions))
        return found


def build(members: list[tuple[int, Signature]]) -> Automaton:
    """The automaton of signatures, each with its number, that begin alike.

    The items that several have in common, from the first on, have one set of positions: a dozen
    signatures of one service mostly differ only in what comes late, and most flows never get there.
    What is left of each signature takes at least one token, so no shared position is a last one.
    """
    builder = _Builder(members[0][1])
    builder.grow(members)
    builder.automaton.first = list(dict.fromkeys(builder.automaton.first))
    return builder.automaton


def ways(items: tuple[Item, ...]) -> list[tuple[Item, ...]]:
    """A sequence that ends with alternatives as one sequence for each: so they may be shared in part.

    Groups without alternatives are taken apart, and a counted repeat at the end is written out.
    """
    flat: list[Item] = []
    for item in items:
        flat += _flat(item)
    last = flat[-1]
    if isinstance(last, Repeat) and last.low == last.high:
        return ways((*flat[:-1], *[last.atom] * last.low))
    if isinstance(last, Choice):
        return [way for part in last.alternatives for way in ways((*flat[:-1], *part.items))]
    return [tuple(flat)]


def _flat(item: Item) -> list[Item]:
    if isinstance(item, Choice) and len(item.alternatives) == 1:
        return [inner for part in item.alternatives[0].items for inner in _flat(part)]
    return [item]


Member = tuple[int, Signature, tuple[Item, ...], int]
"""A signature's number, the signature, one of its `ways`, and in it the last item that takes a token."""


class _Builder:
    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.automaton = Automaton()
        self.made: dict[int, list[int]] = {}
        self.count = [0, 0]

    def grow(self, signatures: list[tuple[int, Signature]]) -> None:
        """Add the patterns of all signatures; where some go on alike, once for these."""
        members: list[Member] = []
        for number, signature in signatures:
            items = signature.pattern.sequence.items
            for way in ways(items) if len(signatures) > 1 else [items]:
                last = max((at for at, item in enumerate(way) if shortest_item(item)), default=0)
                members.append((number, signature, way, last))
        to_do = [(Fragment([], [], NOTHING), members, 0)]
        while to_do:
            whole, members, at = to_do.pop()
            alike: dict[object, list[Member]] = {}
            for index, member in enumerate(members):
                items = member[2]
                shareable = len(members) > 1 and at < member[3]
                alike.setdefault(items[at] if shareable else index, []).append(member)
            for group in alike.values():
                number, self.signature, items, _ = group[0]
                if len(group) > 1:
                    self.begin(number if all(member[0] == number for member in group) else SHARED)
                    common = self.concatenate(whole, self.item(items[at]))
                    to_do.append((common, group, at + 1))
                else:
                    self.begin(number)
                    end = whole
                    for item in items[at:]:
                        end = self.concatenate(end, self.item(item))
                    self.automaton.first += end.first
                    self.automaton.last += end.last

    def begin(self, number: int) -> None:
        """The positions made from now on belong to this signature, whose bounds hold for all of its parts
        together; what is shared is bounded part by part."""
        self.number = number
        self.count = [0, 0] if number == SHARED else self.made.setdefault(number, [0, 0])

    def too_large(self) -> SignatureError:
        signature = self.signature
        inside = f" inside of {signature.via}" if signature.via else ""
        return SignatureError(
            signature.source or "signature",
            signature.where or signature.id,
            f"pattern too large{inside}: repeats and alternatives make more than {MAX_POSITIONS} items of it",
        )

    def reserve(self, positions: int, edges: int) -> None:
        """Count in what is about to be added; raises SignatureError if that is too much."""
        self.count[0] += positions
        self.count[1] += edges
        if self.count[0] > MAX_POSITIONS or self.count[1] > MAX_EDGES:
            raise self.too_large()

    def position(self, position: Position) -> int:
        self.reserve(1, 0)
        self.automaton.positions.append(position)
        self.automaton.edges.append({})
        self.automaton.owner.append(self.number)
        return len(self.automaton.positions) - 1

    def edge(self, start: int, edge: Edge) -> None:
        self.reserve(0, 1)
        self.automaton.edges[start][edge] = None

    def connect(self, ends: Ends, starts: Ends, pauses: frozenset[int] = NOTHING) -> None:
        for end, after in ends:
            close = self.automaton.positions[end].open_mask
            for start, before in starts:
                enters = self.automaton.positions[start].unordered
                for pause in pauses:
                    self.edge(end, Edge(start, max(after, before, pause), close=close, enters=enters))

    def concatenate(self, left: Fragment, right: Fragment) -> Fragment:
        if not left.first and left.empty == NOTHING:
            return right
        if not right.first and right.empty == NOTHING:
            return left
        self.connect(left.last, right.first)
        return Fragment(
            left.first + [(p, max(c, pause)) for p, c in right.first for pause in left.empty],
            right.last + [(p, max(c, pause)) for p, c in left.last for pause in right.empty],
            frozenset(max(a, b) for a in left.empty for b in right.empty),
        )

    def sequence(self, sequence: Sequence) -> Fragment:
        whole = Fragment([], [], NOTHING)
        for item in sequence.items:
            whole = self.concatenate(whole, self.item(item))
        return whole

    def item(self, item: Item) -> Fragment:
        if isinstance(item, Pause):
            return Fragment([], [], frozenset({CONDITION[item.gap]}))
        if isinstance(item, Repeat):
            return self.repeat(item)
        return self.atom(item)

    def atom(self, atom: Atom) -> Fragment:
        if isinstance(atom, Segment):
            return self.segment(atom)
        if isinstance(atom, Choice):
            parts = [self.sequence(alternative) for alternative in atom.alternatives]
            return Fragment(
                [end for part in parts for end in part.first],
                [end for part in parts for end in part.last],
                frozenset[int]().union(*(part.empty for part in parts)),
            )
        return self.unordered(atom)

    def segment(self, segment: Segment) -> Fragment:
        direction = DIRECTION[segment.direction]
        if not segment.burst:
            at = self.position(Position(direction, segment.size))
        else:
            opened = ((segment.size, direction), None)
            at = self.position(Position(direction, segment.size, 0, opened))
            self.edge(at, Edge(at, NONE, extend=True))
        return Fragment([(at, NONE)], [(at, NONE)])

    def repeat(self, repeat: Repeat) -> Fragment:
        """`a{2,4}` is a a (a (a)?)?; `a{2,}` is a a+; `a{0,}` is (a+)?."""
        copies = _Copies(self, repeat.atom)
        if repeat.high is None:
            whole = copies.next()
            self.connect(whole.last, whole.first, whole.empty | NOTHING)
            if repeat.low == 0:
                whole.empty |= NOTHING
            mandatory = max(repeat.low - 1, 0)
        else:
            whole = Fragment([], [], NOTHING)
            for _ in range(repeat.high - repeat.low):
                whole = self.concatenate(copies.next(), whole)
                whole.empty |= NOTHING
            mandatory = repeat.low
        for _ in range(mandatory):
            whole = self.concatenate(copies.next(), whole)
        return whole

    def unordered(self, group: Unordered) -> Fragment:
        left, right = _side(group.left), _side(group.right)
        places: dict[tuple[int, int, int], int] = {}
        for i in range(len(left) + 1):
            for j in range(len(right) + 1):
                opened = (_open(left, i), _open(right, j))
                for slot, side, taken in ((0, left, i), (1, right, j)):
                    if taken:
                        segment = side[taken - 1][0]
                        places[i, j, slot] = self.position(
                            Position(
                                DIRECTION[segment.direction],
                                segment.size,
                                slot if segment.burst else None,
                                opened,
                                unordered=True,
                            )
                        )
        for (i, j, _), at in places.items():
            for slot, side, taken, after in ((0, left, i, (i + 1, j, 0)), (1, right, j, (i, j + 1, 1))):
                bursting = taken > 0 and side[taken - 1][0].burst
                if bursting:
                    self.edge(at, Edge(places[i, j, slot], NONE, extend=True))
                if taken < len(side):
                    begin = AFTER_OWN if taken else AFTER_GROUP
                    self.edge(at, Edge(places[after], side[taken][1], close=bursting << slot, begin=begin))
        first = [(places[1, 0, 0], left[0][1]), (places[0, 1, 1], right[0][1])]
        last = [(places[len(left), len(right), slot], NONE) for slot in (0, 1)]
        return Fragment(first, last)


class _Copies:
    """Any number of copies of an atom; the tree is walked for the first one only."""

    def __init__(self, builder: _Builder, atom: Atom) -> None:
        self.builder = builder
        self.begin = len(builder.automaton.positions)
        self.original = builder.atom(atom)
        self.positions = builder.automaton.positions[self.begin :]
        self.edges = [list(edges) for edges in builder.automaton.edges[self.begin :]]
        self.count = sum(map(len, self.edges))
        self.used = False

    def next(self) -> Fragment:
        first, last, empty = self.original.first, self.original.last, self.original.empty
        if not self.used:
            self.used = True
            return Fragment(first, last, empty)
        automaton = self.builder.automaton
        offset = len(automaton.positions) - self.begin
        self.builder.reserve(len(self.positions), self.count)
        automaton.positions += self.positions
        automaton.owner += [self.builder.number] * len(self.positions)
        for edges in self.edges:
            automaton.edges.append({Edge(edge.to + offset, *edge[1:]): None for edge in edges})
        return Fragment([(at + offset, c) for at, c in first], [(at + offset, c) for at, c in last], empty)


def _side(side: Sequence) -> list[tuple[Segment, int]]:
    """The segments of one side of `&`, repeats written out, each with the pause before it."""
    segments: list[tuple[Segment, int]] = []
    pause = NONE
    for item in side.items:
        if isinstance(item, Pause):
            pause = max(pause, CONDITION[item.gap])
            continue
        atom, times = (item.atom, item.low) if isinstance(item, Repeat) else (item, 1)
        if not isinstance(atom, Segment):
            raise TypeError("a side of & holds segments only")
        for _ in range(times):
            segments.append((atom, pause))
            pause = NONE
    return segments


def _open(side: list[tuple[Segment, int]], taken: int) -> tuple[Size, int] | None:
    if not taken or not side[taken - 1][0].burst:
        return None
    segment = side[taken - 1][0]
    return segment.size, DIRECTION[segment.direction]


def family(signature: Signature) -> object:
    """What signatures must have in common to be built together; its own id if nothing will do."""
    pattern = signature.pattern
    first = pattern.sequence.items[0]
    if not pattern.start or not shortest_item(first):
        return signature.id
    return pattern.proto, pattern.ports, pattern.exact, signature.threshold_ms, first


def has_burst(sequence: Sequence) -> bool:
    """Whether there is a burst anywhere in it."""
    for item in sequence.items:
        atom = item.atom if isinstance(item, Repeat) else item
        if isinstance(atom, Segment):
            if atom.burst:
                return True
        elif isinstance(atom, Choice):
            if any(map(has_burst, atom.alternatives)):
                return True
        elif isinstance(atom, Unordered) and (has_burst(atom.left) or has_burst(atom.right)):
            return True
    return False
