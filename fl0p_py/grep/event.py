"""Event: a match as a JSON object in the manner of Suricata's eve.json, one a line (`--json`).

Its fields are declared in schema.json beside this file; every object printed is valid under it.  src is who
said the payload.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import orjson

from fl0p_py.grep.hit import ICMP, ICMPV6, TCP, UDP, WITH_PORTS, Hit, shown_address
from fl0p_py.output.community import community_id
from fl0p_py.output.escape import escape
from fl0p_py.output.eve import eve_time, flow_id, vlan_ids

PROTOCOLS = {TCP: "TCP", UDP: "UDP", ICMP: "ICMP", ICMPV6: "IPv6-ICMP"}


class EventFormatter:
    """names : of the patterns, as they were written, by number, and of the distance's string"""

    def __init__(self, names: Sequence[str], max_bytes: int) -> None:
        self._names, self._max = names, max_bytes

    def text(self, hit: Hit) -> bytes:
        ends, proto = hit.ends, hit.ends.proto
        source, sport = ends.sender(hit.direction)
        dest, dport = ends.receiver(hit.direction)
        event: dict[str, Any] = {"timestamp": eve_time(hit.ts_ns)}
        if ends.row >= 0:
            event["flow_id"] = flow_id(ends.start_ns, ends.serial)
        event |= {"event_type": "flowgrep", "src_ip": shown_address(source), "dest_ip": shown_address(dest)}
        if proto in WITH_PORTS:
            event |= {"src_port": sport, "dest_port": dport}
            event["community_id"] = community_id(source, dest, sport, dport, proto)
        event["proto"] = PROTOCOLS.get(proto, f"proto{proto}")
        if ends.vlan:
            event["vlan"] = vlan_ids(ends.vlan)
        event["flowgrep"] = self._said(hit)
        return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)

    def _said(self, hit: Hit) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if hit.ends.row >= 0:
            said["direction"] = "to_client" if hit.direction else "to_server"
        if hit.patterns:
            said["patterns"] = [self._names[number] for number in hit.patterns]
            said["start"], said["end"] = hit.start, hit.end
        if hit.value is not None:
            said["distance"] = hit.value
        if hit.ends.proto == TCP:
            said["offset"] = hit.offset
        payload = hit.payload[: self._max]
        said["length"] = len(hit.payload)
        said["payload_printable"] = escape(payload.decode("utf-8", "backslashreplace"))
        said["payload"] = base64.b64encode(payload).decode()
        return said
