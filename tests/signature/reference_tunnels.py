"""The plain-Python twin of tunnels.pyx, runs.pyx and paths.pyx (and of gates.pyx and cuts.pyx, which it does
without): one pattern, one flow, no memory of what was seen before.

    run = overhead * records + sum of the tokens of a path

Tokens are those behind the server's answer to the hello; a place says how far a pattern has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fl0p_py.signature import automaton
from fl0p_py.signature.automaton import ANY, NONE, SOME
from fl0p_py.signature.overhead import CARRIERS, MOST_PLAIN, Carrier
from fl0p_py.signature.pattern import Signature

USUAL_READ = 1200
MOST_DEPTH = 12
MOST_RECORDS = 64
OPENING = (6, 16500)
"""What the hellos of overhead.py end with."""

Completion = tuple[str, int]
"""Carrier's name, tokens by then."""


@dataclass(frozen=True)
class Token:
    """size : signed by direction; gap : it comes after a pause"""

    size: int
    gap: bool = False


@dataclass(frozen=True)
class Place:
    """at : position that was reached, None in front of the pattern; base : bytes at the beginning of the run
    that are the tunnel's own; the others as in enum PlaceFlag of place.pxd."""

    carrier: Carrier
    at: int | None = None
    base: int = 0
    expect_client: bool = False
    expect_server: bool = False
    late: bool = False
    alerted: bool = False
    ticketed: bool = False


