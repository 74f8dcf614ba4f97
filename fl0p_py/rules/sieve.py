"""Sieve: which of the packets that come into question for a rule are worth a closer look.

Fields, protocols, ports, addresses of IPv4, and whether any rule can have set a variable of the flow by now
are looked at for all packets of a step together, by columns of their records.  Whoever passes is evaluated in
full; whoever does not would not have matched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fl0p_py.flow.segment_batch import FAR, HOLE, OTHER
from fl0p_py.rules.address import IPV6
from fl0p_py.rules.condition import PROTOCOL_NUMBERS
from fl0p_py.rules.field import Flags, Number
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.integer import COMPARES, Integer, Scope
from fl0p_py.rules.machine import Ready
from fl0p_py.rules.moment import ICMP, ICMP6
from fl0p_py.rules.ranges import Ranges

if TYPE_CHECKING:
    from fl0p_py.flow.table import FlowTable

_COLUMNS = {"dsize": "length", "ttl": "ttl", "itype": "icmp_type", "icode": "icmp_code"}

Mask = NDArray[np.bool_]
Pairs = list[tuple[NDArray[np.int64], int]]
"""Places of records, and the number of the rule to evaluate there."""


class Sieve:
    """rules : all of the machine; numbers : of those that look at packets"""

    def __init__(self, rules: Sequence[Ready], numbers: Iterable[int], table: FlowTable) -> None:
        self._rules, self._table = rules, table
        self._ends = {number: _Ends(rules[number]) for number in numbers}
        self._has_ends = {number for number, ends in self._ends.items() if ends.any}
        others = any(_writes(one) for number, one in enumerate(rules) if number not in self._ends)
        self._needs = set() if others else {number for number in self._ends if _needs(rules[number])}
        self._writes = {number for number in self._ends.keys() - self._needs if _writes(rules[number])}
        self._met = np.zeros((len(table.rows), 2), np.uint32)
        self._touched = np.zeros(len(table.rows), np.uint32)

    def everywhere(self, records: NDArray[Any], numbers: Iterable[int]) -> Pairs:
        """Where the fields of these rules, which nothing else finds, fit."""
        packets: Mask = (records["flags"] & (HOLE | FAR)) == 0
        first: Mask | None = None
        pairs: Pairs = []
        for number in numbers:
            one = self._rules[number]
            if one.loaded.once:
                first = self._firsts(records, packets) if first is None else first
            fits = (first if one.loaded.once and first is not None else packets).copy()
            protocols = PROTOCOL_NUMBERS.get(one.rule.header.proto)
            if protocols is not None:
                fits &= np.isin(records["proto"], protocols)
            for option in one.rule.options:
                if isinstance(option, Number) and option.keyword in _COLUMNS:
                    fits &= option.accepts(records[_COLUMNS[option.keyword]])
                elif isinstance(option, Flags):
                    accepted = np.array([option.accepts(flags) for flags in range(256)])
                    fits &= accepted[records["tcp_flags"]]
            pairs.append((np.flatnonzero(fits), number))
        return pairs

    def sifted(self, records: NDArray[Any], pairs: Pairs) -> Pairs:
        """Those of the pairs that may match."""
        left = self._by_ends(records, [pair for pair in pairs if len(pair[0])])
        for places, number in left:
            if number in self._writes:
                flows = records[places[records["flags"][places] & OTHER == 0]]
                self._touched[flows["flow"]] = flows["serial"] + np.uint32(1)
        return [
            (self._with_variables(records, places) if number in self._needs else places, number)
            for places, number in left
        ]

    def _by_ends(self, records: NDArray[Any], pairs: Pairs) -> Pairs:
        some = [places for places, number in pairs if number in self._has_ends]
        if not some:
            return pairs
        union = np.unique(np.concatenate(some))
        sides = _sides(records[union], self._table.rows)
        return [
            (places[self._ends[number].fit(sides, np.searchsorted(union, places))], number)
            if number in self._has_ends
            else (places, number)
            for places, number in pairs
        ]

    def _with_variables(self, records: NDArray[Any], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those of flows of which a rule may have set a variable."""
        places = places[records["flags"][places] & OTHER == 0]
        found = records[places]
        touched: Mask = self._touched[found["flow"]] == found["serial"] + np.uint32(1)
        return places[touched]

    def _firsts(self, records: NDArray[Any], packets: Mask) -> Mask:
        """Which packets are the first in their direction of their flow, or of no flow."""
        found: Mask = packets & (records["flags"] & OTHER != 0)
        places = np.flatnonzero(packets & ~found)
        flows, directions = records["flow"][places], records["direction"][places]
        serials = records["serial"][places]
        fresh = self._met[flows, directions] != serials + np.uint32(1)
        keys = (serials.astype(np.uint64) << 32) | (flows.astype(np.uint64) << 1) | directions
        _, first = np.unique(keys[fresh], return_index=True)
        found[places[fresh][first]] = True
        self._met[flows, directions] = serials + np.uint32(1)
        return found


