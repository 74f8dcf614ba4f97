"""Fuzzes the rules: `python -m tools.fuzz.rules [SECONDS] [SEED]`, 60 seconds.

Seeds are the shipped rules, those that Suricata is asked about, and random bytes; they are cut, joined,
repeated, and filled with words of the language.  Whatever the text is, loading it gives rules or faults that
have places; rules print as what parses to them again; what is odd in them can be said; and they run over a
small capture.  Prints how many texts, rules and faults there were, and the longest time one text took; what
fails is printed with its text, and the exit status is then 1.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path

from fl0p_py.errors import RuleFileError
from fl0p_py.rules.check import report
from fl0p_py.rules.groups import read_groups
from fl0p_py.rules.loader import RuleSet, parse_rules
from fl0p_py.rules.parser import KEYWORDS
from tests.rules.conversation import Talk, events
from tools.judged_rules import SHIPPED, cases

CONFIGURATION = '[address-groups]\nHOME_NET = "10.0.0.1"\nEXTERNAL_NET = "!$HOME_NET"\n'
GROUPS = read_groups({"HOME_NET": "10.0.0.1", "EXTERNAL_NET": "!$HOME_NET"}, {}, "fuzz.toml")
WORDS = [
    *(f"{keyword}:" for keyword in KEYWORDS),
    *(
        "any",
        "$HOME_NET",
        "$",
        "!",
        "[",
        "]",
        "->",
        "<>",
        "<",
        ">",
        "=",
        "|",
        ";",
        ":",
        ",",
        "(",
        ")",
        "/",
        '"',
    ),
    *("tcp", "udp", "ip", "icmp", "tcp-pkt", "alert", "pass", "drop", "by_src", "by_pair", "isset", "expire"),
    *("0", "1", "-1", "65535", "4294967295", "|00|", "/a+/", "(?:a|aa)+$", "{9999}", "::1/64", "#", "\\"),
    *("9" * 25, "expire 5", "\n", " ", "\0"),
]
RUN_EVERY = 5
"""Of the texts that load, which are run too: that takes as long as all the rest."""


def main(seconds: float = 60.0, seed: int = 1) -> int:
    draw = random.Random(seed)
    seeds = [path.read_text() for path in sorted(SHIPPED.glob("*.rules"))] + [case.rules for case in cases()]
    rows = [line for text in seeds for line in text.splitlines() if line.strip()]
    talk = Talk().tcp().c(b"login failed", b"GET /").s(b"login").close().udp(b"aab").ping(b"tunnel")
    counts = dict.fromkeys(("texts", "rules", "faults", "runs", "failures"), 0)
    longest_s = 0.0
    until_s = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < until_s:
            text = _text(draw, rows)
            begun_s = time.monotonic()
            try:
                loaded = _load(text, counts)
                if loaded is not None and loaded.rules and draw.randrange(RUN_EVERY) == 0:
                    _run(Path(folder), loaded, talk)
                    counts["runs"] += 1
            except Exception:
                counts["failures"] += 1
                print(f"{text!r}\n{traceback.format_exc()}")
            longest_s = max(longest_s, time.monotonic() - begun_s)
            counts["texts"] += 1
    print(
        ", ".join(f"{count:,} {what}" for what, count in counts.items()),
        f"longest {longest_s:.2f} s",
        sep="; ",
    )
    return 1 if counts["failures"] else 0


def _text(draw: random.Random, rows: list[str]) -> bytes:
    if draw.random() < 0.1:
        return draw.randbytes(draw.randrange(300))
    lines = [bytearray(draw.choice(rows).encode()) for _ in range(draw.randint(1, 4))]
    for _ in range(draw.choice((0, 1, 1, 2, 5))):
        line = draw.choice(lines)
        at, end = sorted((draw.randrange(len(line) + 1), draw.randrange(len(line) + 1)))
        match draw.randrange(5):
            case 0:
                del line[at : at + draw.randrange(9)]
            case 1:
                line[at:at] = draw.choice(WORDS).encode()
            case 2:
                other = draw.choice(rows).encode()
                first = draw.randrange(len(other) + 1)
                line[at:end] = other[first : first + draw.randrange(60)]
            case 3:
                line[at:end] = line[at:end] * draw.randrange(4)
            case 4 if at < len(line):
                line[at] = draw.randrange(256)
    return b"\n".join(lines)


def _load(text: bytes, counts: dict[str, int]) -> RuleSet | None:
    """The rules, of which everything has been asked that can be; None where there are faults."""
    try:
        loaded = parse_rules([("fuzz.rules", text)], GROUPS, lenient=True, allow_kill=True)
    except RuleFileError as error:
        counts["faults"] += len(error.errors)
        assert error.errors
        assert all(str(one).startswith("fuzz.rules:") and "\n" not in str(one) for one in error.errors)
        return None
    counts["rules"] += len(loaded.rules)
    report(loaded)
    for one in loaded.rules:
        (again,) = parse_rules([("fuzz.rules", str(one.rule).encode())], GROUPS, allow_kill=True).rules
        assert again.rule == one.rule, (str(one.rule), str(again.rule))
        assert replace(again, rule=one.rule) == one
    return loaded


def _run(folder: Path, loaded: RuleSet, talk: Talk) -> None:
    (folder / "fuzz.toml").write_text(
        '[address-groups]\nHOME_NET = "10.0.0.1"\nEXTERNAL_NET = "!$HOME_NET"\n'
    )
    rules = "".join(f"{one.rule}\n" for one in loaded.rules)
    events(folder, rules, talk, "--allow-kill", "--config", str(folder / "fuzz.toml"))


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:3])))
