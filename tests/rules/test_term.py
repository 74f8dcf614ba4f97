"""Addresses and ports of headers: which numbers a term names."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl0p_py.rules.address import ADDRESSES, address_number
from fl0p_py.rules.port import PORTS
from fl0p_py.rules.ranges import Ranges
from fl0p_py.rules.term import Term, UndefinedError, parse_term, resolve
from fl0p_py.rules.value import Value

GROUPS = {
    "HOME_NET": "[10.0.0.0/8,fd00::/8]",
    "OUTSIDE": "!$HOME_NET",
    "LOOP": "[$POOL]",
    "POOL": "$LOOP",
}


def addresses(text: str) -> Term:
    return parse_term(Value(text, 0), ADDRESSES)


def named(text: str) -> Ranges:
    return resolve(addresses(text), ADDRESSES, {name: addresses(term) for name, term in GROUPS.items()})


ADDRESS_ROWS = [
    ("any", "192.0.2.1 ::1", ""),
    ("10.0.0.1", "10.0.0.1", "10.0.0.2 10.0.0.0 ::a00:1"),
    ("10.1.2.3/8", "10.0.0.0 10.255.255.255", "11.0.0.0"),
    ("10.0.0.5-10.0.0.7", "10.0.0.5 10.0.0.7", "10.0.0.4 10.0.0.8"),
    ("!10.0.0.0/8", "11.0.0.0 ::1", "10.0.0.1"),
    ("[10.0.0.0/8,!10.1.0.0/16]", "10.0.0.1 10.2.0.0", "10.1.2.3 11.0.0.1"),
    ("[!10.1.0.0/16]", "10.2.0.0 ::1", "10.1.2.3"),
    ("![10.0.0.0/8,!10.1.0.0/16]", "10.1.2.3 11.0.0.1", "10.0.0.1"),
    ("[::1,fd00::/8]", "::1 fd12::1", "::2 10.0.0.1"),
    ("$HOME_NET", "10.9.9.9 fd00::1", "192.0.2.1"),
    ("[$OUTSIDE,!192.0.2.0/24]", "198.51.100.1", "10.0.0.1 192.0.2.1"),
]


@pytest.mark.parametrize(("text", "inside", "outside"), ADDRESS_ROWS, ids=[row[0] for row in ADDRESS_ROWS])
def test_addresses(text: str, inside: str, outside: str) -> None:
    ranges = named(text)
    for address in inside.split():
        assert address_number(ip_address(address).packed) in ranges, address
    for address in outside.split():
        assert address_number(ip_address(address).packed) not in ranges, address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22", [(22, 22)]),
        ("1000:2000", [(1000, 2000)]),
        (":10", [(0, 10)]),
        ("65530:", [(65530, 65535)]),
        ("!22", [(0, 21), (23, 65535)]),
        ("[80,81,90:100,!95]", [(80, 81), (90, 94), (96, 100)]),
        ("[any,!22]", [(0, 21), (23, 65535)]),
    ],
)
def test_ports(text: str, expected: list[tuple[int, int]]) -> None:
    assert list(resolve(parse_term(Value(text, 0), PORTS), PORTS, {}).pairs) == expected


@pytest.mark.parametrize(("text", "said"), [("$NONE", "is not in the address"), ("$LOOP", "by itself")])
def test_names_without_a_meaning(text: str, said: str) -> None:
    with pytest.raises(UndefinedError, match=said):
        named(text)


PAIR = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda two: tuple(sorted(two)))
PAIRS = st.lists(PAIR, max_size=5)


@given(PAIRS, PAIRS)
def test_ranges_are_sets(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def members(pairs: list[tuple[int, int]]) -> set[int]:
        return {number for low, high in pairs for number in range(low, high + 1)}

    first, second = Ranges(one), Ranges(other)
    for ranges, expected in (
        (first, members(one)),
        (first.union(second), members(one) | members(other)),
        (first.minus(second), members(one) - members(other)),
    ):
        assert {number for number in range(42) if number in ranges} == expected
        assert members(list(ranges.pairs)) == expected
        assert all(a[1] + 1 < b[0] for a, b in zip(ranges.pairs, ranges.pairs[1:], strict=False))
