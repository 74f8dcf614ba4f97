#!/usr/bin/env python3
"""Compares streams with a second opinion: `compare_streams.py CAPTURE|FOLDER ...`.

Each TCP flow of which nothing is missing and nothing was sent twice in two ways is compared, byte by byte and
in both directions, with what tshark's `-z follow,tcp,raw` makes of it.  Flows whose endpoints are used by
another flow of the capture are left out, and so are those that tshark finds bytes missing in.  Exit status 1
if any differs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from fl0p_py.capture.savefile import open_savefile
from fl0p_py.errors import CaptureError
from fl0p_py.settings import EngineOptions
from fl0p_py.stream.chunk_batch import CONFLICT, DATA, DATAGRAM, GAP, LATE
from fl0p_py.stream.stream_set import StreamSet
from fl0p_py.tracker import Tracker

Ends = tuple[str, str]
Streams = dict[Ends, tuple[bytes, bytes]]
AT_A_TIME = 200  # streams that tshark is asked for in one run
MOST = 2000  # and of one capture


def ours(path: Path) -> tuple[Streams, int]:
    """Undisputed streams by (client, server), whole and from their handshake on; how many are not."""
    said: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
    ends: dict[int, Ends] = {}
    disputed: set[int] = set()
    try:
        with open_savefile(str(path)) as source:
            tracker = Tracker(source, EngineOptions(records="payload", vlan=True, checksums="ignore"))
            streams = StreamSet(tracker.table, want_all=True, compare=1 << 16)
            for step in tracker:
                chunks = streams.take(step.events, step.batch)
                for chunk in chunks.chunks:
                    serial, flags = int(chunk["serial"]), int(chunk["flags"])
                    if int(chunk["proto"]) != 6 or flags & DATAGRAM:
                        continue
                    if serial not in ends:
                        ends[serial] = _ends(tracker.table.rows[int(chunk["flow"])])
                    if flags & (GAP | LATE | CONFLICT):
                        disputed.add(serial)
                    if flags & DATA:
                        said[serial, int(chunk["direction"])].append(bytes(chunks.bytes_of(chunk)))
    except CaptureError as error:
        print(error, file=sys.stderr)
    used = Counter(frozenset(pair) for pair in ends.values())
    whole = {
        pair: (b"".join(said[serial, 0]), b"".join(said[serial, 1]))
        for serial, pair in ends.items()
        if serial not in disputed and used[frozenset(pair)] == 1
    }
    return whole, len(ends) - len(whole)


def _ends(row: object) -> Ends:
    def name(address: bytes, port: int, version: int) -> str:
        text = str(ip_address(address[:4] if version == 4 else address))
        return f"{text}:{port}" if version == 4 else f"[{text}]:{port}"

    version = int(row["version"])  # type: ignore[index]
    client, server = bytes(row["client"]), bytes(row["server"])  # type: ignore[index]
    return (
        name(client, int(row["cport"]), version),  # type: ignore[index]
        name(server, int(row["sport"]), version),  # type: ignore[index]
    )


def tshark(path: Path, *words: str) -> str:
    done = subprocess.run(["tshark", "-r", str(path), *words], capture_output=True, text=True, check=False)
    return done.stdout


def theirs(path: Path) -> Iterator[tuple[Ends, tuple[bytes, bytes]]]:
    """What tshark makes of each TCP stream: (node 0, node 1) and the bytes of each."""
    numbers = {
        int(line) for line in tshark(path, "-T", "fields", "-e", "tcp.stream").split() if line.isdigit()
    }
    last = min(max(numbers, default=-1) + 1, MOST)
    for first in range(0, last, AT_A_TIME):
        words = [f"-zfollow,tcp,raw,{n}" for n in range(first, min(last, first + AT_A_TIME))]
        for block in tshark(path, "-q", *words).split("Follow: tcp,raw")[1:]:
            nodes = re.findall(r"^Node \d: (\S+)$", block, re.M)
            said: list[list[str]] = [[], []]
            for line in block.splitlines():
                if re.fullmatch(r"\t?[0-9a-f]+", line):
                    said[line[0] == "\t"].append(line.strip())
            if len(nodes) == 2:
                yield (nodes[0], nodes[1]), (_bytes(said[0]), _bytes(said[1]))


def _bytes(lines: list[str]) -> bytes:
    return bytes.fromhex("".join(lines))


def compare(path: Path) -> tuple[int, int, int]:
    """Flows that agree, differ, and were not compared."""
    mine, left_out = ours(path)
    agree, differ = 0, 0
    for (a, b), (first, second) in theirs(path):
        if (b, a) in mine:
            (a, b), (first, second) = (b, a), (second, first)
        expected = mine.pop((a, b), None)
        if expected is None:
            continue
        if b"missing in capture file" in first + second:
            left_out += 1
        elif (first, second) == expected:
            agree += 1
        else:
            differ += 1
            sizes = [len(one) for one in (*expected, first, second)]
            print(
                f"{path.name}: {a} -> {b}: {sizes[0]} and {sizes[1]} bytes, tshark {sizes[2]} and {sizes[3]}"
            )
    return agree, differ, left_out + len(mine)


def main() -> int:
    paths = [path for word in sys.argv[1:] for path in sorted(_files(Path(word)))]
    total = [0, 0, 0]
    for path in paths:
        total = [a + b for a, b in zip(total, compare(path), strict=True)]
    print(f"{len(paths)} captures: {total[0]} flows agree, {total[1]} differ, {total[2]} were not compared")
    return 1 if total[1] or not total[0] else 0


def _files(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*") if "cap" in file.suffix) if path.is_dir() else iter([path])


if __name__ == "__main__":
    sys.exit(main())
