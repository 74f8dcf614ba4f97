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

# By number of enum FragmentCounter in fragment.pxd.
FRAGMENT_COUNTER_NAMES = (
    "fragments",
    "duplicate fragments",
    "datagrams completed",
    "datagrams timed out",
    "datagrams dropped for memory",
    "datagrams dropped for overlapping fragments",
)

CHECKSUM_NAMES = ("unchecked", "right", "left to the network card", "wrong")
