"""Copies of templates with other addresses, merged in time order into one large capture file.

All in bulk: a trace is a table of packets (time, template packet, flow) that is sorted once; then chunks
of it are gathered from the templates' bytes and patched in place.  Nothing runs per packet.

Addresses are unique by construction: flow i gets client i mod CLIENTS and a server that belongs to its
template and to i div CLIENTS, so no two flows share both; the client port is free to look like a real one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from template import (
    CHECKSUM_AT,
    ETHER,
    HEAD,
    ICMP,
    ICMP6,
    MAC_CLIENT,
    MAC_SERVER,
    UDP,
    Template,
)

CLIENTS = 1 << 16
CHUNK = 1 << 14  # packets gathered at once: the index of their bytes stays within the cache's reach
GLOBAL_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
START_S = 1_700_000_000

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


class Library:
    """All packets of all templates in one buffer, with columns of what patching needs to know."""

    def __init__(self, templates: Sequence[Template]) -> None:
        stored: list[bytes] = []
        rows: list[tuple[int, ...]] = []
        at = 0
        for number, flow in enumerate(templates):
            kind = b"\x08\x00" if flow.version == 4 else b"\x86\xdd"
            for packet in flow.packets:
                macs = MAC_SERVER + MAC_CLIENT if packet.to_server else MAC_CLIENT + MAC_SERVER
                size = len(packet.ip) + ETHER
                record = struct.pack("<IIII", 0, 0, size, size) + macs + kind + packet.ip
                checksum = HEAD + packet.l4 + CHECKSUM_AT[flow.proto]
                if flow.proto == UDP and flow.version == 4 and record[checksum : checksum + 2] == b"\0\0":
                    checksum = 0
                if flow.proto in (ICMP, ICMP6):
                    port = HEAD + packet.l4 + 4
                else:
                    port = 0 if flow.keep_port else HEAD + packet.l4 + (0 if packet.to_server else 2)
                rows.append((at, len(record), packet.time_us, packet.to_server, checksum, port, number))
                stored.append(record)
                at += len(record)
        self.data = np.frombuffer(b"".join(stored), np.uint8)
        table = np.array(rows, np.int64).reshape(-1, 7)
        self.start, self.size, self.time_us, self.to_server, self.checksum, self.port, self.template = (
            np.ascontiguousarray(column) for column in table.T
        )
        self.count = np.array([len(flow.packets) for flow in templates], np.int64)
        self.first = np.cumsum(self.count) - self.count
        self.version = np.array([flow.version for flow in templates])
        self.proto = np.array([flow.proto for flow in templates])


class Copies:
    """Which flow is a copy of which template, its addresses and its start."""

    def __init__(self, library: Library, copies: Ints, duration_s: float, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.library = library
        self.template = random.permutation(np.repeat(np.arange(len(copies)), copies))
        flows = len(self.template)
        number = np.arange(flows)
        client = (number % CLIENTS + 1) * 0x9E3779B1 & 0xFFFFFF  # odd multiplier: no two alike below 2**24
        server = self.template + len(copies) * (number // CLIENTS)
        self.client = (0x0A000000 | client).astype(np.uint32)
        self.server = (0x64400000 + (server * 0x9E3779B1 & 0x3FFFFF)).astype(np.uint32)
        self.port = random.integers(32768, 61000, flows).astype(np.int64)
        self.start_us = np.sort(random.integers(0, max(1, int(duration_s * 1e6)), flows))

    def packets(self) -> tuple[Ints, Ints, Ints]:
        """(time, template packet, flow) of every packet of the trace, in time order."""
        counts = self.library.count[self.template]
        flow = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(len(flow)) - np.repeat(np.cumsum(counts) - counts, counts)
        packet = np.repeat(self.library.first[self.template], counts) + within
        time_us = self.start_us[flow] + self.library.time_us[packet]
        order = np.argsort(time_us, kind="stable")  # packets of one flow keep their order
        return time_us[order], packet[order], flow[order]

    def records(self) -> Iterator[Bytes]:
        """The trace's bytes, chunk by chunk, without the file header."""
        time_us, packet, flow = self.packets()
        for at in range(0, len(packet), CHUNK):
            part = slice(at, at + CHUNK)
            yield self._chunk(time_us[part], packet[part], flow[part])

    def _chunk(self, time_us: Ints, packet: Ints, flow: Ints) -> Bytes:
        library = self.library
        size = library.size[packet]
        at = np.cumsum(size) - size
        out: Bytes = library.data[np.repeat(library.start[packet] - at, size) + np.arange(size.sum())]
        _put(out, at, (START_S + time_us // 1_000_000).astype("<u4"))
        _put(out, at + 4, (time_us % 1_000_000).astype("<u4"))

        template = library.template[packet]
        to_server = library.to_server[packet].astype(bool)
        client, server = self.client[flow].astype(np.int64), self.server[flow].astype(np.int64)
        source, target = np.where(to_server, client, server), np.where(to_server, server, client)
        four = library.version[template] == 4
        for chosen, offset in ((four, HEAD + 12), (~four, HEAD + 8 + 12)):
            step = 4 if offset == HEAD + 12 else 16
            _put(out, at[chosen] + offset, source[chosen].astype(">u4"))
            _put(out, at[chosen] + offset + step, target[chosen].astype(">u4"))
        for side, offset in ((source, HEAD + 8), (target, HEAD + 24)):  # 2001:db8:: before the IPv4 number
            _put(out, at[~four] + offset, np.full(len(side[~four]), 0x20010DB8).astype(">u4"))

        added = (client >> 16) + (client & 0xFFFF) + (server >> 16) + (server & 0xFFFF)
        _add(out, at[four] + HEAD + 10, added[four])

        port = library.port[packet]
        has_port = port > 0
        new_port = np.where(has_port, self.port[flow], 0)
        _put(out, (at + port)[has_port], new_port[has_port].astype(">u2"))
        proto = library.proto[template]
        transport = np.where(proto == ICMP, 0, added + np.where(four, 0, 2 * (0x2001 + 0x0DB8))) + new_port
        checksum = library.checksum[packet]
        known = checksum > 0
        _add(out, (at + checksum)[known], transport[known], zero_is_ffff=(proto == UDP)[known])
        return out


def _put(out: Bytes, at: Ints, values: NDArray[np.generic]) -> None:
    """Store values (already in the byte order wanted) at the given offsets."""
    width = values.dtype.itemsize
    out[at[:, None] + np.arange(width)] = values.view(np.uint8).reshape(-1, width)


def _add(out: Bytes, at: Ints, added: Ints, zero_is_ffff: NDArray[np.bool_] | None = None) -> None:
    """Bring checksums up to date after words that were 0 became words of the sum `added`.

    HC' = ~(~HC + ~m + m'), RFC 1624 section 3, with m = 0, whose complement adds nothing.
    """
    old = out[at].astype(np.int64) << 8 | out[at + 1]
    total = (0xFFFF - old) + added
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    new = 0xFFFF - total
    if zero_is_ffff is not None:
        new[zero_is_ffff & (new == 0)] = 0xFFFF  # RFC 768: zero means that there is no checksum
    _put(out, at, new.astype(">u2"))


def choose(templates: Sequence[Template], flows: int, packets: int, size: int) -> Ints:
    """How often to copy each template, so that the trace comes near to so many packets and bytes.

    Every capture weighs as the square root of its flows (one port scan must not be the whole trace); of all
    distributions with the wanted means the nearest to those weights is an exponential tilt, found by Newton.
    """
    origins: dict[str, int] = {}
    for flow in templates:
        origins[flow.origin] = origins.get(flow.origin, 0) + 1
    base = np.array([origins[flow.origin] ** -0.5 for flow in templates])
    feature = np.array([[len(flow.packets), flow.size] for flow in templates], float)
    wanted = np.array([packets / flows, size / flows])
    scale = feature.std(axis=0) + 1e-9
    x, target = feature / scale, wanted / scale
    tilt = np.zeros(2)

    def weights(at: NDArray[np.float64]) -> NDArray[np.float64]:
        score = x @ at
        w = base * np.exp(score - score.max())
        return np.asarray(w / w.sum())

    for _ in range(500):
        w = weights(tilt)
        mean = w @ x
        error = target - mean
        if np.abs(error / target).max() < 1e-4:
            break
        spread = (x - mean).T @ ((x - mean) * w[:, None]) + 1e-6 * np.eye(2)
        step = np.linalg.solve(spread, error)
        tilt += step * min(1.0, 0.5 / (np.abs(step).max() + 1e-12))
    exact = weights(tilt) * flows
    copies = np.floor(exact).astype(np.int64)
    rest = np.argsort(copies - exact, kind="stable")[: flows - copies.sum()]
    copies[rest] += 1
    return copies


def write(
    stream: BinaryIO, templates: Sequence[Template], copies: Ints, duration_s: float, seed: int
) -> tuple[int, int]:
    """Write the trace; (packets, bytes)."""
    packets = int((copies * np.array([len(flow.packets) for flow in templates])).sum())
    size = len(GLOBAL_HEADER)
    stream.write(GLOBAL_HEADER)
    for chunk in Copies(Library(templates), copies, duration_s, seed).records():
        stream.write(chunk.data)
        size += len(chunk)
    return packets, size
