"""What the flow table must make of a conversation: (name, options, script); script.py has the language."""

from __future__ import annotations

from typing import Any

Row = tuple[str, dict[str, Any], str]

OPEN = """
    0.00  c S   999
    0.01  s SA  4999 a1000
    0.02  c A   1000 a5000
"""
"""A handshake; then the client's first byte is 1000, the server's 5000."""

ROLES: list[Row] = [
    ("the first SYN's sender is the client", {}, "0 s S 1\n 1 c SA 9 a2\n 2 c A 10+5 a2 => s5"),
    (
        "the receiver of a SYN+ACK is the client",
        {},
        "0 s SA 9 a2\n 1 s A 10+5 a2 => s5\n 2 c A 2+7 a15 => +1000 c7",
    ),
    ("else the first sender", {}, "0 s A 10+5 a2 => c5\n 1 c A 2+7 a15 => +1000 s7"),
    ("a late SYN of the SYN+ACK changes nothing", {}, "0 s SA 9 a2\n 1 c S 1\n 2 c A 2+7 a10 => c7"),
    ("udp: the first sender", {}, "0 s udp 5 => c5\n 1 c udp 7 => +1000 s7"),
    ("empty datagrams are no tokens", {}, "0 c udp 0\n 1 s udp 7 => s7"),
    ("icmp: the requester", {}, "0 c ping 56 => c56\n 0.1 s pong 56 => s56"),
    ("icmp: also when the reply is seen first", {}, "0 s pong 56 => s56\n 1 c ping 56 => +1000 c56"),
    (
        "icmp: two hosts with one identifier are one flow",
        {},
        "0 c ping 8 => c8\n 0 s ping 9 => s9\n 0 c pong 9 => c9",
    ),
    ("both ends the same: all is the client's", {}, "0 c udp 5 self => c5\n 0 s udp 6 self => c6"),
    (
        "tcp with itself",
        {},
        "0 c S 1 self\n 0 c SA 1 a2 self\n 0 c A 2+5 a2 self => c5\n 0 c A 7+5 a7 self => c5",
    ),
    ("vlan tells flows apart", {}, "0 c udp 5 v7 => c5\n 0 s udp 6 v7 => s6\n 0 s udp 7 v8 => c7"),
    ("vlan does not, if not asked", {"vlan_key": False}, "0 c udp 5 v7 => c5\n 0 s udp 7 v8 => s7"),
]

