"""A trace of random sizes: every token is new, so nothing that is remembered or expected helps a matcher.

Every second flow (when a signature file is given) instead walks along signatures of that file: it says the
beginning of one, then, in place of its last item, a size that is off by a little, and goes on with another.
So each token looks like the middle of something.  All arithmetic is in bulk; payload bytes are zero.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from replicate import GLOBAL_HEADER, START_S
from template import HEAD, MAC_CLIENT, MAC_SERVER

TCP_HEADER = 20
LARGEST = 1448
CHUNK_FLOWS = 20_000
MEAN_GAP_US = 120_000  # so that 1 gap in 28 reaches the threshold of 400 ms
SYN, ACK, PSH = 0x02, 0x10, 0x08

Ints = NDArray[np.int64]

RECORD_DTYPE = np.dtype([
    ("ts_s", "<u4"), ("ts_us", "<u4"), ("caplen", "<u4"), ("wirelen", "<u4"),
    ("dst_mac", "V6"), ("src_mac", "V6"), ("ethertype", ">u2"),
    ("version", "u1"), ("tos", "u1"), ("total", ">u2"), ("id", ">u2"), ("fragment", ">u2"),
    ("ttl", "u1"), ("proto", "u1"), ("ip_sum", ">u2"), ("src", ">u4"), ("dst", ">u4"),
    ("sport", ">u2"), ("dport", ">u2"), ("seq", ">u4"), ("ack", ">u4"),
    ("offset", "u1"), ("flags", "u1"), ("window", ">u2"), ("tcp_sum", ">u2"), ("urgent", ">u2"),
])  # fmt: skip
"""A pcap record header, Ethernet, IPv4 without options and TCP without options."""


def headers(count: int) -> NDArray[np.void]:
    """`count` records with everything filled in that is the same for all of them."""
    rows = np.zeros(count, RECORD_DTYPE)
    rows["ethertype"], rows["version"], rows["ttl"], rows["proto"] = 0x0800, 0x45, 64, 6
    rows["offset"], rows["window"] = TCP_HEADER // 4 << 4, 64240
    rows["dst_mac"], rows["src_mac"] = np.void(MAC_SERVER), np.void(MAC_CLIENT)
    return rows


def fill_checksums(rows: NDArray[np.void], payload: Ints | int) -> None:
    """Lengths and checksums of records whose payload is all zero bytes."""
    rows["total"] = payload + 20 + TCP_HEADER
    rows["caplen"] = rows["wirelen"] = rows["total"].astype(np.int64) + 14
    source, target = rows["src"].astype(np.int64), rows["dst"].astype(np.int64)
    ends = (source >> 16) + (source & 0xFFFF) + (target >> 16) + (target & 0xFFFF)
    rows["ip_sum"] = _inverted(0x4500 + rows["total"].astype(np.int64) + (64 << 8 | 6) + ends)
    seq, ack = rows["seq"].astype(np.int64), rows["ack"].astype(np.int64)
    rows["tcp_sum"] = _inverted(
        ends + 6 + rows["total"].astype(np.int64) - 20
        + rows["sport"].astype(np.int64) + rows["dport"]
        + (seq >> 16) + (seq & 0xFFFF) + (ack >> 16) + (ack & 0xFFFF)
        + (rows["offset"].astype(np.int64) << 8) + rows["flags"] + rows["window"]
    )  # fmt: skip


def _inverted(total: Ints) -> Ints:
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def walks(signatures: Path, random: np.random.Generator, flows: int, length: int) -> Ints:
    """int64[flows, length], sizes signed by direction: beginnings of signatures with a wrong last item.

    Understands lines of plain sizes and ranges, such as signatures.py makes; others are passed over.
    """
    known: list[list[int]] = []
    for line in signatures.read_text(encoding="utf-8").splitlines():
        match = re.match(r"(?:tcp|udp|icmp)\s+\S+\s+=?\s*<?([^:]*):", line)
        items = re.findall(r"([cs])(\d+)(?:-(\d+))?", match[1]) if match else []
        if len(items) > 1:
            sizes = [(int(low) + int(high or low)) // 2 for _, low, high in items]
            known.append([size if item[0] == "c" else -size for size, item in zip(sizes, items, strict=True)])
    pool: list[int] = []
    for choice in random.integers(0, len(known), flows * length // 2):
        pool += known[choice][:-1]
        pool.append(known[choice][-1] + 40)
        if len(pool) >= flows * length:
            break
    walk = np.array(pool[: flows * length], np.int64).reshape(flows, length)
    return np.asarray(np.sign(walk) * np.clip(np.abs(walk), 1, LARGEST))


def write(
    stream: BinaryIO,
    flows: int,
    packets: int,
    duration_s: float,
    seed: int,
    largest: int = 599,
    signatures: Path | None = None,
) -> tuple[int, int]:
    """Write a trace of `flows` flows with a handshake and equally many tokens each; (packets, bytes).

    No flow is closed, so all of them are open at the end unless an idle timeout is short.
    """
    random = np.random.default_rng(seed)
    length = max(1, round(packets / flows) - 3)
    sizes = random.integers(1, largest + 1, (flows, length)) * random.choice([-1, 1], (flows, length))
    if signatures is not None:
        sizes[::2] = walks(signatures, random, len(sizes[::2]), length)
    start_us = np.sort(random.integers(0, int(duration_s * 1e6), flows))
    written = len(GLOBAL_HEADER)
    stream.write(GLOBAL_HEADER)
    for at in range(0, flows, CHUNK_FLOWS):
        part = slice(at, at + CHUNK_FLOWS)
        # flows of one chunk overlap; a chunk is over before the next begins
        begin = int(start_us[part][0])
        until = int(start_us[at + CHUNK_FLOWS]) if at + CHUNK_FLOWS < flows else int(duration_s * 1e6)
        data = _chunk(sizes[part], at, begin, max(until - begin, length), random)
        stream.write(data)
        written += len(data)
    return flows * (length + 3), written


def _chunk(sizes: Ints, first: int, begin_us: int, span_us: int, random: np.random.Generator) -> bytes:
    """The packets of some flows in time order."""
    flows, length = sizes.shape
    steps = length + 3
    number = np.arange(first + 1, first + flows + 1)
    to_server = np.ones((flows, steps), bool)
    to_server[:, 1] = False
    to_server[:, 3:] = sizes > 0
    payload = np.zeros((flows, steps), np.int64)
    payload[:, 3:] = np.abs(sizes)
    flags = np.full((flows, steps), ACK | PSH)
    flags[:, :3] = SYN, SYN | ACK, ACK
    used = payload + (flags & SYN > 0)
    by_client, by_server = np.where(to_server, used, 0), np.where(to_server, 0, used)
    sent_client = number[:, None] * 7919 + np.cumsum(by_client, axis=1)
    sent_server = number[:, None] * 104729 + np.cumsum(by_server, axis=1)
    client = 0x0A000000 + (number[:, None] * 0x9E3779B1 & 0xFFFFFF)
    server = 0x64400000 + (number[:, None] * 31 & 0xFFFF)
    port = 32768 + (number[:, None] & 0x3FFF)

    elapsed = np.cumsum(random.exponential(MEAN_GAP_US, (flows, steps)), axis=1)
    elapsed *= np.minimum(1.0, span_us / elapsed[:, -1:])
    begin = random.random((flows, 1)) * (span_us - elapsed[:, -1:])
    moment_us = (begin + elapsed).astype(np.int64).reshape(-1)
    order = np.argsort(moment_us, kind="stable")  # packets of one flow keep their order
    time_us = begin_us + moment_us[order]
    rows = headers(flows * steps)

    def put(name: str, toward: Ints, back: Ints) -> None:
        rows[name] = np.where(to_server, toward, back).reshape(-1)[order] & 0xFFFFFFFF

    put("src", client, server)
    put("dst", server, client)
    put("sport", port, np.full_like(port, 22))
    put("dport", np.full_like(port, 22), port)
    put("seq", sent_client - used, sent_server - used)
    put("ack", sent_server, sent_client)
    rows["ack"][flags.reshape(-1)[order] == SYN] = 0
    rows["flags"] = flags.reshape(-1)[order]
    rows["ts_s"], rows["ts_us"] = START_S + time_us // 1_000_000, time_us % 1_000_000
    sized = payload.reshape(-1)[order]
    fill_checksums(rows, sized)

    width = RECORD_DTYPE.itemsize
    at = np.cumsum(sized + width) - (sized + width)
    out = np.zeros(int((sized + width).sum()), np.uint8)
    out[at[:, None] + np.arange(width)] = rows.view(np.uint8).reshape(-1, width)
    return out.tobytes()


assert RECORD_DTYPE.itemsize == HEAD + 20 + TCP_HEADER