class _Sides(NamedTuple):
    """Of n packets: port and address (of IPv6: -1) of source and destination.  unknown : of no flow"""

    ports: tuple[NDArray[np.int64], NDArray[np.int64]]
    addresses: tuple[NDArray[np.int64], NDArray[np.int64]]
    unknown: Mask


def _sides(records: NDArray[Any], flow_rows: NDArray[Any]) -> _Sides:
    unknown = records["flags"] & OTHER != 0
    rows = flow_rows[np.where(unknown, 0, records["flow"])]
    echo = (rows["proto"] == ICMP) | (rows["proto"] == ICMP6)
    back = records["direction"] != 0
    ports = [np.where(echo, -1, rows[name].astype(np.int64)) for name in ("cport", "sport")]
    addresses = [
        np.where(rows["version"] == 4, _first_four(rows[name]).astype(np.int64), -1)
        for name in ("client", "server")
    ]
    return _Sides(
        (np.where(back, ports[1], ports[0]), np.where(back, ports[0], ports[1])),
        (np.where(back, addresses[1], addresses[0]), np.where(back, addresses[0], addresses[1])),
        unknown,
    )


def _first_four(octets: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Of each address, as a number."""
    return np.ascontiguousarray(octets[:, :4]).view(">u4")[:, 0]


class _Numbers:
    """Ranges for columns.  Numbers from IPV6 on are left out."""

    def __init__(self, ranges: Ranges) -> None:
        pairs = [(low, min(high, IPV6 - 1)) for low, high in ranges.pairs if low < IPV6]
        self._lows = np.array([low for low, _ in pairs], np.int64)
        self._highs = np.array([high for _, high in pairs] + [-1], np.int64)

    def hold(self, column: NDArray[np.int64]) -> Mask:
        at = np.searchsorted(self._lows, column, "right") - 1
        held: Mask = (at >= 0) & (column <= self._highs[at])
        return held


class _Ends:
    """What a rule's header says of addresses and ports."""

    def __init__(self, one: Ready) -> None:
        ends = one.loaded.ends
        self._ports = tuple(None if part is None else _Numbers(part) for part in (ends.sport, ends.dport))
        self._addresses = tuple(None if part is None else _Numbers(part) for part in (ends.src, ends.dst))
        self._both = one.rule.header.both
        self.any = any(part is not None for part in (*self._ports, *self._addresses))

    def fit(self, sides: _Sides, places: NDArray[np.intp]) -> Mask:
        """Which of these places of `sides`."""
        ports = [side[places] for side in sides.ports]
        addresses = [side[places] for side in sides.addresses]
        fits = self._fit(ports, addresses)
        if self._both:
            fits |= self._fit(ports[::-1], addresses[::-1])
        return fits | sides.unknown[places]

    def _fit(self, ports: list[NDArray[np.int64]], addresses: list[NDArray[np.int64]]) -> Mask:
        fits = np.ones(len(ports[0]), np.bool_)
        for part, column in zip(self._ports, ports, strict=True):
            if part is not None:
                fits &= part.hold(column)
        for part, column in zip(self._addresses, addresses, strict=True):
            if part is not None:
                fits &= part.hold(column) | (column < 0)
        return fits


def _writes(one: Ready) -> bool:
    """It may set a variable of a flow."""
    return any(option.op in ("=", "+", "set", "toggle") for option in _of_flow(one))


def _needs(one: Ready) -> bool:
    """It matches only where some variable of the flow is set."""
    return any(option.op in ("isset", *COMPARES) for option in _of_flow(one))


def _of_flow(one: Ready) -> Iterator[Integer | FlowBit]:
    for option in one.rule.options:
        if isinstance(option, FlowBit) or (isinstance(option, Integer) and option.scope is Scope.FLOW):
            yield option