SYNS: list[Row] = [
    ("a SYN sent again is the same flow", {}, "0 c S 1\n 1 c S 1\n 2 s SA 9 a2\n 3 c A 2+5 a10 => c5"),
    (
        "another initial sequence number is a new flow",
        {},
        OPEN
        + """
        1  c A  1000+5 a5000   => c5
        2  c S  777            => .reused
        3  s SA 888 a778
        4  c A  778+6 a889     => c6""",
    ),
    (
        "so it is after the flow was closed",
        {},
        OPEN
        + """
        1  c A  1000+5 a5000   => c5
        2  c FA 1005 a5000
        2  s FA 5000 a1006     => >closed
        2  c A  1006 a5001     => .closed
        3  c S  777
        4  c A  778+6 a889     => c6""",
    ),
    (
        "after FIN both ways without the last acknowledgement",
        {},
        OPEN
        + """
        1  c A  1000+5 a5000   => c5
        2  c FA 1005 a5000
        2  s FA 5000 a1005     => >closed
        3  c S  777            => .closed""",
    ),
    (
        "an old SYN of a closed flow is absorbed",
        {},
        OPEN
        + """
        1  c FA 1000+5 a5000   => c5
        2  s FA 5000 a1006     => >closed
        2  c A  1006 a5001     => .closed
        3  c S  999
        3  s SA 4999 a1000""",
    ),
    (
        "a SYN after a RST is another attempt",
        {},
        """
        0  c S 999
        0  s RA 0 a1000
        1  c S 999
        1  s SA 4999 a1000
        1  c A 1000+5 a5000    => c5""",
    ),
    ("the SYN+ACK sent again", {}, OPEN + "1 s SA 4999 a1000\n 2 s A 5000+5 a1000 => s5"),
    (
        "simultaneous open",
        {},
        """
        0.0  c S  999
        0.1  s S  4999
        0.2  c SA 999 a5000
        0.2  s SA 4999 a1000
        0.3  s A  5000+5 a1000  => s5
        0.3  c A  1000+6 a5005  => c6""",
    ),
    (
        "fast open: data on a SYN is a token",
        {},
        """
        0  c S  999+10          => c10
        0  s SA 4999+20 a1010   => s20
        0  c A  1010+5 a5020    => c5""",
    ),
    (
        "fast open: data on a SYN that is not taken comes once",
        {},
        """
        0  c S  999+10          => c10
        1  s SA 4999 a1000
        1  c A  1000+15 a5000   => +1000 c5""",
    ),
    (
        "a SYN+ACK that answers nothing does nothing",
        {},
        """
        0  c S  999
        0  s SA 70 a123456
        1  s SA 4999 a1000
        1  s A  5000+5 a1000    => s5""",
    ),
    (
        "a SYN+ACK for a connection whose SYN was missed is a new flow",
        {},
        OPEN
        + """
        1  c A  1000+5 a5000    => c5
        2  s SA 70 a123456      => .reused
        2  c A  123456+7 a71    => c7""",
    ),
    (
        "a new SYN from the server's side is a new flow, with the roles turned",
        {},
        OPEN
        + """
        1  c A  1000+5 a5000    => c5
        2  s S  70              => .reused
        2  c SA 80 a71
        2  s A  71+7 a81        => c7""",
    ),
]

