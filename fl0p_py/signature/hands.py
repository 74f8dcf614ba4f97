"""Which flows may be worked by hand: where the rhythm of the client is asked who works it.

A browser's or a telephone's flow pauses too, but what is in it no person typed; of such flows the
rhythm says nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.signature.pattern import FACETS

SERVICES = frozenset(
    {"ssh", "telnet", "rlogin", "smtp", "pop3", "ftp", "nntp", "irc", "finger", "gopher", "shell"}
)
"""Classes, inner parts of tunnels, and the activity of typing, in which a client's small tokens may be
what somebody typed."""

REVERSED = frozenset({"reverse"})
"""Activities in which whoever works the flow sits at the server's end."""
THROUGH = frozenset({"forward"})
"""Activities in which nobody types any more: what follows the login is another program's."""
LOGGED_IN, REFUSED = frozenset({"auth-success"}), frozenset({"auth-failed"})
"""Outcomes after which a password is no longer asked for, or is asked for again."""
FROM_SERVER, PASSED_ON, ASKED_AGAIN = 2, 3, 2


def hands(facet_names: tuple[tuple[str | None, ...], ...]) -> NDArray[Any]:
    """uint8[facets, values]: 1 where the value of class, activity or tunnel is such a service, or the
    outcome a login, ASKED_AGAIN where it is none; FROM_SERVER where the activity says that the server's end
    types, PASSED_ON that nobody does."""
    table = np.zeros((len(FACETS), max(map(len, facet_names))), np.uint8)
    for facet in ("class", "activity", "tunnel"):
        row = FACETS.index(facet)
        for number, name in enumerate(facet_names[row]):
            inner = (name or "").partition("-in-")[0]
            table[row, number] = inner in SERVICES
    for facet, names, mark in (
        ("outcome", LOGGED_IN, 1),
        ("outcome", REFUSED, ASKED_AGAIN),
        ("activity", REVERSED, FROM_SERVER),
        ("activity", THROUGH, PASSED_ON),
    ):
        row = FACETS.index(facet)
        table[row, [number for number, name in enumerate(facet_names[row]) if name in names]] = mark
    return table
