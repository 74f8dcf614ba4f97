"""Writes the pattern of `ssh.auth.failed` from the sizes that SSH's messages have.

    python -m tools.ssh_failed            print it
    python -m tools.ssh_failed --write    put it into signatures/ssh.toml

The size of a packet follows from its content, the cipher's block and the MAC (RFC 4253, section 6); that of
the answer to the service request (section 10 there: 17 bytes of content) therefore names what the other
answers look like.  The messages are those of RFC 4252 (none, password, publickey) and RFC 4256
(keyboard-interactive).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

TOML = Path(__file__).resolve().parent.parent / "signatures" / "ssh.toml"
ID = "ssh.auth.failed"

NAMES = range(1, 33)
"""Lengths of user names that are thought of."""
ACCEPTED = 17  # "ssh-userauth"
NEW_KEYS = 16  # not encrypted; behind it, in the same segment, a client may tell its extensions
EXTENSIONS = range(40, 60)
IGNORED = 5  # an empty SSH_MSG_IGNORE, which asyncssh sends before anything else
ONE_METHOD, TWO_METHODS, WITH_QUESTIONS, THREE_METHODS = (14, 15), (24,), (35, 36), (45,)
"""Refusals, by their lists of methods: one; publickey,password; publickey,keyboard-interactive; all three.
"Too many authentication failures" is as long as the last."""
QUESTION = 32  # "Password: "
NONE, REQUEST = [31 + name for name in NAMES], [55 + name for name in NAMES]
ANSWER = range(10, 40)
KEY = 108  # the least that offers one, ed25519
LONGEST_NOTE = 1500
"""A server's banner comes with its first answer."""

BEGIN = (
    "< ( ( c8-255 +? ( s8-3000 +? ){0,4} c160-3000 | ( s8-3000 +? ){1,2} ( c8-255 +? ( s8-3000 +? ){0,2}"
    " c160-3000 | c256-3000 ) | c256-3000 +? ( s8-255 | s256-3000 +? ( c24 | c48 | c80 | c112 | c152 | c272"
    " | c528 | c1040 | c1208 | c1232-1248 ) ) ) +? ( ( c8-3000 | s8-3000 ) +? ){0,9} S150-6000"
    " | c560-800 +? s400-700 +? s100-1500 ) +?"
)


@dataclass(frozen=True, slots=True)
class Cipher:
    """block : bytes; after : the MAC comes last and the length is not encrypted; mac : bytes"""

    block: int
    after: bool
    mac: int

    def size(self, content: int) -> int:
        """Of a packet: length, padding (four bytes and more, to whole blocks) and MAC around the content."""
        aligned = content + 1 if self.after else content + 5
        padding = -aligned % self.block
        if padding < 4:
            padding += self.block
        return aligned + padding + self.mac + 4 * self.after

    def sizes(self, contents: Iterable[int]) -> list[int]:
        return sorted({self.size(content) for content in contents})


CIPHERS = {
    "umac-64": (Cipher(16, False, 8),),
    "chacha20-poly1305, umac-64-etm": (Cipher(8, True, 16), Cipher(16, True, 8)),
    "umac-128": (Cipher(16, False, 16),),
    "aes-gcm, umac-128-etm, hmac-sha1": (Cipher(16, True, 16), Cipher(16, False, 20)),
    "hmac-sha1-etm": (Cipher(16, True, 20),),
    "hmac-sha2-256": (Cipher(16, False, 32),),
    "hmac-sha2-256-etm": (Cipher(16, True, 32),),
    "hmac-sha2-512": (Cipher(16, False, 64),),
    "hmac-sha2-512-etm": (Cipher(16, True, 64),),
}
"""Those that answer a service request with the same size stand together."""
LIBRARIES = frozenset({"hmac-sha2-256"})
"""What programs choose that do not pad passwords: there a size does not tell a password from a request for
questions, and all count as passwords."""


