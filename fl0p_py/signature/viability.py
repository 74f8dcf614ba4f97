"""Whether a pattern can match at all: the pauses and bursts that stand side by side.

Three things never happen: a pause before a flow's first token; a burst directly behind a token or
burst of its own direction without a pause (it would have begun earlier); something of its own
direction directly behind a burst without a pause (the burst would go on).  `dead` finds the first
item of a pattern that only such neighbours could lead to.

What stands before an item is one of thirty *contexts*: how the sequence so far ends (10 ways) and
the pause asked for since (3).  What an item makes of a context is found once and remembered, so
repeats are never written out.
"""

from __future__ import annotations

from typing import NamedTuple

from fl0p_py.errors import Place
from fl0p_py.signature.pattern import Choice, Gap, Item, Pattern, Pause, Repeat, Segment, Sequence, Unordered


class Dead(NamedTuple):
    """An item that nothing can lead to."""

    place: Place | None
    reason: str


class Context(NamedTuple):
    """What stands before an item.

    last : direction of the last token, "" at the beginning
    open : directions in which a burst ended last; more than one only behind `( C & S )`
    anchored : at the beginning: whether it is the flow's (`<`)
    gap : the pause asked for since
    """

    last: str
    open: str
    anchored: bool
    gap: Gap


Contexts = frozenset[Context]

_BEFORE_START = "can never match: there is no pause before the first token of a flow"
_BEFORE_BURST = "can never match: without a '+' before it this burst would have begun earlier"
_AFTER_BURST = "can never match: without a '+' before it this would belong to the burst before it"
_GROUP = "can never match: without a '+' a burst stands beside its own direction"


def dead(pattern: Pattern) -> Dead | None:
    """The first item of the pattern that can never match; None if all is well."""
    start = Context("", "", pattern.start, Gap.NONE)
    return _Walk().first_dead(pattern.sequence, frozenset({start}))


class _Walk:
    """One pattern's walk; remembers what each item makes of each context."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, Context], Contexts] = {}

    def first_dead(self, sequence: Sequence, contexts: Contexts) -> Dead | None:
        for item in sequence.items:
            found = self.inside(item, contexts)
            if found:
                return found
            after = self.item(item, contexts)
            if not after:
                return Dead(item.place, _reason(item, contexts))
            contexts = after
        return None

    def inside(self, item: Item, contexts: Contexts) -> Dead | None:
        """The first dead item inside of a group or repeat."""
        if isinstance(item, Choice):
            for alternative in item.alternatives:
                found = self.first_dead(alternative, contexts)
                if found:
                    return found
        if isinstance(item, Repeat):
            found = self.inside(item.atom, self.rounds(item.atom, contexts))
            if found:
                return found
            again = self.item(item.atom, contexts)
            if item.low > 1 and again and not self.item(item, contexts):
                return Dead(item.place, _reason(item.atom, again) + " in the next round")
        return None

    def rounds(self, atom: Item, contexts: Contexts) -> Contexts:
        """The contexts and whatever any number of rounds can leave behind."""
        while True:
            more = contexts | self.item(atom, contexts)
            if more == contexts:
                return contexts
            contexts = more

    def item(self, item: Item, contexts: Contexts) -> Contexts:
        """What can stand before the next item when any of `contexts` stands before this one."""
        after: set[Context] = set()
        for context in contexts:
            key = (id(item), context)
            if key not in self.known:
                self.known[key] = self.one(item, context)
            after |= self.known[key]
        return frozenset(after)

    def one(self, item: Item, context: Context) -> Contexts:
        match item:
            case Pause():
                return frozenset({context._replace(gap=context.gap.and_(item.gap))})
            case Segment():
                return _segment(context, item)
            case Unordered():
                return self.unordered(context, item)
            case Choice():
                return frozenset().union(*(self.sequence(part, context) for part in item.alternatives))
            case Repeat():
                after = frozenset({context})
                for _ in range(item.low):
                    after = self.item(item.atom, after)
                return self.rounds(item.atom, after) if item.high != item.low else after

    def sequence(self, sequence: Sequence, context: Context) -> Contexts:
        contexts = frozenset({context})
        for item in sequence.items:
            contexts = self.item(item, contexts)
        return contexts

    def unordered(self, context: Context, item: Unordered) -> Contexts:
        sides = (item.left, item.right)
        free = Context("", "", False, Gap.NONE)
        if not all(self.sequence(side, free) for side in sides):
            return frozenset()
        if not any(_enters(context, *order) for order in (sides, sides[::-1])):
            return frozenset()
        lasts = [side.items[-1] for side in sides]
        open_ = "".join(sorted(last.direction for last in lasts if isinstance(last, Segment) and last.burst))
        return frozenset(Context(last, open_, False, Gap.NONE) for last in "cs")


def _reason(item: Item, contexts: Contexts) -> str:
    """Why `item` cannot follow any of the contexts."""
    while isinstance(item, Repeat | Choice):
        item = item.atom if isinstance(item, Repeat) else item.alternatives[0].items[-1]
    if all(context.anchored for context in contexts):
        return _BEFORE_START
    if not isinstance(item, Segment):
        return _GROUP
    return _AFTER_BURST if any(item.direction in context.open for context in contexts) else _BEFORE_BURST


def _segment(context: Context, item: Segment) -> Contexts:
    if context.gap is Gap.NONE:
        if item.direction in context.open:
            return frozenset()
        if item.burst and context.last == item.direction:
            return frozenset()
    if context.gap is Gap.SOME and context.anchored:
        return frozenset()
    return frozenset({Context(item.direction, item.direction if item.burst else "", False, Gap.NONE)})


def _enters(context: Context, first: Sequence, second: Sequence) -> bool:
    """Whether the group can begin with `first`; `second` sees past it to what stands before."""
    gap, segment = _head(first)
    if not _segment(context._replace(gap=context.gap.and_(gap)), segment):
        return False
    gap, segment = _head(second)
    return not (gap is Gap.NONE and segment.burst and context.last == segment.direction)


def _head(side: Sequence) -> tuple[Gap, Segment]:
    """The first segment of a side and the pause asked for before it."""
    gap = Gap.NONE
    for item in side.items:
        if isinstance(item, Segment):
            return gap, item
        if isinstance(item, Pause):
            gap = gap.and_(item.gap)
    raise ValueError("a side of '&' without a segment")
