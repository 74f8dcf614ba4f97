"""What counts by its place: flows seen from their middle on, and receive windows."""

from __future__ import annotations

from tests.flow.conversations.row import OPEN, Row

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
