"""Wrong checksums, and which of them count."""

from __future__ import annotations

from tests.flow.conversations.row import Row

CHECKS: list[Row] = [
    ("ignore: all count", {"checksums": "ignore"}, "0 c udp 5 right => c5\n 0 c udp 6 wrong => c6"),
    (
        "check: a wrong one never counts",
        {"checksums": "check"},
        "0 c udp 5 wrong\n 0 c udp 6 => c6\n 0 c udp 7 right => c7",
    ),
    (
        "auto: wrong ones count until a right one came",
        {},
        "0 c udp 5 wrong => c5\n 0 c udp 6 right => c6\n 0 c udp 7 wrong",
    ),
    ("auto: a pseudo-header sum is as good", {}, "0 c udp 5 pseudo => c5\n 0 c udp 7 wrong"),
    ("auto: each end for itself", {}, "0 c udp 5 right => c5\n 0 s udp 6 wrong => s6\n 0 c udp 7 wrong"),
    (
        "auto: a forged RST is ignored",
        {},
        """
        0  c S  999 right
        0  s SA 4999 a1000 wrong
        0  c A  1000+5 a5000 right  => c5
        0  c R  1005 wrong
        0  c S  7 wrong
        0  c A  1005+5 a5000 right  => c5""",
    ),
]
