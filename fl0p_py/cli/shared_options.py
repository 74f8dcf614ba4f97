"""Options that mean the same in fl0p and flowgrep."""

from __future__ import annotations

from enum import Enum

from fl0p_py.cli.option import Option


def capture(short: str, group: Enum) -> Option:
    return Option(
        short,
        "read",
        group,
        "Read packets from this capture: pcap or pcapng, plain or compressed with gzip or zstd. "
        "A single - is standard input.",
        "FILE",
        None,
        once="one capture at a time (mergecap joins several)",
    )


def checksums(group: Enum) -> Option:
    return Option(
        "",
        "checksums",
        group,
        "What a wrong TCP, UDP or ICMP checksum means. check: the packet is ignored. ignore: nothing. auto: "
        "it is ignored once its sender has shown that it sends right ones.",
        "HOW",
        "auto",
        choices=("auto", "check", "ignore"),
    )
