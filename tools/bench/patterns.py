#!/usr/bin/env python3
"""Writes literal patterns, one a line: `patterns.py FILE COUNT`.

The first is that of SSH's banner, all others are random words of the kind that signatures of malware are
made of: 8 to 24 letters, digits and marks.
"""

from __future__ import annotations

import random
import re
import string
import sys
from pathlib import Path

ALPHABET = string.ascii_letters + string.digits + "/.-_=&?:"


def patterns(count: int) -> list[str]:
    chance = random.Random(count)
    words = ["SSH-2.0"]
    while len(words) < count:
        words.append("".join(chance.choices(ALPHABET, k=chance.randint(8, 24))))
    return [re.escape(word) for word in words]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("".join(f"{pattern}\n" for pattern in patterns(int(sys.argv[2]))))
