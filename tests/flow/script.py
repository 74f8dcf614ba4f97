"""Conversations as text: a packet on each line, and what it should bring.

    0.0   c SA  1000+40 a5001 w512 s7   => c40 >closed .closed

time in s; who sends (`c` is 10.0.0.1:40000, `s` is 10.0.0.2:22; `c2`, `s2` the same with port 40002);
TCP flags, or `udp`, `ping`, `pong`, or `tick` (a packet of no flow: time passes); sequence number `+` payload
bytes; then, in any order, `a` acknowledgement, `w` window, `s` window scale, `v` VLAN, `@` the packet's own
time stamp where it differs from the line's order, and the words `right`, `wrong`, `pseudo` (checksum) and
`self` (both ends are the client).

After `=>` come the events: `c40`, `s27` (with a gap of 400 ms or more `+612` before them), `>closed` (END),
`.closed` (FINISH), in this flow or, as `2:c40`, in that of port 40002.  Without `=>` nothing may happen.

A line with nothing but a time and `doubt`: from now on, resets of the flows that there are are doubted; the
table has to record then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.decode.decoder import DECODED_DTYPE
from fl0p_py.flow import table
from fl0p_py.flow.table import FlowTable
from tests.flow.flows_of import END, FINISH
from tests.flow.twin_table import TwinTable

SECOND = 1_000_000_000
FLAGS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16, "U": 32}
CHECKSUMS = {"right": 1, "pseudo": 2, "wrong": 3}
REASONS = {
    table.CLOSED: "closed",
    table.RESET: "reset",
    table.IDLE: "idle",
    table.EOF: "eof",
    table.EVICTED: "evicted",
    table.SHUTDOWN: "shutdown",
    table.REUSED: "reused",
}
PORT = 40000
ARP = 1  # a status other than FLOW
USED = 1  # FlowRow.flags


@dataclass(frozen=True)
class Line:
    text: str
    packet: Any  # None: doubt
    expected: list[str]


def packet(**fields: Any) -> Any:
    """One Decoded record; unnamed fields are 0, but for a plain TCP segment's defaults."""
    d = np.zeros(1, DECODED_DTYPE)
    defaults = {"proto": 6, "version": 4, "window": 65535, "wscale": 255, "hash": 0x5EED}
    for name, value in {**defaults, **fields}.items():
        d[name] = value
    return d[0]


def address(last: int) -> NDArray[np.uint8]:
    return np.array([10, 0, 0, last] + [0] * 12, np.uint8)


def parse_line(line: str) -> Line:
    text, _arrow, expected = line.partition("=>")
    words = text.split("#")[0].split()
    ts_ns = round(float(words[0]) * SECOND)
    if words[1] == "doubt":
        return Line(line, None, [])
    if words[1] == "tick":
        return Line(line, packet(ts_ns=ts_ns, status=ARP), expected.split())
    who, what, *rest = words[1:]
    from_client, port = who[0] == "c", PORT + int(who[1:] or 0)
    fields: dict[str, Any] = {"ts_ns": ts_ns}
    if what in ("udp", "ping", "pong"):
        fields["proto"] = 17 if what == "udp" else 1
        fields["icmp_type"] = 8 if what == "ping" else 0
        rest = [f"0+{rest[0]}", *rest[1:]]
    else:
        fields["tcp_flags"] = sum(FLAGS[letter] for letter in what)
    ends = [(address(1), port), (address(2), 22)]
    if what in ("ping", "pong"):
        ends = [(address(1), port), (address(2), port)]
    if "self" in rest:
        ends[1] = ends[0]
        rest.remove("self")
    if not from_client:
        ends.reverse()
    (fields["src"], fields["sport"]), (fields["dst"], fields["dport"]) = ends
    seq, _, size = rest[0].partition("+")
    fields["seq"], fields["payload_len"] = int(seq) % (1 << 32), int(size or 0)
    fields["frame_len"] = 54 + int(size or 0)
    for word in rest[1:]:
        if word in CHECKSUMS:
            fields["checksum"] = CHECKSUMS[word]
        elif word[0] == "@":
            fields["ts_ns"] = round(float(word[1:]) * SECOND)
        else:
            name = {"a": "ack", "w": "window", "s": "wscale", "v": "vlan"}[word[0]]
            fields[name] = int(word[1:]) % (1 << 32)
    return Line(line, packet(**fields), expected.split())


def parse(script: str) -> list[Line]:
    return [parse_line(line) for line in script.splitlines() if re.search(r"\S", line.split("#")[0])]


def words(kind: str, value: int, gap_ns: int, port: int) -> list[str]:
    """An event as the script writes it."""
    prefix = f"{port - PORT}:" if port != PORT else ""
    if kind == "token":
        gap = [f"+{gap_ns // 1_000_000}"] if gap_ns >= 400_000_000 else []
        return [*gap, prefix + (f"c{value}" if value > 0 else f"s{-value}")]
    return [prefix + (">" if kind == "end" else ".") + REASONS[value]]


def doubt_all(flow_table: FlowTable) -> None:
    """Resets of the flows that there are are doubted from now on."""
    for row in np.flatnonzero(flow_table.rows["flags"] & USED):
        flow_table.doubt_resets(int(row))


class KernelRunner:
    """A FlowTable that takes one packet at a time and tells what came of it."""

    def __init__(self, **options: Any) -> None:
        self.table = FlowTable(**{"capacity": 64, "events": 256, **options})

    def step(self, d: Any) -> list[str]:
        packets = np.array([d], DECODED_DTYPE)
        said: list[str] = []
        while self.table.process(packets) == 0:
            said += self.said()
        return said + self.said()

    def doubt(self) -> None:
        doubt_all(self.table)

    def end(self) -> list[str]:
        said: list[str] = []
        while self.table.finish(table.EOF):
            said += self.said()
        return said + self.said()

    def said(self) -> list[str]:
        said = []
        for event in self.table.events:
            r = self.table.rows[event["flow"]]
            port = int(max(r["cport"], r["sport"]))
            kind = {END: "end", FINISH: "finish"}.get(int(event["kind"]), "token")
            value = int(event["size"] if kind == "token" else event["reason"])
            said += words(kind, value, int(event["gap_ns"]), port)
        self.table.release()
        return said


class TwinRunner:
    def __init__(self, records: str = "", **options: Any) -> None:
        """records : the twin has none"""
        self.table = TwinTable(**options)
        self.told: dict[int, int] = {}

    def step(self, d: Any) -> list[str]:
        self.table.packet(d)
        return self.said()

    def doubt(self) -> None:
        self.table.doubt_resets()

    def end(self) -> list[str]:
        self.table.finish()
        return self.said()

    def said(self) -> list[str]:
        said = []
        for flow in [*self.table.done, *self.table.flows.values()]:
            port = max(flow.client[1], flow.server[1])
            for event in flow.events[self.told.get(id(flow), 0) :]:
                said += words(*event, port)
            self.told[id(flow)] = len(flow.events)
        return said


RUNNERS = {"kernel": KernelRunner, "twin": TwinRunner}


def run(script: str, runner: KernelRunner | TwinRunner) -> None:
    """Play a script; the first line that brings something else is shown."""
    for line in parse(script):
        if "end of file" in line.text:
            continue
        if line.packet is None:
            runner.doubt()
            continue
        said = runner.step(line.packet)
        assert said == line.expected, f"{line.text.strip()!r} brought {' '.join(said) or 'nothing'}"
