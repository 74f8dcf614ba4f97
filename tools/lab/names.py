"""Names, addresses and texts drawn at random, so that nothing has a size of its own.

Every function takes the generator first and uses nothing else: the same seed, the same names.  Words have
one to three syllables, as most of English running text; sizes are drawn with every order of magnitude as
likely as another, because a signature must not learn one page.
"""

from __future__ import annotations

import string
from random import Random

_ONSETS = (
    "b",
    "c",
    "ch",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "",
)
_VOWELS = ("a", "e", "i", "o", "u", "ea", "ou")
_ENDS = ("", "", "n", "r", "s", "t", "l", "nd", "ck")
_TOP = ("com", "org", "net", "info", "example", "de", "co.uk", "io")
_SYMBOLS = string.ascii_letters + string.digits + "!$%+,-./=?_"
_ENDINGS = (".txt", ".bin", ".png", ".tar.gz", ".c", "")


def word(draw: Random) -> str:
    """A pronounceable word of one to three syllables."""
    count = draw.choices((1, 2, 3), (5, 4, 1))[0]
    return "".join(draw.choice(_ONSETS) + draw.choice(_VOWELS) + draw.choice(_ENDS) for _ in range(count))


def sentence(draw: Random, count: int = 0) -> str:
    """A line of text, of 2 to 14 words unless told how many."""
    return " ".join(word(draw) for _ in range(count or draw.randint(2, 14))).capitalize() + "."


def text(draw: Random, length: int) -> bytes:
    """Exactly `length` bytes of lines of text."""
    lines = bytearray()
    while len(lines) < length:
        lines += sentence(draw).encode() + b"\n"
    return bytes(lines[:length])


def person(draw: Random, longest: int = 30) -> str:
    """An account's name: a letter, then letters and digits; 1 to `longest` characters, short ones oftener."""
    length = min(longest, 1 + int(draw.expovariate(1 / 7)))
    rest = "".join(draw.choice(string.ascii_lowercase + string.digits) for _ in range(length - 1))
    return draw.choice(string.ascii_lowercase) + rest


def password(draw: Random, longest: int = 30) -> str:
    """A password of 1 to `longest` printable characters that need no quoting anywhere."""
    return draw.choice(string.ascii_letters) + "".join(
        draw.choice(_SYMBOLS) for _ in range(draw.randint(0, longest - 1))
    )


def host(draw: Random) -> str:
    """A host's full name of two to four labels."""
    labels = [word(draw) for _ in range(draw.randint(1, 3))]
    if draw.random() < 0.3:
        labels[0] += str(draw.randint(1, 99))
    return ".".join([*labels, draw.choice(_TOP)])


def mail(draw: Random, domain: str = "") -> str:
    """A mail address."""
    local = draw.choice(
        (person(draw, 16), f"{word(draw)}.{word(draw)}", word(draw) + str(draw.randint(1, 999)))
    )
    return f"{local}@{domain or host(draw)}"


def size(draw: Random, least: int, most: int) -> int:
    """A size between the two, every order of magnitude as likely as another."""
    return int(least * (most / least) ** draw.random())


def file_name(draw: Random) -> str:
    """A file's name, mostly with an ending."""
    return (
        word(draw) + draw.choice(("", "-" + word(draw), str(draw.randint(1, 2026)))) + draw.choice(_ENDINGS)
    )


def plain_command(draw: Random) -> str:
    """A line for a shell whose answer says nothing of the machine: for what anyone may read in a capture."""
    lines = (
        f"echo {word(draw)} {word(draw)}",
        f"seq {draw.randint(2, 60)}",
        "pwd",
        "id",
        "true",
        "cd",
        "umask",
        "ls /home",
    )
    more = (
        f"printf '%s\\n' {' '.join(word(draw) for _ in range(draw.randint(2, 20)))}",
        f"ecoh {word(draw)}",
        f"sleep {draw.choice((0.2, 1))}",
    )
    return draw.choice(lines + more)
