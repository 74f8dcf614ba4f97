"""What a server's log says of each connection: which credentials it refused and which it accepted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_OPENSSH = re.compile(r"(?P<what>Failed|Accepted) (?P<method>[\w/-]+) for .* from \S+ port (?P<port>\d+)")
_OPENSSH_SEEN = re.compile(r"^Connection from \S+ port (?P<port>\d+)", re.M)
_DROPBEAR = re.compile(
    r"(?P<what>Bad password attempt|Password auth succeeded|Pubkey auth succeeded) for .*:(?P<port>\d+)$",
    re.M,
)
_DROPBEAR_SEEN = re.compile(r"Child connection from \S+:(?P<port>\d+)$", re.M)


@dataclass
class History:
    """One connection as its server saw it: the methods refused in order, and the accepted one."""

    refused: list[str] = field(default_factory=list)
    accepted: str | None = None


def of_openssh(log: str) -> dict[int, History]:
    """By the client's port, from sshd at LogLevel VERBOSE.  The probing `none` is no credential."""
    found = {int(match["port"]): History() for match in _OPENSSH_SEEN.finditer(log)}
    for match in _OPENSSH.finditer(log):
        history = found.setdefault(int(match["port"]), History())
        method = match["method"].split("/")[0]
        if match["what"] == "Accepted":
            history.accepted = method
        elif method != "none":
            history.refused.append(method)
    return found


def of_dropbear(log: str) -> dict[int, History]:
    """The same from dropbear, which does not log refused keys."""
    found = {int(match["port"]): History() for match in _DROPBEAR_SEEN.finditer(log)}
    for match in _DROPBEAR.finditer(log):
        history = found.setdefault(int(match["port"]), History())
        if match["what"].startswith("Bad"):
            history.refused.append("password")
        else:
            history.accepted = "password" if match["what"].startswith("Password") else "publickey"
    return found


def of_ours(log: str) -> dict[int, History]:
    """The same from the servers of the lab's own, which log one JSON object a line."""
    found: dict[int, History] = {}
    for line in log.splitlines():
        if not line.startswith('{"port"'):
            continue
        told = json.loads(line)
        history = found.setdefault(told["port"], History())
        if told["what"] == "refused":
            history.refused.append(told["method"])
        elif told["what"] == "accepted":
            history.accepted = told["method"]
    return found
