#!/usr/bin/env python3
"""Judges flowgrep by another reassembly: `judge_grep.py FOLDER|CAPTURE ...`.

For each capture, `tshark -z follow` puts the TCP streams together, and Python's `re` looks for each of
PATTERNS in what either end said; flowgrep must match the same streams.  Streams that one of the two does not
know at all (inside tunnels, out of damaged packets) are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from fl0p_py.capture.savefile import open_savefile
from fl0p_py.cli.flowgrep_options import parse
from fl0p_py.cli.flowgrep_pipeline import Pipeline, engine_options, wanted
from fl0p_py.errors import CaptureError
from fl0p_py.tracker import Tracker

PATTERNS = (
    r"SSH-2\.0", r"HTTP/1\.[01] 200", r"^GET ", r"^GET|^POST|^PUT|^HEAD", r"^Host: ", r"\r\n\r\n", r"^\r$",
    r"(?i)user-agent: .*(curl|wget|python)", r"[Cc]ontent-[Ll]ength: \d+", r"\x16\x03[\x00-\x04]",
    r"^220[ -].*(SMTP|ESMTP|FTP)", r"MAIL FROM:<[^>]+>", r"(?i)^(user|pass) \S+", r"\+OK", r"\x00{16}",
    r"[A-Za-z0-9+/]{76}\r?\n", r"(\w)\1{5}", r"(?<=Server: )\w+", r"login(?!ctl)", r"[^\x00-\x7f]{8}",
    r"</?html", r"\.com\b", r"(?s)\A.{1,4}\xffSMB", r"(?i)password", r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}",
    r"^\s*[A-Z]{4,8} ", r"=$", r"(?s)GET .*HTTP.*Host.*\r\n\r\n", r"[\x80-\xff][\x00-\x20]{3}", r"ing\b",
)  # fmt: skip

GAP = re.compile(rb"\[\d+ bytes missing in capture file\]\0?")
"""What tshark writes for bytes that never came."""

Endpoints = frozenset[tuple[str, int]]


def endpoint(text: str) -> tuple[str, int]:
    address, _, port = text.strip().rpartition(":")
    return address.strip("[]"), int(port)


def followed(capture: Path) -> dict[Endpoints, list[tuple[bytes, bytes]]]:
    """What each end said in each stream, as tshark has it."""
    listed = subprocess.run(
        ["tshark", "-r", str(capture), "-Y", "tcp", "-T", "fields", "-e", "tcp.stream", "-E", "occurrence=f"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    numbers = sorted({int(word) for word in listed.stdout.split()})
    command = ["tshark", "-r", str(capture), "-q"]
    for number in numbers:
        command += ["-z", f"follow,tcp,raw,{number}"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout if numbers else ""
    streams: dict[Endpoints, list[tuple[bytes, bytes]]] = defaultdict(list)
    for part in text.split("=" * 67):
        nodes = re.findall(r"^Node \d: (\S+)$", part, re.M)
        if len(nodes) != 2:
            continue
        said: tuple[list[str], list[str]] = ([], [])
        for line in part.splitlines():
            if re.fullmatch(r"\t?[0-9a-f]+", line):
                said[line.startswith("\t")].append(line.strip())
        whole = tuple(GAP.sub(b"\0", bytes.fromhex("".join(lines))) for lines in said)
        streams[frozenset(map(endpoint, nodes))].append((whole[0], whole[1]))
    return streams


class Collected:
    """Takes what flowgrep would print."""

    def __init__(self) -> None:
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data


def grepped(capture: Path, pattern: str) -> set[Endpoints]:
    """The TCP flows that flowgrep matches."""
    options = parse(
        ["-r", str(capture), "-a", pattern, "--json", "--checksums", "ignore", "--flows", "65536"]
    )
    output = Collected()
    with suppress(CaptureError), open_savefile(str(capture)) as source:
        tracker = Tracker(source, engine_options(options))
        pipeline = Pipeline(options, wanted(options), tracker.table, output, None, None)
        for step in tracker:
            pipeline.take(step)
    found = set()
    for line in output.text.splitlines():
        event = json.loads(line)
        if event["proto"] == "TCP":
            found.add(
                frozenset({(event["src_ip"], event["src_port"]), (event["dest_ip"], event["dest_port"])})
            )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("captures", nargs="+", type=Path)
    parser.add_argument("--patterns", type=int, default=len(PATTERNS))
    options = parser.parse_args()
    captures = [
        file
        for path in options.captures
        for file in (sorted(p for p in path.rglob("*") if "pcap" in p.name) if path.is_dir() else [path])
    ]
    compared = differing = 0
    for capture in captures:
        streams = followed(capture)
        if not streams:
            continue
        known = grepped(capture, "(?s).")
        for pattern in PATTERNS[: options.patterns]:
            compiled = re.compile(pattern.encode(), re.M)
            wanted = {
                ends
                for ends, all_said in streams.items()
                if any(compiled.search(said) for both in all_said for said in both)
            }
            got = grepped(capture, pattern)
            compared += 1
            missing, extra = (wanted & known) - got, (got & set(streams)) - wanted
            if missing or extra:
                differing += 1
                print(f"{capture}: {pattern!r}: missing {len(missing)}, extra {len(extra)} of {len(wanted)}")
                for ends in [*missing][:2] + [*extra][:2]:
                    print("   ", sorted(ends))
    print(f"{compared} comparisons, {differing} differ")
    return differing != 0


if __name__ == "__main__":
    sys.exit(main())