class ReferenceTunnel:
    def __init__(self, signature: Signature) -> None:
        self.pattern = signature.pattern
        self.machine = automaton.build([(0, signature)])
        self.places = {
            Place(one, expect_client=True, expect_server=bool(one.server or one.tickets[1]))
            for one in CARRIERS
        }
        self.found: set[Completion] = set()
        self.tickets = 0

    def follow(self, tokens: list[Token], before: int, *, end: bool, silent: bool) -> set[Completion]:
        """What completes in a flow of so many tokens before these; silent : it ends after a pause."""
        if not within(tokens[0].size, OPENING):
            return set()
        runs: list[list[int]] = []
        for number, token in enumerate(tokens):
            if not number or token.gap or (token.size > 0) != (tokens[number - 1].size > 0):
                runs.append([])
            runs[-1].append(number)
        for run in runs:
            behind = self.run([tokens[number] for number in run], before + run[0])
            last, number = run is runs[-1], before + run[-1] + 1
            gap = silent if last else tokens[run[-1] + 1].gap
            for place in behind:
                if place.at is not None and self.is_complete(place, gap, last and end, last):
                    self.found.add((place.carrier.via, number))
            self.places = behind
        first: dict[str, int] = {}
        for via, number in sorted(self.found, key=lambda one: one[1]):
            first.setdefault(via, number)
        return set(first.items())

    def is_complete(self, place: Place, gap: bool, end: bool, last: bool) -> bool:
        """Whether what follows the run completes the pattern: the other side, a pause, or the flow's end."""
        for at, trailing in self.machine.last:
            if at != place.at:
                continue
            if self.pattern.end:
                if end and (trailing != SOME or gap):
                    return True
            elif not place.alerted and (
                (gap and (not last or end)) if trailing == SOME else self.machine.positions[at].open_mask
            ):
                return True
        return False

    def run(self, tokens: list[Token], before: int) -> set[Place]:
        """The places behind a run; what completes with one of its tokens is noted."""
        self.client, self.gap = tokens[0].size > 0, tokens[0].gap
        self.own: set[int] = set()
        self.cuts: set[Place] = set()
        behind: set[Place] = set()
        size = 0
        for number, token in enumerate(tokens):
            size += abs(token.size)
            if abs(token.size) < USUAL_READ or number == len(tokens) - 1:
                behind = self.evaluate(size, before + number + 1)
        return behind

    def evaluate(self, size: int, number: int) -> set[Place]:
        behind: set[Place] = set()
        expecting = [place for place in self.places if place.expect_client]
        if expecting and not self.own:
            self.own = {size} & {one for place in expecting for one in place.carrier.client}
        for place in self.places:
            if place.expect_client:
                behind |= self.first_run(place, size, number)
            elif place.expect_server and not self.client:
                behind |= self.servers_own(place, size, number)
            elif not (place.expect_server and place.carrier.server):
                after = place if self.client else replace(place, ticketed=False)
                behind |= self.data(after, size, self.gap, number)
                if self.more_tickets(place, size):
                    behind.add(after)
        for place in self.cuts:
            behind |= self.data(place, size - place.base, False, number)
        if not self.client:
            self.cuts |= {
                replace(place, base=size, expect_server=False, ticketed=False)
                for place in self.places
                if (place.expect_server and within(size - place.carrier.server, place.carrier.tickets))
                or self.more_tickets(place, size)
            }
        return {replace(place, base=0) for place in behind}

    def more_tickets(self, place: Place, size: int) -> bool:
        """Whether the server's run may be the other half of the tickets."""
        return place.ticketed and not self.client and size == self.tickets

    def first_run(self, place: Place, size: int, number: int) -> set[Place]:
        behind: set[Place] = set()
        after = replace(place, expect_client=False)
        for client in place.carrier.client:
            if self.own and client not in self.own:
                continue
            if size == client:
                behind.add(after)
            elif size > client and not place.carrier.alone:
                behind |= self.data(after, size - client, False, number)
        return behind

    def servers_own(self, place: Place, size: int, number: int) -> set[Place]:
        carrier, rest = place.carrier, size - place.carrier.server
        tickets = within(rest, carrier.tickets)
        after = replace(place, expect_server=False)
        behind = {after} if tickets or (carrier.server and rest == 0) else set()
        if tickets and not carrier.server:
            self.tickets, behind = rest, {replace(after, ticketed=True)}
        if carrier.server and rest > 0:
            behind |= self.data(after, rest, False, number)
        elif not carrier.server and (place.at is not None or not tickets):
            behind |= self.data(after, rest, self.gap, number)
        return behind

    def data(self, place: Place, size: int, gap: bool, number: int) -> set[Place]:
        """The bytes as records, the last of which may be an alert."""
        behind: set[Place] = set()
        alert = place.carrier.alert
        if size == alert and place.at is not None and self.may_end(place.at):
            behind.add(replace(place, alerted=True))
        if place.alerted:
            return behind
        if place.at is None and not self.pattern.start and size > 0:
            behind.add(replace(place, late=True))
        for at in self.explain(place, size, gap):
            behind.add(replace(place, at=at))
            if not self.pattern.end and (at, NONE) in {
                (last, NONE if trailing != SOME else SOME)
                for last, trailing in self.machine.last
                if not self.machine.positions[last].open_mask
            }:
                self.found.add((place.carrier.via, number))
        if size > alert:
            behind |= {
                replace(place, at=at, alerted=True)
                for at in self.explain(place, size - alert, gap)
                if self.may_end(at)
            }
        return behind

    def may_end(self, at: int) -> bool:
        return self.pattern.end and any(at == last for last, _ in self.machine.last)

    def explain(self, place: Place, size: int, gap: bool) -> set[int]:
        """Positions that a run of this size may lead to."""
        found: set[int] = set()
        for at in self.steps(place, gap):
            self.walk(at, (0, 0, 0), place.carrier, size, 0, found)
        return found

    def steps(self, place: Place, gap: bool) -> Iterator[int]:
        if place.at is None:
            steps = [] if self.pattern.start and place.late else self.machine.first
        else:
            steps = [(e.to, e.condition) for e in self.machine.edges[place.at] if not e.extend]
        for at, condition in steps:
            if (self.machine.positions[at].direction > 0) != self.client:
                continue
            if condition == ANY or gap == (condition == SOME) or (place.at is None and condition != SOME):
                yield at

    def walk(
        self, at: int, so_far: tuple[int, int, int], carrier: Carrier, size: int, depth: int, found: set[int]
    ) -> None:
        here = self.machine.positions[at]
        low, high, records = so_far
        low, high = low + max(1, here.size.low), high + here.size.high
        burst = here.slot is not None
        records += 2 + here.size.high // USUAL_READ if burst else 1 + here.size.high // MOST_PLAIN
        records = min(records, MOST_RECORDS)
        fits = any(
            max(low, size - n * (carrier.overhead + carrier.slack))
            <= min(high, size - n * carrier.overhead, n * MOST_PLAIN)
            for n in range(1, records + 1)
            if (size - n * carrier.alert) % (carrier.slack + 1) == 0
        )
        if fits:
            found.add(at)
        if burst or depth == MOST_DEPTH:
            return
        for edge in self.machine.edges[at]:
            there = self.machine.positions[edge.to]
            if edge.extend or edge.condition == SOME or there.slot is not None:
                continue
            if there.direction != here.direction:
                continue
            if fits and (there.size.low, there.size.high) == (here.size.low, here.size.high):
                continue  # of a row of like tokens, as few as will do
            self.walk(edge.to, (low, high, records), carrier, size, depth + 1, found)


def within(size: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= size <= bounds[1]
