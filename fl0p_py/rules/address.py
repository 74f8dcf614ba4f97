"""Addresses of a rule's header: `10.0.0.1`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`, the same of IPv6.

They are numbers of one line: IPv4 first, IPv6 behind it, so that `!10.0.0.0/8` has all of IPv6 too.
"""

from __future__ import annotations

import ipaddress

from fl0p_py.rules.term import Leaf, Space
from fl0p_py.rules.value import Value, spell

IPV6 = 1 << 32
"""The number of the address ::."""


def address_number(octets: bytes) -> int:
    """octets : 4 or 16 bytes"""
    return int.from_bytes(octets, "big") + (IPV6 if len(octets) == 16 else 0)


def _read(value: Value) -> Leaf:
    text = value.text
    try:
        if "-" in text:
            first, last = map(ipaddress.ip_address, text.split("-", 1))
            if first.version != last.version:
                value.fail("a range from one IP version to the other")
            low, high = address_number(first.packed), address_number(last.packed)
            if low > high:
                value.fail("the range ends before it begins")
            return Leaf(low, high, f"{first}-{last}")
        if "%" in text:
            raise ValueError
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        value.fail(f"{spell(text)} is no address, no network 10.0.0.0/8 and no range 10.0.0.1-10.0.0.9")
    low = address_number(network.network_address.packed)
    shown = str(network) if "/" in text else str(network.network_address)
    return Leaf(low, low + network.num_addresses - 1, shown)


ADDRESSES = Space(_read, IPV6 + (1 << 128) - 1, "address")
