"""Names, passwords, files and commands, at random."""

from __future__ import annotations

import string
from random import Random

LONGEST = 30
"""Characters of a user name or a password."""

_SYLLABLES = [first + second for first in "bdfklmnprstvwyz" for second in "aeio"]
_WORDS = [
    "report", "notes", "budget", "draft", "config", "backup", "data", "test", "list", "plan", "old", "final",
    "summer", "index", "log", "readme", "todo", "invoice", "letter", "photo", "script", "deploy", "server",
    "client", "update", "status", "result", "sample", "archive", "mail", "project",
]  # fmt: skip
_ENDINGS = (".txt", ".log", ".md", ".csv", ".conf", ".py", ".sh", ".dat", "")


def user_name(rng: Random) -> str:
    """1 to 30 characters that any Unix takes for a user's name."""
    length = _length(rng)
    name = "".join(rng.choice(_SYLLABLES) for _ in range(length))[:length]
    return name[: length - 2] + f"{rng.randrange(100):02}" if length > 4 and rng.random() < 0.25 else name


def password(rng: Random) -> str:
    """1 to 30 printable characters without blanks; half of them letters and digits only."""
    letters = string.ascii_letters + string.digits
    if rng.random() < 0.5:
        letters += "!#$%&()*+,-./:;<=>?@[]^_{|}~"
    # the first is a letter: no program takes it for an option or a comment
    return rng.choice(string.ascii_letters) + "".join(rng.choice(letters) for _ in range(_length(rng) - 1))


def _length(rng: Random) -> int:
    return rng.randint(1, LONGEST) if rng.random() < 0.5 else rng.randint(4, 14)


def host_name(rng: Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(1, 5)))


def file_name(rng: Random) -> str:
    return "-".join(rng.sample(_WORDS, rng.choice((1, 1, 2)))) + rng.choice(_ENDINGS)


def text(rng: Random, lines: int) -> str:
    """So many lines of words."""
    return "".join(" ".join(rng.choices(_WORDS, k=rng.randint(1, 14))) + "\n" for _ in range(lines))


def command(rng: Random, files: list[str]) -> str:
    """A line for a shell that ends by itself soon; `files` are there."""
    name, word, number = rng.choice(files), rng.choice(_WORDS), rng.randint(2, 60)
    commands = (
        "ls", "ls -l", "ls -la", "ls -lah", f"ls -l {name}", "ls /", "ls /etc", "ls -l /usr/bin | tail",
        "ls /var", "pwd", "whoami", "id", "uptime", "date", "uname -a", "uname -r", "hostname", "w", "who",
        "df -h", "df", "free -m", "ps", "ps aux", "ps aux | head", f"ps aux | grep {word}", "env",
        "env | sort", "mount | head", f"cat {name}", f"cat {name}", f"cat {name}", f"head {name}",
        f"head -n {number} {name}", f"tail -n {number} {name}", f"wc {name}", f"wc -l {name}",
        f"grep {word} {name}", f"grep -c {word} {name}", f"grep -n {word} *", f"mkdir {word}",
        f"sort {name} | uniq -c | sort -rn | head", f"touch {word}{number}", f"echo {word}",
        f"echo {word} {number} >> {word}.out", f"cp {name} {word}.bak", f"md5sum {name}", f"stat {name}",
        "du -sh .", "du -sh *", "cat /etc/hostname", "cat /etc/os-release", "cat /proc/meminfo",
        "cat /proc/cpuinfo | head -n 20", "cat /proc/loadavg", f"find . -name '*{word}*'", "find . -type f",
        "history | tail", f"seq {number}", "sleep 0.3", "sleep 1", f"for i in 1 2 3; do echo {word} $i; done",
        f"cut -c 1-{number} {name}", "cd", "cd ..", "cd /tmp", "cd ~", "which python3", "which ls",
        f"{word}", "exho hello", f"cat {word}", f"chmod 600 {name}", "umask", "ip addr", "ss -tln", "locale",
    )  # fmt: skip
    return rng.choice(commands)
