"""Listing: an exploration as text for a terminal, and as JSON lines.

Everything that came from a log is escaped: host names, names of files and signatures.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from fl0p_py.learn.corpus import NO_TIME
from fl0p_py.learn.explore import Counted, Exploration, Row
from fl0p_py.learn.picture import picture
from fl0p_py.output.escape import escape
from fl0p_py.output.eve import eve_time
from fl0p_py.wording import counted

BOLD, DIM, VARYING, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[0m"
VARIES = re.compile(
    r"[csCS]\d*-\d*(?:\{\d+(?:,\d*)?\})?|[csCS]\*|[csCS]\d+\{\d+(?:,\d*)?\}|\+\?|\)\{\d+(?:,\d*)?\}"
)
"""Parts of a pattern in which flows differ."""


def listing(found: Exploration, *, colour: bool = False) -> str:
    """The clusters, largest first, a few lines each."""
    width = max((len(f"{row.flows:,}") for row in found.rows), default=1)
    blocks = [_block(row, found, width, colour) for row in found.rows]
    return "\n".join([_head(found), *blocks, _tail(found)]).rstrip("\n") + "\n"


def _head(found: Exploration) -> str:
    return (
        f"{counted(found.flows, 'flow')}, {counted(found.sequences, 'sequence')}, "
        f"{counted(found.clusters, 'cluster')}; ▁ client, ▀ server, a free column is a pause\n"
    )


def _tail(found: Exploration) -> str:
    if not found.left_out:
        return ""
    more = found.clusters - len(found.rows)
    return (
        f"{counted(found.left_out, 'flow')} in {counted(more, 'more cluster')} not shown (--most, --least); "
        f"their commonest ports: {_list(found.rest_ports)}\n"
    )


def _block(row: Row, found: Exploration, width: int, colour: bool) -> str:
    share = f"{100 * row.flows / found.flows:5.1f} %"
    facts = [
        counted(row.sequences, "sequence"),
        f"{counted(row.servers, 'server')}{_examples(row.top_servers, row.servers)}",
        counted(row.clients, "client"),
        _ports(row),
    ]
    flows = f"{row.flows:>{width},} {'flow' if row.flows == 1 else 'flows'}"
    number = f"#{row.number}"
    head = f"{number:<5}{flows} {share}   {', '.join(facts)}"
    lines = [f"{BOLD}{head}{PLAIN}" if colour else head]
    lines += [f"     {drawn}".rstrip() for drawn in picture(row.tokens, row.paused) if drawn.strip()]
    lines.append(f"     {_marked(row.pattern) if colour else row.pattern}")
    judged = f"matches {row.takes:,} of {row.flows:,}, {_others(row.others)}; {row.bits:.0f} bits"
    lines.append(f"     {DIM}{judged}{PLAIN}" if colour else f"     {judged}")
    if row.known:
        lines.append(f"     known   {_list(row.known)}")
    if row.labels:
        lines.append(f"     labels  {_list(row.labels)}")
    lines.append(f"     see     {escape(_places(row.examples))}")
    return "\n".join(lines) + "\n"


def _others(others: int) -> str:
    return f"and {counted(others, 'flow')} elsewhere" if others else "none elsewhere"


def _examples(hosts: tuple[Counted, ...], count: int) -> str:
    """The one server by name; of several the first."""
    if not hosts:
        return ""
    return f" ({escape(hosts[0].what)}{', …' if count > 1 else ''})"


def _ports(row: Row) -> str:
    ports = " ".join(port.what for port in row.top_ports)
    if ports == "none":
        return "no port"
    more = f" and {row.ports - len(row.top_ports):,} more" if row.ports > len(row.top_ports) else ""
    return f"port {ports}{more}"


def _places(examples: tuple[str, ...]) -> str:
    """`gathered.log:17, :40, other.log:3`: each file once."""
    shown, last = [], ""
    for example in examples:
        file, _, line = example.rpartition(":")
        shown.append(f":{line}" if file == last else example)
        last = file
    return ", ".join(shown)


def _list(names: tuple[Counted, ...]) -> str:
    return ", ".join(f"{escape(name.what)} ({name.flows:,})" for name in names)


def _marked(pattern: str) -> str:
    return VARIES.sub(lambda part: f"{VARYING}{part[0]}{PLAIN}", pattern)


def json_lines(found: Exploration) -> bytes:
    """An object for each cluster, then one for the whole."""
    objects = [_object(row) for row in found.rows]
    objects.append(
        {
            "event_type": "exploration",
            "flows": found.flows,
            "sequences": found.sequences,
            "clusters": found.clusters,
            "shown": len(found.rows),
            "left_out": found.left_out,
            "rest_ports": _pairs(found.rest_ports),
        }
    )
    return b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in objects)


def _object(row: Row) -> dict[str, Any]:
    upper, lower = picture(row.tokens, row.paused)
    said: dict[str, Any] = {
        "event_type": "cluster",
        "cluster": row.number,
        "flows": row.flows,
        "sequences": row.sequences,
        "servers": row.servers,
        "clients": row.clients,
        "ports": row.ports,
        "top_servers": _pairs(row.top_servers),
        "top_ports": _pairs(row.top_ports),
        "pattern": row.pattern,
        "bits": round(row.bits, 1),
        "matches": row.takes,
        "matches_elsewhere": row.others,
        "known": _pairs(row.known),
        "labels": _pairs(row.labels),
        "sizes": row.tokens,
        "paused": row.paused,
        "picture": [upper, lower],
        "examples": [escape(place) for place in row.examples],
    }
    if row.first_ns != NO_TIME:
        said |= {"first": eve_time(row.first_ns), "last": eve_time(row.last_ns)}
    return said


def _pairs(names: tuple[Counted, ...]) -> dict[str, int]:
    return {escape(name.what): name.flows for name in names}
