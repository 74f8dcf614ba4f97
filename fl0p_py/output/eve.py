"""EVE: JSON objects in the manner of Suricata's eve.json, one a line (`--json`).

Three event types: "fl0p" (a signature completed), "flow" (a flow ended) and "stats" (the run ended).
Their fields, with meanings and units, are declared in schema.json beside this file; every object
printed is valid under it.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from fl0p_py.flow.reason import REASONS
from fl0p_py.flow.table import FlowTable
from fl0p_py.output.choice import IDENTIFIED, Choice
from fl0p_py.output.community import community_id
from fl0p_py.output.escape import escape
from fl0p_py.output.line import address_text, sequence_text
from fl0p_py.output.stats import Stats
from fl0p_py.signature.pattern import ACTORS, FACETS, Facets, SignatureSet
from fl0p_py.timing.reason import words

if TYPE_CHECKING:
    from fl0p_py.output.resolve import Names
    from fl0p_py.signature.matcher import Matcher
    from fl0p_py.signature.verdict import Identification

PROTOCOLS = {6: "TCP", 17: "UDP", 1: "ICMP", 58: "IPv6-ICMP"}
ECHO = (1, 58)

RESULT_FIELDS = (
    *("ts_ns", "flow", "signature", "number", "attempts"),
    *("kind", "score", "fuzzy", "lost", "actor"),
    *("why", "pauses", "median_cs"),
)
ROW_FIELDS = (
    *("start_ns", "last_ns", "pkts", "bytes", "vlan", "cport", "sport"),
    *("proto", "version", "reason", "tokens", "serial"),
)

SAFE_INTEGER = (1 << 53) - 1
"""Beyond it, readers that keep numbers as doubles lose digits (RFC 8259 section 6)."""

_NUMPY = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


class _Words(NamedTuple):
    """What is said of a signature each time."""

    id: str
    name: str
    via: dict[str, Any]
    facets: dict[str, Any]


class EveFormatter:
    """Formats results as JSON lines."""

    def __init__(self, signatures: SignatureSet, table: FlowTable, matcher: Matcher, choice: Choice) -> None:
        self._table, self._matcher, self._choice = table, matcher, choice
        self._signatures = signatures.signatures
        self._words: dict[int, _Words] = {}  # of those that were asked for

    def format(self, results: NDArray[Any], names: Names | None = None) -> bytes:
        """The objects for `results`; names : for these results, or None."""
        chosen = np.flatnonzero(self._choice.wanted(results))
        results = results[chosen]
        rows = _rows(self._table.rows[results["flow"]])
        lines = []
        for i, result, row in zip(chosen.tolist(), _columns(results, RESULT_FIELDS), rows, strict=True):
            identified = result["kind"] == IDENTIFIED
            event = _flow_fields(result, row, "fl0p" if identified else "flow")
            if names is not None:
                event |= _host_fields(names, i)
            event |= self._identification(result) if identified else self._flow_end(result, row)
            lines.append(orjson.dumps(event, option=_NUMPY))
        return b"".join(lines)

    def _identification(self, result: dict[str, int]) -> dict[str, Any]:
        words = self._of(result["signature"])
        said = {
            "id": words.id,
            "name": words.name,
            "match": "fuzzy" if result["fuzzy"] else "exact",
            "score": result["score"],
            "token": result["number"],
            **words.via,
            **words.facets,
        }
        if result["attempts"]:
            said["attempts"] = result["attempts"]
        if result["lost"]:
            said["lost"] = True
        if result["actor"] and (result["why"] or "actor" not in said):
            said["actor"] = ACTORS[result["actor"] - 1]
        return {"fl0p": said | _why(result)}

    def _flow_end(self, result: dict[str, int], row: dict[str, Any]) -> dict[str, Any]:
        flow = result["flow"]
        verdict = self._matcher.verdict(flow)
        return {
            "flow": {
                "pkts_toserver": row["pkts"][0],
                "pkts_toclient": row["pkts"][1],
                "bytes_toserver": row["bytes"][0],
                "bytes_toclient": row["bytes"][1],
                "start": eve_time(row["start_ns"]),
                "end": eve_time(row["last_ns"]),
                "age": max(0, row["last_ns"] - row["start_ns"]) // 1_000_000_000,
                "reason": REASONS[row["reason"]],
            },
            "fl0p": {
                "tokens": sequence_text(self._table, flow, self._choice.threshold_ms),
                "gaps_ms": self._gaps_ms(flow),
                "token_count": row["tokens"],
                **facet_fields(verdict.facets, verdict.attempts),
                **_why(result),
                "identifications": [self._past(past) for past in self._matcher.identifications(flow)],
            },
        }

    def _gaps_ms(self, flow: int) -> NDArray[np.float64]:
        """Rounded to the microsecond, which hides what the table's float32 adds."""
        gaps: NDArray[np.float64] = self._table.gaps_of(flow).astype(np.float64).round(3)
        gaps[:1] = np.nan  # null: nothing came before
        return gaps

    def _past(self, identification: Identification) -> dict[str, Any]:
        words = self._of(identification.signature)
        return {
            "id": words.id,
            "match": "fuzzy" if identification.fuzzy else "exact",
            "score": identification.score,
            "token": identification.token,
            **words.via,
        }

    def _of(self, number: int) -> _Words:
        if number not in self._words:
            one = self._signatures[number]
            via = {"via": one.via} if one.via else {}
            self._words[number] = _Words(escape(one.id), escape(one.name), via, facet_fields(one.facets))
        return self._words[number]


