"""Measures what regular expressions that backtrack without end cost a rule, on payload made against them.

    python -m tools.bench.expressions [--pieces N] [--out docs/BENCHMARKS.md]

Every row is a rule with one `pcre` and its payload, which is inspected 200 times.  Prints the time of the
first piece, of the last and of all, and on how many the expression was given up (rules/payload.py); status 1
if a piece took longer than LIMIT_S.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from fl0p_py.rules.loader import parse_rules
from fl0p_py.rules.moment import Piece
from fl0p_py.rules.payload import PATIENCE_S, PayloadTest
from tools.bench import report

LIMIT_S = 10 * PATIENCE_S
"""A machine with other work may well be late."""

A, SIZE = b"a", 1400
ROWS: list[tuple[str, bytes]] = [
    ("(a+)+$", A * SIZE + b"!"),
    ("^(a+)+$", A * SIZE + b"!"),
    ("(a|aa)+$", A * SIZE + b"!"),
    ("(a|a)*b", A * SIZE),
    ("(a*)*b", A * SIZE),
    ("(.*)*x", A * SIZE),
    ("(a+){10}y", A * SIZE),
    ("(a?){60}a{60}z", A * SIZE),
    ("(.*a){12}b", A * SIZE),
    ("(.+)+,(.+)+;", b"a," * (SIZE // 2)),
    ("^(([a-z])+.)+[A-Z]([a-z])+$", A * SIZE),
    (r"(\w+\s?)+:", b"word " * (SIZE // 5)),
    (r"(\d+,?)+;", b"12," * (SIZE // 3)),
    (r"([^\"]*\"[^\"]*)*\"end", b'"x' * (SIZE // 2)),
    (r"(.*?,){11}P", b"1,2,3,4,5,6,7,8,9,10,11,12," * (SIZE // 27)),
    (r"(x+x+)+y", b"x" * SIZE),
    (r"(?:a|b|ab)*c", b"ab" * (SIZE // 2)),
    (r"^(\S+\s*)+\|$", b"GET /index " * (SIZE // 11)),
    (r"(?=(a+))\1*b(a+)+$", A * SIZE + b"b" + A * 40 + b"!"),
    (r"(a+)\1+\1+b", A * SIZE),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pieces", type=int, default=200)
    parser.add_argument("--out", type=Path, help="page to put the table into")
    options = parser.parse_args()
    longest_s = 0.0
    rows: list[tuple[str, ...]] = []
    for expression, payload in ROWS:
        quoted = expression.replace('"', r"\x22").replace(";", r"\;")
        text = f'alert udp any any -> any any (pcre:"/{quoted}/s"; sid:1;)'
        test = PayloadTest(parse_rules([("bench.rules", text.encode())]).rules[0].rule.options)
        times_s = [_inspected(test, payload) for _ in range(options.pieces)]
        longest_s = max(longest_s, *times_s)
        first, last, all_ = (f"{spent_s * 1e3:.2f}" for spent_s in (times_s[0], times_s[-1], sum(times_s)))
        rows.append((f"`{expression}`".replace("|", "\\|"), first, last, all_, str(test.given_up)))
    head = ("expression", "first ms", "last ms", f"all {options.pieces}: ms", "given up")
    text = f"## Regular expressions in rules, against hostile payload\n\n{report.table(head, rows)}"
    print(text)
    if options.out is not None:
        report.put(options.out, "expressions", text)
    return int(longest_s > LIMIT_S)


def _inspected(test: PayloadTest, payload: bytes) -> float:
    begun_s = time.perf_counter()
    test.failed(Piece(payload))
    return time.perf_counter() - begun_s


if __name__ == "__main__":
    sys.exit(main())