def pattern() -> str:
    """The whole line of the signature."""
    branches = [_branch(ciphers, name in LIBRARIES) for name, ciphers in CIPHERS.items()]
    return f"tcp * = {BEGIN} ( \\\n  " + " \\\n| ".join(branches) + " )"


class _Sizes:
    """The tokens of one family of ciphers, as text."""

    def __init__(self, ciphers: tuple[Cipher, ...]) -> None:
        self.ciphers = ciphers
        self.accepted = ciphers[0].size(ACCEPTED)
        self.nones = self.of(NONE)
        self.many = self.of(THREE_METHODS)[-1]
        self.key = min(cipher.size(KEY) for cipher in ciphers)
        self.least = self.nones[0]

    def of(self, contents: Iterable[int]) -> list[int]:
        contents = list(contents)
        return sorted(set(chain.from_iterable(cipher.sizes(contents) for cipher in self.ciphers)))

    def server(self, sizes: Iterable[int]) -> str:
        """Any one of these sizes, behind an empty ignore message if there is one."""
        ignored = self.of([IGNORED])
        return f"( {_any('s', ignored)} +? ){{0,1}} {_any('s', sorted(set(sizes)))}"


def _any(direction: str, sizes: Iterable[int]) -> str:
    texts = [f"{direction}{size}" for size in sizes]
    return texts[0] if len(texts) == 1 else f"( {' | '.join(texts)} )"


def _either(ways: Iterable[str]) -> str:
    return f"( {' | '.join(dict.fromkeys(ways))} )"


def _branch(ciphers: tuple[Cipher, ...], libraries: bool) -> str:
    sizes = _Sizes(ciphers)
    x = sizes.accepted
    keys = [NEW_KEYS, *(NEW_KEYS + told for told in sizes.of(EXTENSIONS))]
    merged = f"C{NEW_KEYS + x + sizes.nones[0]}-{NEW_KEYS + x + sizes.nones[-1]}"
    alone = f"{_any('c', keys)} ( +? s16-3000 ){{0,2}} +? c{x} ( +? s120-3000 ){{0,1}}"
    service = f"( {alone} | C{NEW_KEYS + x} | C{keys[1] + x}-{keys[-1] + x} ) +? s{x}"
    later = f"{_refused_first(sizes)} {_rounds(sizes, 0, libraries)}"
    if libraries:
        asked = [_asked(sizes, none) for none in sizes.nones]
        return f"( {service} {_either([*asked, *_unasked(sizes)])} | {merged} +? s{x} {later} )"
    nones = _any("C", _with_ignored(sizes, sizes.nones))
    return f"( {service} {_either([f'+? {nones} +? {later}', *_unasked(sizes)])} | {merged} +? s{x} {later} )"


def _with_ignored(sizes: _Sizes, nones: Iterable[int]) -> list[int]:
    """asyncssh's client puts an ignore message before each of its own."""
    return sorted({none + more for none in nones for more in (0, *sizes.of([IGNORED]))})


def _asked(sizes: _Sizes, none: int) -> str:
    """`none` is asked first; who asks it again before each password does so in the same size."""
    first = _any("C", _with_ignored(sizes, [none]))
    return f"+? {first} +? {_refused_first(sizes)} {_rounds(sizes, none, True)}"


def _refused_first(sizes: _Sizes) -> str:
    refusals = sizes.of((*ONE_METHOD, *TWO_METHODS, *WITH_QUESTIONS, *THREE_METHODS))
    note = f"s{sizes.many + 40}-{LONGEST_NOTE}"
    return f"( {sizes.server(refusals)} | ( {_any('s', sizes.of([IGNORED]))} +? ){{0,1}} {note} )"


def _rounds(sizes: _Sizes, none: int, libraries: bool) -> str:
    """Refusals, each behind what was refused.

    none : its size, again and without delay, is no attempt; 0: it is not asked again
    """
    refusals = sizes.of((*ONE_METHOD, *TWO_METHODS, *WITH_QUESTIONS, *THREE_METHODS))
    shortest = none or sizes.least - 1
    attempts = [way for cipher in sizes.ciphers for way in _attempts(sizes, cipher, shortest, libraries)]
    if none == 0:
        return f"( +? {_either(attempts)} ){{1,}}"
    again = f"( +? C{none} {sizes.server(refusals)} ){{0,1}}"
    attempts.append(f"C{none} + {sizes.server(refusals)}")
    return f"( {again} +? {_either(attempts)} ){{1,}}"


