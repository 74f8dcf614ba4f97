"""Names for people of what the decoder says of a packet (enum Status and Checksum in record.pxd)."""

from __future__ import annotations

# By number. The summary prints them after the count: "12 packets skipped: no IP".
STATUS_NAMES = (
    "in flows",
    "not IP",
    "VLAN-tagged (-v decodes them)",
    "IP protocol without flows",
    "ICMP other than echo",
    "fragment",
    "link header cut off",
    "bad IP header",
    "bad TCP, UDP or ICMP header",
    "unknown link type",
)

CHECKSUM_NAMES = ("unchecked", "right", "left to the network card", "wrong")
