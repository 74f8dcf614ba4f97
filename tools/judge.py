"""Judges the shipped signatures by a second opinion: what ndpiReader says of each flow.

    python -m tools.judge CAPTURES               print the table and each disagreement
    python -m tools.judge CAPTURES --opinions    ask ndpiReader (package libndpi-bin) anew
    python -m tools.judge CAPTURES --document    write the table into docs/signature-set.md

CAPTURES is a folder with a MANIFEST.tsv, as tests/signature/test_shipped.py uses it.  ndpiReader's
opinions are kept in tests/signature/opinions.tsv, so that judging needs no second program; an opinion
with `~` comes from the port or the address alone.  Status 1: a disagreement that EXPLAINED does not name.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from fl0p_py.errors import CaptureError
from fl0p_py.library import Flow, read_flows
from fl0p_py.settings import EngineOptions
from fl0p_py.signature.loader import load
from fl0p_py.signature.pattern import Signature, SignatureSet
from fl0p_py.signature.text import source_paths

ROOT = Path(__file__).resolve().parent.parent
OPINIONS = ROOT / "tests" / "signature" / "opinions.tsv"
DOCUMENT = ROOT / "docs" / "signature-set.md"
BEGIN, END = "<!-- made by tools/judge.py -->", "<!-- end -->"

SILENT = "-"
"""ndpiReader has no opinion, or did not see the flow."""

SAME = {
    "dhcp": {"DHCP", "DHCPV6"},
    "dns": {"DNS"},
    "ethereum": {"Mining"},
    "ftp": {"FTP_CONTROL"},
    "gtp": {"GTP"},
    "icmp": {"ICMP", "ICMPV6"},
    "imap": {"IMAP"},
    "netbios": {"NetBIOS"},
    "rpc": {"NFS"},
    "smb": {"SMBv1", "SMBv23"},
    "tls": {"TLS", "DoH_DoT", "IMAPS", "SMTPS", "POPS"},
    "xmpp": {"Jabber"},
}
"""ndpiReader's names for our classes, where they are not the same word."""


class Explained(NamedTuple):
    """A disagreement that was looked at.  who: is right, "fl0p", "ndpiReader" or "both"."""

    class_: str
    opinion: str
    capture: str
    who: str
    why: str


EXPLAINED = (
    Explained(
        "redis",
        "Nats",
        "zeek/excessive-pipelining.pcap",
        "fl0p",
        "Redis' inline PING, many in one segment on port 6379, each answered with +PONG.",
    ),
    Explained(
        "ldap",
        "MQTT",
        "suricata-verify/krb5-frag.pcap",
        "fl0p",
        "An LDAP bind and search on port 389, which Wireshark reads as such; "
        "ndpiReader 4.2 takes its first byte 0x30 for an MQTT PUBLISH.",
    ),
    Explained(
        "socks",
        "Cassandra",
        "nDPI/socks.pcap",
        "fl0p",
        "SOCKS 4a: version 4, CONNECT, host name behind address 0.0.0.1; the request then goes through.",
    ),
    Explained(
        "stun",
        "DTLS.Google",
        "nDPI/stun.pcap",
        "both",
        "The flow begins with a STUN binding and goes on with DTLS on the same ports, as WebRTC does.",
    ),
)

Key = tuple[str, str, frozenset[tuple[str, int]]]
"""Capture, protocol, both ends."""


@dataclass
class Tally:
    """What became of one signature."""

    signature: Signature
    captures: Counter[str] = field(default_factory=Counter)
    agree: int = 0
    silent: int = 0
    differ: list[tuple[str, Flow, str]] = field(default_factory=list)

    @property
    def flows(self) -> int:
        return self.captures.total()


def judge(folder: Path, signatures: SignatureSet, opinions: dict[Key, str]) -> dict[str, Tally]:
    """Every shipped signature's matches in the captures, by id, compared with the opinions."""
    tallies = {signature.id: Tally(signature) for signature in signatures.signatures}
    for name, flow in flows_of(folder, signatures):
        opinion = opinions.get(key_of(name, flow), SILENT)
        for id in {identification.id for identification in flow.identifications}:
            tally = tallies[id]
            tally.captures[name] += 1
            class_ = tally.signature.facets.class_
            if class_ is None or opinion == SILENT:
                tally.silent += 1
            elif agrees(class_, opinion):
                tally.agree += 1
            else:
                tally.differ.append((name, flow, opinion))
    return tallies


def flows_of(folder: Path, signatures: SignatureSet) -> Iterator[tuple[str, Flow]]:
    """The flows of all captures that can be read, up to where one is damaged."""
    options = EngineOptions(vlan=True, checksums="ignore")
    for name in origins(folder):
        try:
            for flow in read_flows(folder / name, signatures=signatures, options=options):
                yield name, flow
        except CaptureError:
            continue


def origins(folder: Path) -> dict[str, str]:
    """Capture -> "repository path" of where it comes from, in a fixed order."""
    with (folder / "MANIFEST.tsv").open(encoding="utf-8") as lines:
        rows = sorted(csv.DictReader(lines, delimiter="\t"), key=lambda row: row["file"])
    return {row["file"]: f"{row['repo']} {row['path']}" for row in rows}


def agrees(class_: str, opinion: str) -> bool:
    """Whether one of the opinion's names, such as HTTP in HTTP.Google, is the class."""
    names = set(opinion.rstrip("~").replace("|", ".").split("."))
    return bool(names & SAME.get(class_, set())) or class_ in {name.lower() for name in names}


def explained(class_: str | None, capture: str, opinion: str) -> Explained | None:
    for entry in EXPLAINED:
        if (entry.class_, entry.capture, entry.opinion) == (class_, capture, opinion):
            return entry
    return None


