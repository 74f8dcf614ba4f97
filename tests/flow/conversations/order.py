"""Segments out of order, twice, or missing."""

from __future__ import annotations

from tests.flow.conversations.row import OPEN, Row

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
