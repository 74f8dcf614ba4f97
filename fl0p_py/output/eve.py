"""EVE: JSON objects in the manner of Suricata's eve.json, one a line (`--json`).

Three event types: "fl0p" (a signature completed), "flow" (a flow ended) and "stats" (the run ended).
Their fields, with meanings and units, are declared in schema.json beside this file; every object
printed is valid under it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from fl0p_py.flow.reason import REASONS
from fl0p_py.flow.table import FlowTable
from fl0p_py.output.choice import IDENTIFIED, Choice
from fl0p_py.output.community import community_id
from fl0p_py.output.escape import escape
from fl0p_py.output.line import address_text, sequence_text
from fl0p_py.output.resolve import Names
from fl0p_py.output.stats import Stats
from fl0p_py.signature.pattern import ACTORS, FACETS, Facets, SignatureSet

if TYPE_CHECKING:
    from fl0p_py.signature.matcher import Matcher

PROTOCOLS = {6: "TCP", 17: "UDP", 1: "ICMP", 58: "IPv6-ICMP"}
ECHO = (1, 58)

SAFE_INTEGER = (1 << 53) - 1
"""Beyond it, readers that keep numbers as doubles lose digits (RFC 8259 section 6)."""

_NUMPY = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


class EveFormatter:
    """Formats results as JSON lines."""

    def __init__(self, signatures: SignatureSet, table: FlowTable, matcher: Matcher, choice: Choice) -> None:
        self._signatures = signatures.signatures
        self._table, self._matcher, self._choice = table, matcher, choice

    def format(self, results: NDArray[Any], names: Names | None = None) -> bytes:
        """The objects for `results`; names : for these results, or None."""
        lines = []
        for i in np.flatnonzero(self._choice.wanted(results)).tolist():
            result = results[i]
            identified = result["kind"] == IDENTIFIED
            event = self._flow_fields(result, "fl0p" if identified else "flow")
            if names is not None:
                event |= _host_fields(names, i)
            event |= self._identification(result) if identified else self._flow_end(result)
            lines.append(orjson.dumps(event, option=_NUMPY))
        return b"".join(lines)

    def _flow_fields(self, result: Any, event_type: str) -> dict[str, Any]:
        """What every event of a flow has; src is the client."""
        flow = int(result["flow"])
        row = self._table.rows[flow]
        version, proto = int(row["version"]), int(row["proto"])
        cport, sport = int(row["cport"]), int(row["sport"])
        fields: dict[str, Any] = {
            "timestamp": eve_time(int(result["ts_ns"])),
            "flow_id": self._table.flow_id(flow) & SAFE_INTEGER,
            "event_type": event_type,
        }
        if row["vlan"]:
            fields["vlan"] = vlan_ids(int(row["vlan"]))
        source, destination = address_text(row["client"], version), address_text(row["server"], version)
        if proto in ECHO:
            fields |= {"src_ip": source, "dest_ip": destination, "icmp_id": cport}
        else:
            fields |= {"src_ip": source, "src_port": cport, "dest_ip": destination, "dest_port": sport}
        fields["proto"] = PROTOCOLS[proto]
        size = 4 if version == 4 else 16
        client, server = row["client"].tobytes()[:size], row["server"].tobytes()[:size]
        fields["community_id"] = community_id(client, server, cport, sport, proto)
        return fields

    def _identification(self, result: Any) -> dict[str, Any]:
        signature = self._signatures[result["signature"]]
        said = {
            "id": escape(signature.id),
            "name": escape(signature.name),
            "match": "fuzzy" if result["fuzzy"] else "exact",
            "score": int(result["score"]),
            "token": int(result["number"]),
            **facet_fields(signature.facets, int(result["attempts"])),
        }
        if result["lost"]:
            said["lost"] = True
        if result["actor"] and "actor" not in said:
            said["actor"] = ACTORS[result["actor"] - 1]
        return {"fl0p": said}

    def _flow_end(self, result: Any) -> dict[str, Any]:
        flow = int(result["flow"])
        row = self._table.rows[flow]
        start_ns, end_ns = int(row["start_ns"]), int(row["last_ns"])
        verdict = self._matcher.verdict(flow)
        return {
            "flow": {
                "pkts_toserver": int(row["pkts"][0]),
                "pkts_toclient": int(row["pkts"][1]),
                "bytes_toserver": int(row["bytes"][0]),
                "bytes_toclient": int(row["bytes"][1]),
                "start": eve_time(start_ns),
                "end": eve_time(end_ns),
                "age": max(0, end_ns - start_ns) // 1_000_000_000,
                "reason": REASONS[row["reason"]],
            },
            "fl0p": {
                "tokens": sequence_text(self._table, flow, self._choice.threshold_ms),
                "gaps_ms": self._gaps_ms(flow),
                "token_count": int(row["tokens"]),
                **facet_fields(verdict.facets, verdict.attempts),
                "identifications": [self._past(i) for i in self._matcher.identifications(flow)],
            },
        }

    def _gaps_ms(self, flow: int) -> NDArray[np.float64]:
        """Rounded to the microsecond, which hides what the table's float32 adds."""
        gaps: NDArray[np.float64] = self._table.gaps_of(flow).astype(np.float64).round(3)
        gaps[:1] = np.nan  # null: nothing came before
        return gaps

    def _past(self, identification: Any) -> dict[str, Any]:
        signature = self._signatures[identification.signature]
        return {
            "id": escape(signature.id),
            "match": "fuzzy" if identification.fuzzy else "exact",
            "score": identification.score,
            "token": identification.token,
        }


def stats_event(stats: Stats) -> bytes:
    """The object that ends the output."""
    event = {
        "timestamp": eve_time(stats.end_ns),
        "event_type": "stats",
        "stats": {
            "packets": stats.packets,
            "flows": {
                "total": stats.flows,
                "identified": stats.identified,
                "unknown": stats.unknown,
                "empty": stats.empty,
                "evicted": stats.evicted,
            },
            "identifications": stats.identifications,
            "skipped": stats.skipped,
            "fragments": stats.fragments,
            "counters": stats.counters,
        },
    }
    return orjson.dumps(event, option=_NUMPY)


def eve_time(ts_ns: int) -> str:
    """`2026-11-22T14:59:01.123456+0000`, rounded down."""
    second, rest_ns = divmod(ts_ns, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{rest_ns // 1000:06d}+0000"


def vlan_ids(vlan: int) -> list[int]:
    """The one or two outer VLAN ids of a row's `vlan` (decode/record.pxd), outermost first."""
    return [vlan & 0xFFF, vlan >> 12 & 0xFFF][: vlan >> 24]


def facet_fields(facets: Facets, attempts: int) -> dict[str, Any]:
    """The facets that are set, by name; `attempts` if there were any."""
    values = {name: getattr(facets, "class_" if name == "class" else name) for name in FACETS}
    fields: dict[str, Any] = {name: escape(value) for name, value in values.items() if value}
    if attempts:
        fields["attempts"] = attempts
    return fields


def _host_fields(names: Names, i: int) -> dict[str, str]:
    first, middle, end = names.at[i].tolist()
    hosts = {"src_host": names.text[first:middle], "dest_host": names.text[middle:end]}
    return {key: text.tobytes().decode() for key, text in hosts.items() if len(text)}