def key_of(name: str, flow: Flow) -> Key:
    ports = (0, 0) if flow.proto == "icmp" else (flow.client_port, flow.server_port)
    ends = frozenset({(str(flow.client), ports[0]), (str(flow.server), ports[1])})
    return name, flow.proto, ends


# -- the second opinion ---------------------------------------------------------------------------


def read_opinions(path: Path = OPINIONS) -> dict[Key, str]:
    opinions = {}
    with path.open(encoding="utf-8") as lines:
        for row in csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t"):
            name, proto, a, a_port, b, b_port, opinion = row
            opinions[name, proto, frozenset({(a, int(a_port)), (b, int(b_port))})] = opinion
    return opinions


def write_opinions(folder: Path, path: Path = OPINIONS) -> None:
    version = subprocess.run(["ndpiReader", "-h"], capture_output=True, text=True).stdout.split("\n")[0]
    with path.open("w", encoding="utf-8") as out:
        print(f"# {version.removeprefix('Welcome to ')}, asked by tools/judge.py; ~: a guess", file=out)
        for name in origins(folder):
            for (proto, *ends), opinion in sorted(ask(folder / name).items()):
                print(name, proto, *ends, opinion, sep="\t", file=out)


def ask(path: Path) -> dict[tuple[str, str, int, str, int], str]:
    """ndpiReader's opinion of each flow of a capture: of its contents, or else its guess."""
    with tempfile.TemporaryDirectory() as scratch:
        capture = path
        if path.suffix == ".gz":
            capture = Path(scratch, "capture")
            capture.write_bytes(gzip.decompress(path.read_bytes()))
        sure = _ask(capture, Path(scratch, "sure.csv"), ["-d"])
        guess = _ask(capture, Path(scratch, "guess.csv"), [])
    opinions = {}
    for ends in sure.keys() | guess.keys():
        if sure.get(ends):
            opinions[ends] = "|".join(sorted(sure[ends]))
        elif guess.get(ends):
            opinions[ends] = "|".join(sorted(guess[ends])) + "~"
    return opinions


def _ask(capture: Path, table: Path, options: list[str]) -> dict[tuple[str, str, int, str, int], set[str]]:
    subprocess.run(["ndpiReader", "-i", capture, "-q", "-C", table, *options], capture_output=True)
    found: dict[tuple[str, str, int, str, int], set[str]] = defaultdict(set)
    if not table.exists():
        return found
    with table.open(encoding="utf-8", errors="replace") as lines:
        for row in csv.DictReader(lines):
            proto = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmp"}.get(row["protocol"])
            if proto is None or row["ndpi_proto"] == "Unknown":
                continue
            ends = sorted(
                (_address(row[f"{side}_ip"]), 0 if proto == "icmp" else int(row[f"{side}_port"]))
                for side in ("src", "dst")
            )
            found[proto, *ends[0], *ends[1]].add(row["ndpi_proto"])
    return found


def _address(text: str) -> str:
    """In its canonical form; ndpiReader 4.2 writes some IPv6 addresses wrongly, they stay as they are."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text


# -- the report -----------------------------------------------------------------------------------


def table(tallies: Iterable[Tally]) -> str:
    lines = [
        "| id | class | what | flows | captures | agrees | no opinion | differs |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for tally in tallies:
        one = tally.signature
        numbers = (tally.flows, len(tally.captures), tally.agree, tally.silent, len(tally.differ))
        shown = " | ".join(str(number) if tally.flows else "" for number in numbers)
        lines.append(f"| `{one.id}` | {one.facets.class_ or ''} | {one.name} | {shown} |")
    return "\n".join(lines)


def report(tallies: dict[str, Tally]) -> str:
    """The table with its totals and the explained disagreements, in Markdown."""
    seen = [tally for tally in tallies.values() if tally.flows]
    matches = sum(tally.flows for tally in seen)
    agree = sum(tally.agree for tally in seen)
    silent = sum(tally.silent for tally in seen)
    parts = [
        f"{len(tallies)} signatures; {len(seen)} match flows of the public captures: {matches} matches, "
        f"of which ndpiReader agrees with {agree}, has no opinion (or none by class) on {silent} and "
        f"differs in {matches - agree - silent}.",
        table(tallies.values()),
        "Disagreements:",
        "\n".join(disagreements(tallies)) or "none.",
    ]
    return "\n\n".join(parts)


def disagreements(tallies: dict[str, Tally]) -> list[str]:
    lines = []
    for tally in tallies.values():
        for name, _, opinion in tally.differ:
            entry = explained(tally.signature.facets.class_, name, opinion)
            why = f"{entry.who} right. {entry.why}" if entry else "**not explained**"
            lines.append(f"- `{tally.signature.id}`, {name}: ndpiReader says {opinion}; {why}")
    return lines


def unexplained(tallies: dict[str, Tally]) -> list[str]:
    return [
        f"{tally.signature.id}: {name}: {opinion}"
        for tally in tallies.values()
        for name, _, opinion in tally.differ
        if not explained(tally.signature.facets.class_, name, opinion)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the shipped signatures with ndpiReader's opinion.")
    parser.add_argument("captures", type=Path, help="folder with MANIFEST.tsv")
    parser.add_argument("--opinions", action="store_true", help="ask ndpiReader anew")
    parser.add_argument("--document", action="store_true", help="write the table into docs/signature-set.md")
    arguments = parser.parse_args()
    if arguments.opinions:
        write_opinions(arguments.captures)
    tallies = judge(arguments.captures, load(source_paths()), read_opinions())
    text = report(tallies)
    if arguments.document:
        before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    else:
        print(text)
    return 1 if unexplained(tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
