"""Target: a TCP connection that is to be ended, as a child asks the monitor for it (`Kind.KILL`).

It comes from a process that may be in the hands of whoever sent the packets: FIELDS says what each field
may be, and `Target.of` takes nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_WINDOW = 1 << 30  # RFC 7323 section 2.3


@dataclass(frozen=True, slots=True)
class Target:
    """A connection to end, in numbers and hexadecimal text, as it passes through a channel.

    client, server : packed addresses
    *_next         : the next sequence number that this end will use
    *_window       : bytes that this end lets the other send
    macs           : destination and source address of a frame from the client to the server; empty: there
                     are none
    vlan           : as FlowRow.vlan
    """

    client: str
    server: str
    cport: int
    sport: int
    client_next: int
    server_next: int
    client_window: int
    server_window: int
    macs: str = ""
    vlan: int = 0

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Target | None:
        """What a message's body says; None if its fields are none, or do not go together."""
        if body.keys() != FIELDS.keys() or not all(fits(body[name]) for name, fits in FIELDS.items()):
            return None
        return cls(**body) if len(body["client"]) == len(body["server"]) else None

    def body(self) -> dict[str, Any]:
        return asdict(self)


def hexadecimal(*lengths: int) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return isinstance(value, str) and len(value) in lengths and set(value) <= set("0123456789abcdef")

    return fits


def up_to(most: int) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return type(value) is int and 0 <= value <= most

    return fits


FIELDS: Mapping[str, Callable[[Any], bool]] = {
    "client": hexadecimal(8, 32),
    "server": hexadecimal(8, 32),
    "cport": up_to(0xFFFF),
    "sport": up_to(0xFFFF),
    "client_next": up_to(0xFFFFFFFF),
    "server_next": up_to(0xFFFFFFFF),
    "client_window": up_to(LARGEST_WINDOW),
    "server_window": up_to(LARGEST_WINDOW),
    "macs": hexadecimal(0, 24),
    "vlan": up_to(0xFFFFFFFF),
}
