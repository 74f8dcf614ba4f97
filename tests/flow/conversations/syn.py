"""What a SYN begins, and what it does not."""

from __future__ import annotations

from tests.flow.conversations.row import OPEN, Row

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