def _attempts(sizes: _Sizes, cipher: Cipher, none: int, libraries: bool) -> list[str]:
    """What is refused at once, and what is refused after a question."""
    anything = f"C{none + 1}-2000"
    question = cipher.size(QUESTION)
    plain = cipher.sizes((*ONE_METHOD, *TWO_METHODS, *WITH_QUESTIONS, *THREE_METHODS))
    if libraries:
        return [f"{anything} +? {sizes.server(plain)}"]
    certain = [size for size in plain if size != question]
    doubtful = [size for size in plain if size == question]
    requests = cipher.sizes(REQUEST)
    most = min(requests[-1] + cipher.size(IGNORED), sizes.key - 1)
    ways = [f"{anything} +? {sizes.server(certain)}"]
    after = [size for size in cipher.sizes((*WITH_QUESTIONS, *THREE_METHODS)) if size != sizes.accepted]
    asked = f"C{requests[0]}-{most} +? {sizes.server([question])}"
    ways.append(f"{asked} +? C16-2000 +? {sizes.server(after)}")
    ways.append(f"{asked} +? C16-2000 + {sizes.server([sizes.accepted])}")
    if doubtful:
        # OpenSSH pads passwords to 64 bytes, and no request has that size, unless the length is encrypted
        padded = "" if any(one.after for one in sizes.ciphers) else f"C{64 + cipher.mac} | "
        ways.append(f"( {padded}C{sizes.key}-2000 ) +? {sizes.server(doubtful)}")
    return ways


def _unasked(sizes: _Sizes) -> list[str]:
    """Libraries offer a credential at once, and request the service again before the next."""
    x = sizes.accepted
    refusals = sizes.of((*ONE_METHOD, *TWO_METHODS, *WITH_QUESTIONS, *THREE_METHODS))
    note = f"s{sizes.many + 40}-{LONGEST_NOTE}"
    first = f"( {sizes.server(refusals)} | {note} )"
    late = f"( {_any('s', refusals)} | {note} )"  # without ignore: asyncssh thinks about `none` as long
    again = f"+? C{x} +? s{x}"
    question, answer = sizes.of([QUESTION]), sizes.of(ANSWER)
    offered = f"C{sizes.least}-2000"
    asked = f"+? C{sizes.least}-{sizes.of(REQUEST)[-1]} +? {sizes.server(question)} +? {_any('C', answer)} +?"
    later = f"{again} +? {offered} +? {sizes.server(refusals)}"
    told = [size for size in refusals if size != x]  # x: no more questions, then success
    return [
        f"+? {offered} + {late} ( {later} ){{0,}}",
        f"+? {offered} {first} {again} ( +? {offered} +? {sizes.server(refusals)} ( {later} ){{0,}} ){{0,1}}",
        f"{asked} {sizes.server(told)} ( {again} {asked} {sizes.server(told)} ){{0,}}",
    ]


def written(text: str) -> str:
    """ssh.toml with the pattern in its place."""
    place = re.compile(rf'(id = "{re.escape(ID)}"\nname = [^\n]*\npattern = """).*?(""")', re.S)
    if not place.search(text):
        raise ValueError(f"{TOML}: no pattern of {ID} in it")
    return place.sub(lambda found: found[1] + pattern() + found[2], text)


def main() -> int:
    parser = argparse.ArgumentParser(description="The pattern of refused SSH logins, from messages' sizes.")
    parser.add_argument("--write", action="store_true", help="put it into signatures/ssh.toml")
    if parser.parse_args().write:
        TOML.write_text(written(TOML.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(pattern())
    return 0


if __name__ == "__main__":
    sys.exit(main())