def _why(result: dict[str, int]) -> dict[str, str]:
    """What the client's rhythm says of the actor, if it does."""
    return {"why": words(result["why"], result["pauses"], result["median_cs"])} if result["why"] else {}


def _columns(records: NDArray[Any], fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """These fields of structured records, as Python's numbers: a column at a time, for speed."""
    columns = zip(*(records[field].tolist() for field in fields), strict=True)
    return [dict(zip(fields, values, strict=True)) for values in columns]


def _rows(rows: NDArray[Any]) -> list[dict[str, Any]]:
    """ROW_FIELDS of flow rows, and `client` and `server` as bytes."""
    records = _columns(rows, ROW_FIELDS)
    for end in ("client", "server"):
        packed = rows[end].tobytes()
        for i, record in enumerate(records):
            record[end] = packed[16 * i : 16 * i + 16]
    return records


def _flow_fields(result: dict[str, int], row: dict[str, Any], event_type: str) -> dict[str, Any]:
    """What every event of a flow has; src is the client."""
    version, proto, cport, sport = row["version"], row["proto"], row["cport"], row["sport"]
    fields = {
        "timestamp": eve_time(result["ts_ns"]),
        "flow_id": flow_id(row["start_ns"], row["serial"]),
        "event_type": event_type,
    }
    if row["vlan"]:
        fields["vlan"] = vlan_ids(row["vlan"])
    source, destination = _address(row["client"], version), _address(row["server"], version)
    if proto in ECHO:
        fields |= {"src_ip": source, "dest_ip": destination, "icmp_id": cport}
    else:
        fields |= {"src_ip": source, "src_port": cport, "dest_ip": destination, "dest_port": sport}
    fields["proto"] = PROTOCOLS[proto]
    size = 4 if version == 4 else 16
    fields["community_id"] = community_id(row["client"][:size], row["server"][:size], cport, sport, proto)
    return fields


@lru_cache(4096)
def _address(octets: bytes, version: int) -> str:
    return address_text(octets, version)


def flow_id(start_ns: int, serial: int) -> int:
    """The second of the flow's start and its serial number, in as many bits as a double holds exactly."""
    return (start_ns // 1_000_000_000 << 32 | serial) & SAFE_INTEGER


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
            **({"dropped": stats.dropped} if stats.dropped else {}),
            **_rules(stats),
            **({"capture": stats.capture, "lost": stats.lost} if stats.capture else {}),
        },
    }
    return orjson.dumps(event, option=_NUMPY)


def _rules(stats: Stats) -> dict[str, Any]:
    """The object `rules`, if there were any at work."""
    counts = {
        "matched": stats.rules_matched,
        "alerts": stats.rules_alerts,
        "given_up": stats.rules_given_up,
    }
    told = {what: count for what, count in counts.items() if count}
    return {"rules": told} if told else {}


def eve_time(ts_ns: int) -> str:
    """`2026-11-22T14:59:01.123456+0000`, rounded down."""
    second, rest_ns = divmod(ts_ns, 1_000_000_000)
    return f"{_second(second)}.{rest_ns // 1000:06d}+0000"


@lru_cache(64)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def vlan_ids(vlan: int) -> list[int]:
    """The one or two outer VLAN ids of a row's `vlan` (decode/record.pxd), outermost first."""
    return [vlan & 0xFFF, vlan >> 12 & 0xFFF][: vlan >> 24]


def facet_fields(facets: Facets, attempts: int = 0) -> dict[str, Any]:
    """The facets that are set, by name; `attempts` if there were any."""
    fields: dict[str, Any] = {}
    for name, value in zip(FACETS, facets, strict=True):
        if value:
            fields[name] = escape(value)
    if attempts:
        fields["attempts"] = attempts
    return fields


def _host_fields(names: Names, i: int) -> dict[str, str]:
    first, middle, end = names.at[i].tolist()
    hosts = {"src_host": names.text[first:middle], "dest_host": names.text[middle:end]}
    return {key: text.tobytes().decode() for key, text in hosts.items() if len(text)}
