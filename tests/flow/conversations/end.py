"""How flows end: FIN, RST and silence."""

from __future__ import annotations

from tests.flow.conversations.row import OPEN, Row

ENDS: list[Row] = [
    (
        "FIN both ways ends, the last acknowledgement finishes",
        {},
        OPEN
        + """
        1  c A  1000+5 a5000    => c5
        2  s FA 5000 a1005
        2  c A  1005 a5001
        3  s A  5001 a1005
        4  c FA 1005 a5001      => >closed
        4  s A  5001 a1006      => .closed
        5  c A  1000+5 a5001    # absorbed""",
    ),
    (
        "half-closed, the other side goes on",
        {},
        OPEN
        + """
        1  c FA 1000+5 a5000    => c5
        2  s A  5000+9 a1006    => +1000 s9
        3  s FA 5009+9 a1006    => +1000 s9 >closed
        3  c A  1006 a5019      => .closed""",
    ),
    (
        "without the last acknowledgement it lingers",
        {},
        OPEN
        + """
        1  c FA 1000+5 a5000    => c5
        2  s FA 5000 a1005      => >closed
        16.9 tick
        17.4 tick               => .closed""",
    ),
    (
        "a row lingers for 15 s after the end",
        {},
        OPEN
        + """
        1  c A  1000+5 a5000    => c5
        2  c R  1005            => >reset .reset
        16.9 s A 5000+5 a1005
        17 s A  5000+5 a1005    => c5""",
    ),
    (
        "a RST counts where the next byte is due",
        {},
        OPEN + "1 c A 1000+5 a5000 => c5\n 1 s R 5000 => >reset .reset",
    ),
    ("inside the window", {}, OPEN + "1 c A 1000+5 a5000 w100 => c5\n 1 s R 5099 => >reset .reset"),
    ("not at its edge", {}, OPEN + "1 c A 1000+5 a5000 w100 => c5\n 1 s R 5100\n 1 s A 5000+1 a1005 => s1"),
    ("not below it", {}, OPEN + "1 c A 1000+5 a5000 => c5\n 1 s R 4999"),
    ("not far outside", {}, OPEN + "1 c A 1000+5 a5000 => c5\n 1 s R 3000000000\n 1 s R 100000"),
    (
        "zero window: exactly the next byte",
        {},
        OPEN
        + """
        1  c A 1000+5 a5000 w0  => c5
        1  s R 5001
        1  s R 5000             => >reset .reset""",
    ),
    (
        "the window is scaled",
        {},
        """
        0  c S  999 s7
        0  s SA 4999 a1000 s7
        0  c A  1000+5 a5000 w100 => c5
        1  s R  17800
        1  s R  17799           => >reset .reset""",
    ),
    (
        "not if only one end offers it",
        {},
        """
        0  c S  999 s7
        0  s SA 4999 a1000
        0  c A  1000+5 a5000 w100 => c5
        1  s R  5100""",
    ),
    (
        "an unknown scale counts as 14",
        {},
        """
        0  c A  1000+5 a5000 w1 => c5
        0  s A  5000 a1005
        1  s R  21384
        1  s R  21383           => >reset .reset""",
    ),
    (
        "a RST that answers a SYN acknowledges it",
        {},
        """
        0  c S  999+5           => c5
        0  s R  0
        0  s RA 0 a999
        0  s RA 0 a1006
        0  s RA 0 a1005         => >reset .reset""",
    ),
    ("data on a RST is none", {}, OPEN + "1 c A 1000+5 a5000 => c5\n 1 s RA 5000+9 a1005 => >reset .reset"),
    (
        "after a RST the rest is absorbed",
        {},
        OPEN
        + """
        1  c A 1000+5 a5000     => c5
        1  s R 5000             => >reset .reset
        2  c A 1005+5 a5000
        2  s R 5000""",
    ),
    (
        "no event for a flow without a token",
        {},
        OPEN + "1 c FA 1000 a5000\n 1 s FA 5000 a1001\n 1 c A 1001 a5001",
    ),
    ("not for its RST either", {}, OPEN + "1 c R 1000 a5000"),
]

IDLES: list[Row] = [
    ("udp after 180 s", {}, "0 c udp 5 => c5\n 179 s udp 6 => +179000 s6\n 359.5 tick => >idle .idle"),
    (
        "exactly at 180 s",
        {},
        "0 c udp 5 => c5\n 179.999999999 c udp 6 => +179999 c6\n 359.999999999 c udp 7 => >idle .idle c7",
    ),
    (
        "tcp after an hour",
        {},
        OPEN + "1 c A 1000+5 a5000 => c5\n 3600 c A 1005+5 a5000 => +3599000 c5\n 7200.5 tick => >idle .idle",
    ),
    (
        "before the handshake is complete after a minute",
        {},
        """
        0  c S  999+5           => c5
        1  s SA 4999 a1000
        60.9 tick
        61.4 tick               => >idle .idle""",
    ),
    (
        "bare ACKs from nowhere do not hold a row",
        {},
        "0 c A 1 a2\n 59 c A 1 a2\n 119.5 tick\n 120 c A 1+5 a2 => c5",
    ),
    (
        "--idle sets one value",
        {"idle_s": 2},
        OPEN + "1 c A 1000+5 a5000 => c5\n 3 c A 1005+5 a5000 => >idle .idle c5",
    ),
    ("--idle may be very long", {"idle_s": 1e9}, "0 c udp 5 => c5\n 999999999 s udp 6 => +999999999000 s6"),
    ("or longer than time", {"idle_s": 1e18}, "0 c udp 5 => c5\n 1999999999 s udp 6 => +1999999999000 s6"),
    (
        "flows end without packets of their own",
        {"idle_s": 100},
        """
        0   c udp 5             => c5
        50  c2 udp 6            => 2:c6
        101 tick                => >idle .idle
        101 c4 udp 7            => 4:c7
        400000000 tick          => 2:>idle 2:.idle 4:>idle 4:.idle""",
    ),
    (
        "a gap is that of arrivals, and never negative",
        {},
        """
        10 c udp 5              => c5
        11 c udp 5 @9           => c5
        12 c udp 5 @10.5        => +500 c5
        13 c udp 5              => +2500 c5""",
    ),
    (
        "the clock never goes back",
        {},
        "500 c udp 5 => c5\n 501 c2 udp 5 @1 => 2:c5\n 600 c2 udp 5 => +599000 2:c5",
    ),
]
