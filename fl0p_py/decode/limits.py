"""How much the decoder may hold of datagrams that are not yet complete."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FragmentLimits:
    """Bounds of the fragment table.

    datagrams : incomplete datagrams held at a time; beyond it the oldest is dropped
    bytes     : memory for their captured bytes (Linux allows 4 MiB); beyond it the oldest is dropped
    pieces    : fragments of one datagram; one with more is dropped (65535 bytes at an MTU of 576 make 120,
                but there are tools that cut packets into pieces of 8 or 16 bytes to slip past a sensor)
    timeout_s : seconds of packet time from the first fragment that came to the last (RFC 8200 section 4.5
                says 60; RFC 1122 section 3.3.2 between 60 and 120 for IPv4)
    """

    datagrams: int = 4096
    bytes: int = 8 << 20
    pieces: int = 512
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if min(self.datagrams, self.bytes, self.pieces, self.timeout_s) <= 0:
            raise ValueError(f"{self}: every limit must be positive")
