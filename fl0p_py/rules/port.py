"""Ports of a rule's header: `80`, `8000:8100`, `:1023`, `1024:`."""

from __future__ import annotations

from fl0p_py.rules.term import Leaf, Space
from fl0p_py.rules.value import Value

MOST = 65535


def _read(value: Value) -> Leaf:
    first, colon, last = value.text.partition(":")
    if not colon:
        port = value.number(0, MOST, "a port")
        return Leaf(port, port, str(port))
    if not first and not last:
        value.fail("a range of ports without ends; all are called any")
    low = Value(first, value.at).number(0, MOST, "a port") if first else 0
    high = Value(last, value.at + len(first) + 1).number(0, MOST, "a port") if last else MOST
    if low > high:
        value.fail("the range ends before it begins")
    return Leaf(low, high, f"{low if first else ''}:{high if last else ''}")


PORTS = Space(_read, MOST, "port")
