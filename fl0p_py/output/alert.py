"""Alert: what a rule says, and its forms: a line like those of Suricata's fast.log, a block, an EVE event."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from fl0p_py.output.community import community_id
from fl0p_py.output.escape import escape
from fl0p_py.output.eve import ECHO, PROTOCOLS, eve_time, vlan_ids
from fl0p_py.output.line import address_text


@dataclass(frozen=True, slots=True)
class Alert:
    """ts_ns        : packet time
    gid, sid, rev, msg : the rule's
    category     : the words for its classtype; priority : 1 is the most urgent
    references, metadata : the rule's, as written
    proto        : IANA number; src, dst : 4 or 16 octets; ports : or -1
    src_host, dst_host : their names; "" where none is known
    of_client    : src is the flow's client
    flow_id      : see eve.py; 0: of no flow; vlan : as in a flow row
    icmp_id      : or -1; itype, icode : of an ICMP packet, or -1
    blocked      : the end of its connection was asked for
    signature    : id of the signature that completed, or ""
    flowints, flowbits : all of the flow; globalints, hostints : those that the rule names, hostints by track
    """

    ts_ns: int
    gid: int
    sid: int
    rev: int
    msg: str
    category: str
    priority: int
    proto: int
    src: bytes
    sport: int
    dst: bytes
    dport: int
    of_client: bool = True
    flow_id: int = 0
    vlan: int = 0
    icmp_id: int = -1
    blocked: bool = False
    signature: str = ""
    references: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    flowints: Mapping[str, int] = field(default_factory=dict)
    flowbits: tuple[str, ...] = ()
    globalints: Mapping[str, int] = field(default_factory=dict)
    hostints: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    src_host: str = ""
    dst_host: str = ""
    itype: int = -1
    icode: int = -1


def fast_line(alert: Alert) -> str:
    """`[**] [1:7:1] words [**] [Classification: ...] [Priority: 3] {TCP} 10.0.0.1:40000 -> 10.0.0.2:22`.

    With `[Drop] ` before it if the connection is ended; for ports, an ICMP packet has its type and code.
    """
    category, words = alert.category or "(null)", escape(alert.msg) or "(null)"
    mark = "[Drop] " if alert.blocked else ""
    return (
        f"{mark}[**] [{alert.gid}:{alert.sid}:{alert.rev}] {words} [**] "
        f"[Classification: {category}] [Priority: {alert.priority}] {{{_proto(alert)}}} {_ends(alert)}"
    )


def block(alert: Alert) -> str:
    """The same over several lines, with the variables."""
    lines = [
        _ends(alert),
        f"    alert      {escape(alert.msg)}",
        f"    rule       {alert.gid}:{alert.sid}:{alert.rev}, priority {alert.priority}"
        + (f", {alert.category}" if alert.category else ""),
    ]
    if alert.blocked:
        lines.append("    action     blocked")
    values = [f"{name} {value}" for name, value in alert.flowints.items()]
    values += alert.flowbits
    values += [f"{name} {value} (sensor)" for name, value in alert.globalints.items()]
    values += [
        f"{name} {value} ({track})" for track, of in alert.hostints.items() for name, value in of.items()
    ]
    if values:
        lines.append("    variables  " + ", ".join(values))
    return "\n".join(lines)


def eve_event(alert: Alert) -> dict[str, Any]:
    """An event of type "alert"; its fields are in schema.json."""
    event: dict[str, Any] = {"timestamp": eve_time(alert.ts_ns)}
    if alert.flow_id:
        event["flow_id"] = alert.flow_id
    event["event_type"] = "alert"
    if alert.vlan:
        event["vlan"] = vlan_ids(alert.vlan)
    event["src_ip"], event["dest_ip"] = _address(alert.src), _address(alert.dst)
    if alert.proto in ECHO:
        if alert.icmp_id >= 0:
            event["icmp_id"] = alert.icmp_id
        if alert.itype >= 0:
            event["icmp_type"], event["icmp_code"] = alert.itype, alert.icode
    elif alert.sport >= 0:
        event["src_port"], event["dest_port"] = alert.sport, alert.dport
    if alert.src_host:
        event["src_host"] = alert.src_host
    if alert.dst_host:
        event["dest_host"] = alert.dst_host
    event["proto"] = _proto(alert)
    if alert.flow_id:
        event["community_id"] = _community(alert)
    event["alert"] = _said(alert)
    variables = _variables(alert)
    if variables:
        event["metadata"] = variables
    return event


def _said(alert: Alert) -> dict[str, Any]:
    said: dict[str, Any] = {
        "action": "blocked" if alert.blocked else "allowed",
        "gid": alert.gid,
        "signature_id": alert.sid,
        "rev": alert.rev,
        "signature": escape(alert.msg),
        "category": alert.category,
        "severity": alert.priority,
    }
    if alert.signature:
        said["flowsig"] = escape(alert.signature)
    if alert.references:
        said["references"] = list(alert.references)
    if alert.metadata:
        said["metadata"] = list(alert.metadata)
    return said


def _variables(alert: Alert) -> dict[str, Any]:
    kinds: dict[str, Any] = {
        "flowints": dict(alert.flowints),
        "flowbits": list(alert.flowbits),
        "globalints": dict(alert.globalints),
        "hostints": {track: dict(of) for track, of in alert.hostints.items()},
    }
    return {kind: values for kind, values in kinds.items() if values}


def alert_entry(alert: Alert, form: str, timestamps: bool) -> bytes:
    """form : "line", "block" or "json"."""
    if form == "json":
        return orjson.dumps(eve_event(alert), option=orjson.OPT_APPEND_NEWLINE)
    stamp = _stamp(alert.ts_ns) if timestamps else ""
    if form == "line":
        return f"{stamp}{fast_line(alert)}\n".encode()
    return f"{stamp}{block(alert)}\n\n".encode()


def _stamp(ts_ns: int) -> str:
    second, rest_ns = divmod(ts_ns, 1_000_000_000)
    return time.strftime("[%Y-%m-%dT%H:%M:%S", time.gmtime(second)) + f".{rest_ns // 1000:06d}Z] "


def _proto(alert: Alert) -> str:
    return PROTOCOLS.get(alert.proto, str(alert.proto))


def _address(octets: bytes) -> str:
    return address_text(octets.ljust(16, b"\0"), 4 if len(octets) == 4 else 6)


def _ends(alert: Alert) -> str:
    sport, dport = (alert.itype, alert.icode) if alert.proto in ECHO else (alert.sport, alert.dport)
    return f"{_end(alert.src_host, alert.src, sport)} -> {_end(alert.dst_host, alert.dst, dport)}"


def _end(host: str, octets: bytes, port: int) -> str:
    text = host or _address(octets)
    if port < 0:
        return text
    return f"{text}:{port}" if host or len(octets) == 4 else f"[{text}]:{port}"


def _community(alert: Alert) -> str:
    ends = (alert.src, alert.dst, max(0, alert.sport), max(0, alert.dport))
    if not alert.of_client:
        ends = (ends[1], ends[0], ends[3], ends[2])
    return community_id(*ends, alert.proto)
