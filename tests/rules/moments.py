"""Moments and rules for tests, in a line each."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from fl0p_py.output.alert import Alert
from fl0p_py.rules.loader import Loaded, parse_rules
from fl0p_py.rules.machine import Machine
from fl0p_py.rules.moment import Kind, Moment

SECOND = 1_000_000_000
HEAD = "alert tcp any any -> any any "


def loaded(*texts: str) -> tuple[Loaded, ...]:
    """Rules; those that begin with ( get a header, those without a sid their number in the list."""
    lines = []
    for number, text in enumerate(texts, 1):
        line = HEAD + text if text.startswith("(") else text
        lines.append(line if "sid:" in line else f"{line[:-1]} sid:{number};)")
    return parse_rules([("x.rules", "\n".join(lines).encode())], allow_kill=True).rules


def machine(*texts: str) -> Machine:
    return Machine(loaded(*texts))


def moment(at_s: float = 0.0, src: str = "10.0.0.1", dst: str = "10.0.0.2", **fields: Any) -> Moment:
    """A moment of the flow 1 unless said otherwise."""
    fields = {"kind": Kind.PACKET, "proto": 6, "sport": 40000, "dport": 22, "flow": 1, "flow_id": 1} | fields
    return Moment(
        ts_ns=round(at_s * SECOND), src=ip_address(src).packed, dst=ip_address(dst).packed, **fields
    )


def run(one: Machine, at: Moment) -> list[Alert]:
    return one.run(at, one.rules)


def sids(one: Machine, at: Moment) -> list[int]:
    """The alerts of a moment, by sid."""
    return [alert.sid for alert in run(one, at)]
