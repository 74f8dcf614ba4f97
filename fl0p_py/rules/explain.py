"""Explainer: why a rule did not match, moment by moment (`--explain SID`).

1:7:1 at 2026-11-22T14:59:01.123456+0000, identification ssh.password.refused, 10.0.0.1:40000 -> 10.0.0.2:22:
flowint:loginfail,isset is not true
"""

from __future__ import annotations

from collections.abc import Callable

from fl0p_py.output.escape import escape
from fl0p_py.output.eve import eve_time
from fl0p_py.output.line import address_text
from fl0p_py.rules.machine import HEADER, SETTLED
from fl0p_py.rules.moment import Kind, Moment
from fl0p_py.rules.rule import Option, Rule


class Explainer:
    """say : takes a line"""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def told(self, rule: Rule, failed: Option | str | None, moment: Moment) -> None:
        if failed is None:
            verdict = "matches"
        elif failed == HEADER:
            verdict = "protocol, addresses or ports are others"
        elif failed == SETTLED:
            verdict = "a pass, drop or reject holds for the flow"
        else:
            verdict = f"{failed} is not true"
        self._say(f"{rule.name} at {eve_time(moment.ts_ns)}, {_what(moment)}, {_ends(moment)}: {verdict}")


def _what(moment: Moment) -> str:
    if moment.kind is Kind.IDENTIFIED:
        return f"identification {escape(moment.id)}"
    if moment.kind is Kind.ENDED:
        return "end of the flow"
    return f"packet {moment.number}"


def _ends(moment: Moment) -> str:
    return f"{_end(moment.src, moment.sport)} -> {_end(moment.dst, moment.dport)}"


def _end(octets: bytes, port: int) -> str:
    text = address_text(octets.ljust(16, b"\0"), 4 if len(octets) == 4 else 6)
    if port < 0:
        return text
    return f"{text}:{port}" if len(octets) == 4 else f"[{text}]:{port}"
