"""The language's meaning in the simplest words: does a pattern match a flow, and when?

This is the twin that the matcher is compared with.  It knows a whole, finished flow and asks, for
every place where a match could begin, in which states each item can leave it.  No attention is paid
to speed.  The decisions it stands for, which docs/signatures.md tells users:

* **Where a match may begin.**  With `<` only at the first token of a flow whose start was seen;
  without it at any token, whatever the pause before that token, unless the pattern begins with `+`.
* **Pauses.**  Between two consecutive items stands one condition: `+` if any `+` stands there, else
  `+?` if any does, else "no pause".  Parentheses do not matter for it, nor does an item left out by
  `{0,}`: in `c1 + s2{0,1} + c3` both `+` meet when there is no s2, and ask the same once.
* A flow's first token never has a pause before it.
* **Bursts** are maximal on both sides.  Before one stands the other direction, a pause, or the first
  token seen of the flow; behind it the other direction, a pause, or the end of the flow.  So there is
  exactly one way for a burst to lie on a flow, given its first token.
* **`( a & b )`.**  The group covers a run of tokens.  For each side the tokens of the other direction
  in that run do not exist: its items, in order, cover all its own tokens, and the pause before a
  token is still the pause that the flow had there.  The condition in front of the group is asked of
  whichever token comes first, on top of that token's own.  For the bursts of a side, the neighbours
  are the token before the group and the token behind it, whatever their direction, and its own tokens.
* **A trailing `+`** completes when the threshold has passed since the last token: a paused token
  follows, or the flow goes on in silence.  A trailing `+?` says nothing.
* **`>`** is the flow's seen end, behind its last token.  It asks for no pause and for no absence of
  one; `+ >` asks for a silence of at least the threshold before the end.
* **Completion.**  A token at the end completes the pattern at once; a burst or a trailing `+` a moment
  later, before the next token does anything; `>` after everything else.
* **Firing.**  Once per flow, at the earliest completion.  A `count` signature fires at each
  non-overlapping one: in order of completion, a match counts if it begins behind the last token of
  the match that fired before it.  If it begins with `<` and ends with a repeat without end, every
  completion counts: each round of the repeat is one.
* **Tolerance** widens sizes written as one number, also of bursts, unless the pattern has `=`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fl0p_py.signature.pattern import (
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


@dataclass(frozen=True)
class Token:
    """paused: at least the threshold passed before it; never true for a flow's first."""

    direction: str
    size: int
    paused: bool = False


@dataclass(frozen=True)
class Flow:
    """A finished flow.

    start, end : whether they were seen; silent : whether the threshold passed behind the last token
    before the flow ended or the capture did; port : the server's
    """

    tokens: tuple[Token, ...]
    start: bool = True
    end: bool = False
    silent: bool = False
    proto: str = "tcp"
    port: int = 0


@dataclass(frozen=True, order=True)
class Completion:
    """When a match is complete, and where it began.

    tokens : how many tokens of the flow precede its end
    moment : 0 with the last of these tokens, 1 once it is known what follows, 2 at `>`
    begin : tokens of the flow before the match
    """

    tokens: int
    moment: int
    begin: int


@dataclass(frozen=True)
class State:
    """Between two items: tokens behind it, the pause asked for since, and whether a burst was last."""

    at: int
    gap: Gap
    burst: bool = False


def flow_of(pattern: Pattern) -> Flow:
    """The flow that an example describes: exact tokens, `+` where the pauses were."""
    tokens: list[Token] = []
    paused = False
    for item in pattern.sequence.items:
        if isinstance(item, Pause):
            paused = True
            continue
        assert isinstance(item, Segment)
        tokens.append(Token(item.direction, item.size.low, paused and bool(tokens)))
        paused = False
    port = pattern.ports[0][0] if pattern.ports else 0
    return Flow(tuple(tokens), pattern.start, pattern.end, paused, pattern.proto, port)


def fires(pattern: Pattern, flow: Flow, count: bool = False, tolerant: bool = False) -> list[Completion]:
    """The firings on the flow, in order; at most one unless `count`."""
    fired: list[Completion] = []
    behind = 0
    for completion in completions(pattern, flow, tolerant):
        if completion.begin >= behind or (count and in_rounds(pattern)):
            fired.append(completion)
            behind = completion.tokens
            if not count:
                break
    return fired


def in_rounds(pattern: Pattern) -> bool:
    """Whether `count` fires at each round of a repeat at the pattern's end."""
    return pattern.start and not pattern.end and _ends_in_rounds(pattern.sequence)


def _ends_in_rounds(sequence: Sequence) -> bool:
    last = sequence.items[-1]
    if isinstance(last, Repeat):
        return last.high is None or (
            isinstance(last.atom, Choice) and any(map(_ends_in_rounds, last.atom.alternatives))
        )
    return isinstance(last, Choice) and any(map(_ends_in_rounds, last.alternatives))


