"""Captures for rules: conversations in a line each, and the alerts that fl0p gives on them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fl0p_py.cli.fl0p import main
from tests.output.schema import validator
from tests.support.frames import Packet, ether, icmp, icmp6, ip4, ip6, tcp, udp
from tests.support.savefiles import pcap

T0 = 1_795_359_541 * 10**9
STEP_NS = 10_000_000
VALIDATOR = validator()


@dataclass
class Talk:
    """Packets between clients and servers, 10 ms apart; `at_s` sets the clock."""

    packets: list[Packet] = field(default_factory=list)
    now_ns: int = T0

    def at_s(self, seconds: float) -> Talk:
        self.now_ns = T0 + round(seconds * 10**9)
        return self

    def frame(self, payload: Any, src: str, dst: str) -> Talk:
        """One packet."""
        packed = ip6(payload, src, dst) if ":" in src else ip4(payload, src, dst)
        self.packets.append((self.now_ns, ether(packed)))
        self.now_ns += STEP_NS
        return self

    def tcp(self, **ends: Any) -> Tcp:
        """A TCP connection, with its handshake."""
        return Tcp(self, **ends)

    def udp(
        self,
        payload: bytes,
        src: str = "10.0.0.1",
        dst: str = "10.0.0.2",
        sport: int = 40000,
        dport: int = 53,
    ) -> Talk:
        return self.frame(udp(payload, sport, dport), src, dst)

    def ping(
        self, payload: bytes = b"abc", src: str = "10.0.0.1", dst: str = "10.0.0.2", **fields: Any
    ) -> Talk:
        return self.frame(icmp6(payload, **fields) if ":" in src else icmp(payload, **fields), src, dst)


class Tcp:
    """One connection; `c` and `s` send."""

    def __init__(
        self,
        talk: Talk,
        src: str = "10.0.0.1",
        dst: str = "10.0.0.2",
        sport: int = 40000,
        dport: int = 23,
        *,
        handshake: bool = True,
    ) -> None:
        self._talk, self._ends, self._ports = talk, (src, dst), (sport, dport)
        self.seqs = [1000, 5000]
        if handshake:
            self.segment(0, b"", flags="S")
            self.seqs[0] += 1
            self.segment(1, b"", flags="SA")
            self.seqs[1] += 1
            self.segment(0, b"", flags="A")

    def segment(self, who: int, payload: bytes, *, flags: str = "PA", seq: int | None = None) -> Tcp:
        """One packet, wherever it is in the stream."""
        made = tcp(
            payload,
            self._ports[who],
            self._ports[1 - who],
            seq=self.seqs[who] if seq is None else seq,
            ack=0 if flags == "S" else self.seqs[1 - who],
            flags=flags,
        )
        self._talk.frame(made, self._ends[who], self._ends[1 - who])
        return self

    def c(self, *payloads: bytes) -> Tcp:
        return self._say(0, payloads)

    def s(self, *payloads: bytes) -> Tcp:
        return self._say(1, payloads)

    def _say(self, who: int, payloads: Iterable[bytes]) -> Tcp:
        """Each a segment, which the other end acknowledges."""
        for payload in payloads:
            self.segment(who, payload)
            self.seqs[who] += len(payload)
            self.segment(1 - who, b"", flags="A")
        return self

    def close(self) -> Talk:
        for who in (0, 1):
            self.segment(who, b"", flags="FA")
            self.seqs[who] += 1
        self.segment(0, b"", flags="A")
        return self._talk


def events(folder: Path, rules: str, talk: Talk, *options: str) -> list[dict[str, Any]]:
    """The alerts, in order; all that is printed is as the schema has it."""
    (folder / "x.rules").write_text(rules)
    (folder / "x.pcap").write_bytes(pcap(talk.packets, nano=True))
    log = folder / "x.log"
    log.unlink(missing_ok=True)
    argv = ["-q", "-s", str(folder / "x.pcap"), "--rules", str(folder / "x.rules"), "--json", "--alerts-only"]
    with redirect_stdout(io.StringIO()):
        assert main([*argv, "-o", str(log), *options]) == 0
    found = [json.loads(line) for line in log.read_text().splitlines()]
    for event in found:
        VALIDATOR.validate(event)
    return [event for event in found if event["event_type"] == "alert"]


def sids(folder: Path, rules: str, talk: Talk, *options: str) -> list[int]:
    return [event["alert"]["signature_id"] for event in events(folder, rules, talk, *options)]


def rule(options: str, sid: int = 1, head: str = "alert tcp any any -> any any") -> str:
    return f"{head} ({options} sid:{sid};)\n"
