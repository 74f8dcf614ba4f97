"""Invented conversations, for a trace when no captures are at hand.

Each is a short script of who says how many bytes and when, in the shape of a real application; a TCP script
is played with handshake, MSS-sized segments, acknowledgements and FIN.  The bytes are random, except for the
words by which other tools know the protocol.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import dpkt

from template import Template, collect

CLIENT, SERVER = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02"
MSS = 1448
ACK, PSH, FIN, SYN = dpkt.tcp.TH_ACK, dpkt.tcp.TH_PUSH, dpkt.tcp.TH_FIN, dpkt.tcp.TH_SYN

Step = tuple[str, bytes, float]  # direction, payload, seconds before it
Timed = Iterator[tuple[float, bytes]]


def _ip(to_server: bool, proto: int, body: dpkt.Packet) -> bytes:
    src, dst = (CLIENT, SERVER) if to_server else (SERVER, CLIENT)
    packet = dpkt.ip.IP(src=src, dst=dst, p=proto, ttl=64, data=body)
    packet.len = len(packet)
    return bytes(packet)


class _Tcp:
    """One connection: sequence numbers and the clock."""

    def __init__(self, sport: int, draw: random.Random) -> None:
        self.ports = (40000, sport)
        self.seq = {True: draw.getrandbits(31), False: draw.getrandbits(31)}
        self.rtt_s = draw.uniform(0.0005, 0.08)
        self.now_s = 0.0

    def segment(self, to_server: bool, flags: int, data: bytes = b"") -> tuple[float, bytes]:
        source, target = self.ports if to_server else self.ports[::-1]
        body = dpkt.tcp.TCP(
            sport=source, dport=target, seq=self.seq[to_server], flags=flags, win=64240, data=data,
            ack=self.seq[not to_server] if flags & ACK else 0,
        )  # fmt: skip
        self.seq[to_server] = self.seq[to_server] + len(data) + (1 if flags & (SYN | FIN) else 0) & 0xFFFFFFFF
        self.now_s += 0.00002
        return self.now_s, _ip(to_server, dpkt.ip.IP_PROTO_TCP, body)

    def play(self, script: list[Step]) -> Timed:
        yield self.segment(True, SYN)
        self.now_s += self.rtt_s
        yield self.segment(False, SYN | ACK)
        yield self.segment(True, ACK)
        for direction, payload, wait_s in script:
            self.now_s += wait_s + self.rtt_s / 2
            to_server = direction == "c"
            for count, at in enumerate(range(0, len(payload), MSS)):
                yield self.segment(to_server, ACK | PSH, payload[at : at + MSS])
                if count % 2:
                    yield self.segment(not to_server, ACK)
            yield self.segment(not to_server, ACK)
        self.now_s += self.rtt_s
        yield self.segment(True, FIN | ACK)
        yield self.segment(False, FIN | ACK)
        yield self.segment(True, ACK)


def _ssh(draw: random.Random) -> list[Step]:
    script: list[Step] = [("s", b"SSH-2.0-OpenSSH_9.2p1\r\n", 0.01), ("c", b"SSH-2.0-OpenSSH_9.2p1\r\n", 0)]
    for direction, size in zip("cscscc", (1536, 1080, 1208, 1564, 16, 44), strict=True):
        script.append((direction, draw.randbytes(size), 0.002))
    for _ in range(draw.randint(1, 3)):
        script += [("c", draw.randbytes(148), draw.uniform(0.6, 4)), ("s", draw.randbytes(52), 1.8)]
    for _ in range(draw.randint(0, 30)):
        script += [("c", draw.randbytes(36), draw.expovariate(3)), ("s", draw.randbytes(36), 0.001)]
    return script


def _http(draw: random.Random) -> list[Step]:
    script: list[Step] = []
    for _ in range(draw.randint(1, 4)):
        size = int(draw.lognormvariate(8.5, 1.3))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % size
        request = b"GET /%s HTTP/1.1\r\nHost: www.example.org\r\n\r\n" % (b"a" * draw.randint(1, 60))
        script.append(("c", request, draw.uniform(0, 0.8)))
        script.append(("s", head + draw.randbytes(size), draw.uniform(0.001, 0.1)))
    return script


def _tls(draw: random.Random) -> list[Step]:
    def record(kind: int, size: int) -> bytes:
        return bytes((kind, 3, 3, size >> 8, size & 255)) + draw.randbytes(size)

    script: list[Step] = [("c", record(22, 512), 0)]
    script += [("s", record(22, draw.randint(1200, 4200)), 0.005), ("c", record(23, 69), 0.002)]
    for _ in range(draw.randint(1, 5)):
        script.append(("c", record(23, draw.randint(80, 700)), draw.uniform(0, 0.5)))
        script.append(("s", record(23, min(16384, int(draw.lognormvariate(7.5, 1.5)) + 60)), 0.02))
    return script


def _smtp(draw: random.Random) -> list[Step]:
    slow = draw.choice((0.0, 0.0, 1.5))
    words = (b"EHLO mail.example.org\r\n", b"MAIL FROM:<alice@example.org>\r\n",
             b"RCPT TO:<bob@example.net>\r\n", b"DATA\r\n")  # fmt: skip
    script: list[Step] = [("s", b"220 mx.example.net ESMTP\r\n", 0.05)]
    for word in words:
        script += [("c", word, slow), ("s", b"250 " + b"o" * draw.randint(2, 120) + b"\r\n", 0.01)]
    body = b"Subject: hello\r\n\r\n" + b"x" * draw.randint(100, 9000) + b"\r\n.\r\n"
    script += [("c", body, slow), ("s", b"250 queued\r\n", 0.1)]
    return [*script, ("c", b"QUIT\r\n", slow), ("s", b"221 bye\r\n", 0)]


def _bulk(draw: random.Random) -> list[Step]:
    return [("c", draw.randbytes(180), 0), ("s", draw.randbytes(draw.randint(200_000, 2_000_000)), 0.05)]


def _scan(_draw: random.Random) -> list[Step]:
    return []


def _dns(draw: random.Random) -> Timed:
    name = "".join(draw.choices("abcdefghij", k=draw.randint(3, 20))) + ".example.org"
    query = dpkt.dns.DNS(id=draw.getrandbits(16), qd=[dpkt.dns.DNS.Q(name=name, type=1)])
    question = bytes(query)
    answer = question[:2] + b"\x81\x80" + question[4:6] + b"\0\1\0\0\0\0" + question[12:]
    answer += b"\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4" + draw.randbytes(4)
    now = 0.0
    for to_server, data in ((True, question), (False, answer)):
        source, target = (40000, 53) if to_server else (53, 40000)
        yield now, _ip(to_server, dpkt.ip.IP_PROTO_UDP, dpkt.udp.UDP(sport=source, dport=target, data=data,
                                                                     ulen=8 + len(data)))  # fmt: skip
        now += draw.uniform(0.001, 0.06)


def _ping(draw: random.Random) -> Timed:
    now = 0.0
    for number in range(1, draw.randint(2, 12)):
        for kind in (8, 0):
            echo = dpkt.icmp.ICMP.Echo(id=77, seq=number, data=draw.randbytes(56))
            yield now, _ip(kind == 8, dpkt.ip.IP_PROTO_ICMP, dpkt.icmp.ICMP(type=kind, data=echo))
            now += 0.01
        now += 0.99


SCRIPTS: tuple[tuple[str, int, int, Callable[[random.Random], list[Step]]], ...] = (
    ("ssh", 22, 60, _ssh),
    ("http", 80, 120, _http),
    ("tls", 443, 160, _tls),
    ("smtp", 25, 60, _smtp),
    ("bulk", 80, 20, _bulk),
    ("scan", 23, 10, _scan),
)
DATAGRAMS: tuple[tuple[str, int, Callable[[random.Random], Timed]], ...] = (
    ("dns", 120, _dns),
    ("ping", 20, _ping),
)


def templates(seed: int) -> list[Template]:
    """About 570 invented flows of eight applications; the same ones for the same seed."""
    draw = random.Random(seed)
    found: list[Template] = []
    for name, port, count, script in SCRIPTS:
        for _ in range(count):
            found += collect(_Tcp(port, draw).play(script(draw)), name)
    for name, count, packets in DATAGRAMS:
        for _ in range(count):
            found += collect(packets(draw), name)
    return found