def completions(pattern: Pattern, flow: Flow, tolerant: bool = False) -> list[Completion]:
    """Every way in which the pattern matches, earliest completion first, then earliest begin."""
    if not applies(pattern, flow):
        return []
    walk = _Walk(flow.tokens, tolerant and not pattern.exact)
    begins = range(len(flow.tokens))
    if pattern.start:
        begins = range(1 if flow.start else 0)
    found = set()
    for begin in begins:
        # Gap.ANY: an unanchored pattern asks nothing of the pause before its first token
        before = State(begin, Gap.NONE if pattern.start else Gap.ANY)
        for state in walk.sequence(pattern.sequence, {before}):
            completed = _completed(pattern, flow, state)
            if completed:
                found.add(Completion(*completed, begin))
    return sorted(found)


def applies(pattern: Pattern, flow: Flow) -> bool:
    """Whether the pattern is for this protocol and port at all."""
    ports = pattern.ports
    return pattern.proto == flow.proto and (not ports or any(low <= flow.port <= high for low, high in ports))


def _completed(pattern: Pattern, flow: Flow, state: State) -> tuple[int, int] | None:
    """Tokens and moment of the completion, if behind the last item all is as asked."""
    last = state.at == len(flow.tokens)
    paused = flow.silent if last else flow.tokens[state.at].paused
    if state.gap is Gap.SOME and not paused:
        return None
    if pattern.end:
        return (state.at, 2) if last and flow.end else None
    return state.at, 1 if state.burst or state.gap is Gap.SOME else 0


class _Walk:
    """Items on a run of tokens: from each state before an item to all states behind it."""

    def __init__(self, tokens: tuple[Token, ...], tolerant: bool) -> None:
        self.tokens, self.tolerant = tokens, tolerant

    def sequence(self, sequence: Sequence, states: Iterable[State]) -> set[State]:
        now = set(states)
        for item in sequence.items:
            now = self.item(item, now)
        return now

    def item(self, item: Item, states: Iterable[State]) -> set[State]:
        return {after for state in states for after in self.one(item, state)}

    def one(self, item: Item, state: State) -> set[State]:
        match item:
            case Pause():
                return {replace(state, gap=state.gap.and_(item.gap))}
            case Segment():
                return self.burst(item, state) if item.burst else self.token(item, state)
            case Choice():
                return {after for part in item.alternatives for after in self.sequence(part, {state})}
            case Unordered():
                return self.unordered(item, state)
            case Repeat():
                return self.repeat(item, state)

    def repeat(self, item: Repeat, state: State) -> set[State]:
        states = {state}
        for _ in range(item.low):
            states = self.item(item.atom, states)
        reached = set(states)
        rounds = 0
        while states and (item.high is None or item.low + rounds < item.high):
            states = self.item(item.atom, states) - reached
            reached |= states
            rounds += 1
        return reached

    def token(self, item: Segment, state: State) -> set[State]:
        if not self.may_follow(state, item):
            return set()
        if not self.fits(item.size, self.tokens[state.at].size):
            return set()
        return {State(state.at + 1, Gap.NONE)}

    def burst(self, item: Segment, state: State) -> set[State]:
        if not self.may_follow(state, item):
            return set()
        if state.at > 0 and self.goes_on(item.direction, state.at):
            return set()  # it began earlier
        end = state.at + 1
        while self.goes_on(item.direction, end):
            end += 1
        if not self.fits(item.size, sum(token.size for token in self.tokens[state.at : end])):
            return set()
        return {State(end, Gap.NONE, True)}

    def goes_on(self, direction: str, at: int) -> bool:
        """Whether token `at` joins the token of `direction` before it in one burst, if that is one."""
        if at == len(self.tokens) or self.tokens[at].paused:
            return False
        return self.tokens[at].direction == self.tokens[at - 1].direction == direction

    def may_follow(self, state: State, item: Segment) -> bool:
        """Whether there is a token of the item's direction, with the pause before it that is asked for."""
        if state.at == len(self.tokens):
            return False
        token = self.tokens[state.at]
        asked = {Gap.NONE: not token.paused, Gap.SOME: token.paused, Gap.ANY: True}
        return token.direction == item.direction and asked[state.gap]

    def fits(self, size: Size, value: int) -> bool:
        if self.tolerant:
            size = size.tolerant()
        return size.low <= value <= size.high

    def unordered(self, item: Unordered, state: State) -> set[State]:
        found = set()
        for end in range(state.at + 1, len(self.tokens) + 1):
            if all(self.side(side, state, end) for side in (item.left, item.right)):
                found.add(State(end, Gap.NONE, _ends_in_burst(item.left) or _ends_in_burst(item.right)))
        return found

    def side(self, side: Sequence, state: State, end: int) -> bool:
        """Whether a side covers all tokens of its direction in the run from the state to `end`."""
        direction = next(item.direction for item in side.items if isinstance(item, Segment))
        before = self.tokens[max(0, state.at - 1) : state.at]
        own = tuple(token for token in self.tokens[state.at : end] if token.direction == direction)
        behind = self.tokens[end : end + 1]
        first = self.tokens[state.at].direction == direction
        view = _Walk(before + own + behind, self.tolerant)
        begin = State(len(before), state.gap if first else Gap.NONE)
        return any(after.at == len(before) + len(own) for after in view.sequence(side, {begin}))


def _ends_in_burst(side: Sequence) -> bool:
    last = side.items[-1]
    return isinstance(last, Segment) and last.burst
