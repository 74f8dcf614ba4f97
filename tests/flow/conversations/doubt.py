"""Flows to which somebody sends resets: what a RST proves, and what the silence behind it."""

from __future__ import annotations

from tests.flow.conversations.row import OPEN, Row

RECORDS = {"records": "payload"}
DOUBTED = (
    OPEN
    + """
    0.5  c A  1000+5 a5000 w100 => c5
    0.5  doubt
"""
)

DOUBTS: list[Row] = [
    ("silence behind a RST ends it", RECORDS, DOUBTED + "1 s R 5000\n 2.9 tick\n 3.3 tick => >reset .reset"),
    (
        "from the last one on",
        RECORDS,
        DOUBTED + "1 s R 5000\n 2.5 c R 1005\n 4.4 tick\n 4.8 tick => >reset .reset",
    ),
    (
        "what its sender says behind it shows that it was somebody else's",
        RECORDS,
        DOUBTED
        + """
        1    s R  5000
        1    s A  5000+9 a1005  => +500 s9
        9    tick
        9    c A  1005+5 a5009  => +8000 c5
        10   s R  5009
        12.3 tick               => >reset .reset""",
    ),
    (
        "so does what its receiver answers (RFC 5961 section 3.2: it was in the window alone)",
        RECORDS,
        DOUBTED
        + """
        1    s R  5099
        1    c A  1005 a5000
        9    tick
        9    s A  5000+5 a1005  => +8500 s5""",
    ),
    (
        "what does not fit shows nothing",
        RECORDS,
        DOUBTED
        + """
        1    s R  5000
        1    s A  3000000000+5 a1005
        1    s P  5000+5
        3.3  tick               => >reset .reset""",
    ),
    (
        "a RST that does not count brings no doubt",
        RECORDS,
        DOUBTED + "1 s R 4999\n 1 s R 5100\n 9 tick\n 9 s A 5000+5 a1005 => +8500 s5",
    ),
    (
        "a packet may find that it was silent; then and later it is absorbed, for 15 s as ever",
        RECORDS,
        DOUBTED
        + """
        1    s R  5000
        3    s A  5000+5 a1005  => >reset .reset
        15.9 s A  5005+5 a1005
        16   s A  5010+5 a1005  => c5""",
    ),
    (
        "a packet that comes when even that is over",
        RECORDS,
        DOUBTED + "1 s R 5000\n 60 s A 5000+5 a1005 => >reset .reset c5",
    ),
    (
        "FIN both ways is the end it has",
        RECORDS,
        DOUBTED
        + """
        1    s R  5000
        1.1  c FA 1005 a5000
        1.2  s FA 5000 a1006    => >closed
        1.2  s R  5001
        1.3  c A  1006 a5001    => .closed""",
    ),
    (
        "a new connection ends it: it was reset",
        RECORDS,
        DOUBTED + "1 s R 5000\n 1.5 c S 7000 => >reset .reset\n 1.6 s SA 9000 a7001",
    ),
    (
        "one that goes on is as idle as any",
        RECORDS,
        DOUBTED + "1 s R 5000\n 1 c A 1005 a5000\n 3599 tick\n 3601.4 tick => >idle .idle",
    ),
    (
        "before the handshake is complete too",
        RECORDS,
        """
        0    c S  999+5         => c5
        0    doubt
        1    s RA 0 a1005
        2    c S  999+5
        60   tick
        62.5 tick               => >idle .idle""",
    ),
    (
        "of others a RST is believed",
        RECORDS,
        DOUBTED
        + """
        1    c2 S 1
        1    s2 RA 0 a2
        1    c2 S 1+5           => 2:c5
        1    s2 RA 0 a7         => 2:>reset 2:.reset
        1    s  R 5000
        3.3  tick               => >reset .reset""",
    ),
]