ORDER: list[Row] = [
    ("bare ACKs are no tokens", {}, OPEN + "1 c A 1000 a5000\n 1 s A 5000 a1000"),
    ("a retransmission is none", {}, OPEN + "1 c A 1000+5 a5000 => c5\n 2 c A 1000+5 a5000"),
    (
        "a partial one brings its new bytes",
        {},
        OPEN + "1 c A 1000+5 a5000 => c5\n 2 c A 1002+9 a5000 => +1000 c6",
    ),
    (
        "with other borders, too",
        {},
        OPEN
        + """
        1  c A 1000+100 a5000   => c100
        1  c A 1100+100 a5000   => c100
        2  c A 1050+100 a5000
        2  c A 1050+200 a5000   => +1000 c50""",
    ),
    (
        "keep-alives are none, empty or of one byte",
        {},
        OPEN
        + """
        1  c A 1000+5 a5000     => c5
        9  c A 1004+1 a5000
        9  s A 5000 a1005
        19 c A 1004 a5000
        20 s A 4999+1 a1005""",
    ),
    (
        "the new byte of a zero-window probe is one",
        {},
        OPEN
        + """
        1  c A 1000+5 a5000     => c5
        2  s A 5000 a1005 w0
        3  c A 1005+1 a5000     => +2000 c1
        4  c A 1005+1 a5000
        5  s A 5000 a1005 w1000
        6  c A 1005+10 a5000    => +3000 c9""",
    ),
    (
        "out of order: held until the hole is filled, arrival kept",
        {},
        OPEN
        + """
        1.0  c A 1000+5 a5000   => c5
        1.5  c A 1010+7 a5000
        1.6  s A 5000+3 a1005   => +600 s3
        2.0  c A 1005+5 a5000   => +400 c5 c7""",
    ),
    (
        "the other direction does not wait",
        {},
        OPEN
        + """
        1.0  s A 5010+7 a1000
        1.1  c A 1000+5 a5000   => c5
        1.2  s A 5000+10 a1005  => s10 s7""",
    ),
    (
        "a piece that comes twice counts once",
        {},
        OPEN
        + """
        1  c A 1010+5 a5000
        1  c A 1010+5 a5000
        1  c A 1010+8 a5000
        1  c A 1000+10 a5000    => c10 c5 c3""",
    ),
    (
        "overlapping pieces",
        {},
        OPEN
        + """
        1  c A 1010+10 a5000
        1  c A 1005+20 a5000
        1  c A 1000+5 a5000     => c5 c10 c10""",
    ),
    (
        "a segment that fills the hole and covers pieces",
        {},
        OPEN
        + """
        1  c A 1010+10 a5000
        1  c A 1030+10 a5000
        1  c A 1000+50 a5000    => c30 c10 c10""",
    ),
    (
        "a hole is skipped when the peer acknowledges past it",
        {},
        OPEN
        + """
        1.0  c A 1005+5 a5000
        1.1  s A 5000 a1003
        1.2  s A 5000 a1005     => c5""",
    ),
    (
        "also when the segment beyond comes after the acknowledgement",
        {},
        OPEN
        + """
        1.0  s A 5000 a1005
        1.1  c A 1005+5 a5000   => c5""",
    ),
    (
        "an acknowledgement of part of it skips part of it",
        {},
        OPEN
        + """
        1.0  s A 5000 a1003
        1.1  c A 1005+5 a5000
        1.2  c A 1003+2 a5000   => c2 c5""",
    ),
    (
        "an acknowledgement ahead of its data takes nothing away",
        {},
        OPEN
        + """
        1.0  s A 5000 a1010
        1.1  c A 1000+5 a5000   => c5
        1.1  c A 1005+5 a5000   => c5""",
    ),
    (
        "a hole is skipped after one second, at the flow's own next packet",
        {},
        OPEN
        + """
        1.0  c A 1005+5 a5000
        1.9  s A 5000 a1000
        2.0  s A 5000 a1000     => c5""",
    ),
    ("and without any", {}, OPEN + "1.0 c A 1005+5 a5000\n 1.9 tick\n 2.4 tick => c5"),
    (
        "each hole for itself",
        {},
        OPEN
        + """
        1.0  c A 1005+5 a5000
        1.5  c A 1020+5 a5000
        2.1  s A 5000 a1000     => c5
        2.4  s A 5000 a1000
        2.5  s A 5000 a1000     => +500 c5""",
    ),
    (
        "what fills a skipped hole later is new",
        {},
        OPEN
        + """
        1.0  c A 1005+5 a5000
        2.0  s A 5000 a1000     => c5
        3.0  c A 1000+5 a5000   => +2000 c5
        4.0  c A 1000+10 a5000""",
    ),
    (
        "part of it, too",
        {},
        OPEN
        + """
        1.0  c A 1100+5 a5000
        2.0  s A 5000 a1000     => c5
        3.0  c A 1040+20 a5000  => +2000 c20
        3.1  c A 1000+110 a5000 => c85""",
    ),
    (
        "a hole is skipped with the ninth piece",
        {},
        OPEN + "".join(f"1 c A {1010 + 20 * k}+10 a5000\n" for k in range(8)) + "1 c A 1170+10 a5000 => c10",
    ),
    (
        "past 64 KiB",
        {},
        OPEN
        + """
        1  c A 1010+30000 a5000
        1  c A 31010+35526 a5000
        1  c A 66536+60000 a5000 => c30000 c35526 c60000""",
    ),
    (
        "a FIN beyond a hole waits",
        {},
        OPEN
        + """
        1.0  s FA 5000 a1000
        1.1  c FA 1005+5 a5001
        1.2  c A  1000+5 a5001  => c5 c5 >closed
        1.3  s A  5001 a1011    => .closed""",
    ),
    (
        "a FIN alone beyond a hole waits",
        {},
        OPEN
        + """
        1.0  s FA 5000 a1000
        1.1  c FA 1005 a5001
        1.1  c FA 1005 a5001
        1.2  c A  1000+5 a5001  => c5 >closed""",
    ),
    ("data beyond a FIN is none", {}, OPEN + "1 c FA 1000+5 a5000 => c5\n 1 c A 1006+5 a5000"),
    (
        "sequence numbers wrap",
        {},
        """
        0  c S  4294967290
        0  s SA 4294967200 a4294967291
        0  c A  4294967291+5 a4294967201  => c5
        0  c A  2+3 a4294967201
        0  c A  4294967296+2 a4294967201  => c2 c3
        0  s A  4294967201+200 a5         => s200
        0  s A  104+1 a5
        0  s A  105+3 a5                  => s3""",
    ),
    ("held pieces come out before the end", {}, OPEN + "1 c A 1005+5 a5000\n 1 c R 1000 => c5 >reset .reset"),
    ("segments without ACK are ignored", {}, OPEN + "1 c P 1000+5\n 1 c A 1000+6 a5000 => c6"),
    ("a FIN scan opens no flow", {}, "0 c F 1000\n 0 c FPU 1000+5\n 0 c P 1000+5\n 0 c R 7+3"),
]

