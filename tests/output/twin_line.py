"""The twin of output/line.pyx: the same text in the simplest way, with the standard library's formats."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fl0p_py.output.entry import Form, TextOptions
from fl0p_py.signature.pattern import MAX_SIZE, Facets, Signature

START_SEEN, END_SEEN = 2, 4
IDENTIFIED = 0
NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmp"}
EPOCH = datetime.datetime(1970, 1, 1)


@dataclass
class TwinFormatter:
    """rows, results : numpy records; tokens[flow] : (signed size, gap in ns) for each stored token."""

    signatures: Sequence[Signature]
    rows: Any
    tokens: Sequence[Sequence[tuple[int, int]]]
    depth: int
    options: TextOptions

    def format(self, results: Any) -> bytes:
        return "".join(self.entry(result) for result in results if self.wanted(result)).encode()

    def wanted(self, result: Any) -> bool:
        if result["kind"] == IDENTIFIED:
            return self.options.choice.known and (self.options.choice.lost or not result["lost"])
        return self.options.choice.unknown and not result["identified"]

    def entry(self, result: Any) -> str:
        row = self.rows[result["flow"]]
        when = f"[{time_text(int(result['ts_ns']))}] " if self.options.timestamps else ""
        head = f"{when}{endpoint(row, 'client', 'cport')} -> {endpoint(row, 'server', 'sport')}"
        if self.options.form is Form.LINE:
            return f"{head} {self.line_rest(row, result)}\n"
        return "\n    ".join([head, *self.block_rest(row, result)]) + "\n\n"

    def line_rest(self, row: Any, result: Any) -> str:
        if result["kind"] != IDENTIFIED:
            return f"{self.unknown_sequence(row, result)} : unknown"
        signature = self.signatures[result["signature"]]
        facets = with_actor(signature.facets, result)
        said = [facets[name] for name in ("outcome", "activity", "actor", "tunnel", "prompt") if facets[name]]
        brackets = ", ".join([signature.id, match(result), *via(signature), *said])
        return f"{service(row)} : {signature.name} [{brackets}]"

    def block_rest(self, row: Any, result: Any) -> list[str]:
        if result["kind"] != IDENTIFIED:
            return ["name       unknown", f"sequence   {self.unknown_sequence(row, result)}"]
        signature = self.signatures[result["signature"]]
        facets = with_actor(signature.facets, result)
        verdict = ", ".join(f"{name} {value}" for name, value in facets.items() if value)
        return [
            f"name       {signature.name}",
            "signature  " + ", ".join([signature.id, match(result), *via(signature)]),
            *([f"verdict    {verdict}"] if verdict else []),
            f"sequence   {self.sequence(row, result, int(result['number']), signature.pattern.end)}",
        ]

    def unknown_sequence(self, row: Any, result: Any) -> str:
        return self.sequence(row, result, int(row["tokens"]), bool(row["flags"] & END_SEEN))

    def sequence(self, row: Any, result: Any, number: int, ended: bool) -> str:
        words = [service(row)]
        if row["flags"] & START_SEEN:
            words.append("<")
        for i, (size, gap_ns) in enumerate(self.tokens[result["flow"]][: min(number, self.depth)]):
            if i and gap_ns >= self.options.choice.threshold_ms * 1_000_000:
                words.append("+")
            shown = str(abs(size)) if abs(size) <= MAX_SIZE else f"{MAX_SIZE}-"
            words.append(("c" if size > 0 else "s") + shown)
        if ended and number <= self.depth:
            words.append(">")
        return " ".join(words)


def time_text(ts_ns: int) -> str:
    return (EPOCH + datetime.timedelta(microseconds=ts_ns // 1000)).isoformat(timespec="microseconds") + "Z"


def address_text(octets: bytes, version: int) -> str:
    if version == 4:
        return str(ipaddress.IPv4Address(octets[:4]))
    address = ipaddress.IPv6Address(octets)
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else str(address)


def endpoint(row: Any, address: str, port: str) -> str:
    text = address_text(bytes(row[address]), row["version"])
    if row["proto"] not in (6, 17):
        return text
    return f"{text}:{row[port]}" if row["version"] == 4 else f"[{text}]:{row[port]}"


def service(row: Any) -> str:
    name = NAMES[int(row["proto"])]
    return "icmp *" if name == "icmp" else f"{name} {row['sport']}"


def via(signature: Signature) -> list[str]:
    return [f"via {signature.via}"] if signature.via else []


def match(result: Any) -> str:
    return f"fuzzy {result['score']}%" if result["fuzzy"] else "exact"


def with_actor(facets: Facets, result: Any) -> dict[str, str | None]:
    known = (None, "human", "bot")[result["actor"]]
    return {
        "class": facets.class_,
        "outcome": facets.outcome,
        "activity": facets.activity,
        "actor": known if result["why"] and known else facets.actor or known,
        "tunnel": facets.tunnel,
        "prompt": facets.prompt,
    }