MIDDLE: list[Row] = [
    (
        "picked up in the middle: the first data sets the position",
        {},
        "0 c A 1000+5 a5000 => c5\n 1 c A 990+10 a5000",
    ),
    (
        "data that the peer has acknowledged is not new",
        {},
        "0 s A 5000 a1005\n 1 c A 1000+5 a5000\n 1 c A 1005+5 a5000 => s5",
    ),
    ("nor is its first part", {}, "0 s A 5000 a1003\n 1 c A 1000+5 a5000 => s2"),
    ("one direction alone may jump", {}, "0 c A 1000+5 a5000 => c5\n 0 c A 3000000000+6 a5000 => c6"),
]

WINDOW: list[Row] = [
    (
        "a segment from beyond the window changes nothing",
        {},
        OPEN
        + """
        1  c A 1000+5 a5000         => c5
        1  c A 9000000+7 a5000
        1  c A 3000000000+7 a5000
        1  c A 1005+5 a5000         => c5""",
    ),
    (
        "an acknowledgement from beyond changes nothing",
        {},
        OPEN
        + """
        1  s A 5000+5 a900000000    # of nothing that was sent: the segment is ignored
        1  c A 1010+5 a5000
        1  c A 1000+10 a5000        => c10 c5
        1  s A 5000+5 a1000         => s5""",
    ),
    (
        "but if the peer acknowledges it, packets were missed",
        {},
        OPEN
        + """
        1  c A 1000+5 a5000         => c5
        1  c A 9000000+7 a5000
        1  s A 5000 a9000007        => c7
        1  c A 9000007+5 a5000      => c5""",
    ),
    (
        "packets were missed both ways",
        {},
        OPEN
        + """
        1  c A 1000+5 a5000         => c5
        1  c A 9000000+7 a8000000
        1  s A 8000000+9 a9000007   => c7 s9
        1  c A 9000007+5 a8000009   => c5""",
    ),
    (
        "a forged segment inside the window does not hide the real ones",
        {},
        """
        0  c S  999 s7
        0  s SA 4999 a1000 s7
        0  c A  1000 a5000
        0  s A  5000 a1000 w60000
        1  c A  5001000+7 a5000     => c7
        1  c A  1000+5 a5000        => c5
        1  c A  1005+5 a5000        => c5""",
    ),
    (
        "a hole larger than 64 KiB is skipped at once",
        {},
        """
        0  c S  999 s7
        0  s SA 4999 a1000 s7
        0  c A  1000 a5000
        0  s A  5000 a1000 w60000
        1  c A  101000+7 a5000      => c7""",
    ),
]

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

ALL = {
    "roles": ROLES,
    "syn": SYNS,
    "order": ORDER,
    "middle": MIDDLE,
    "window": WINDOW,
    "end": ENDS,
    "idle": IDLES,
    "checksum": CHECKS,
}
