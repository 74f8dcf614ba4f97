"""Escape: text that came from a file, the network or a name server, made safe to print.

Promises that what it returns is one line of printable characters in valid UTF-8: no control
characters (a terminal would obey them), no bidirectional or invisible ones (a reader would be
fooled by them), no lone surrogates.
"""

from __future__ import annotations

import re

_SUSPECT = re.compile("[^ -~]")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*(?!\d+\.?$){_LABEL}\.?")

LONGEST_HOST_NAME = 255
"""Bytes of a name in the DNS (RFC 1035 section 2.3.4)."""


def escape(text: str) -> str:
    r"""`text` with every character that is not printable as \xNN, \uNNNN or \UNNNNNNNN."""
    if text.isprintable():
        return text
    return _SUSPECT.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found.group()
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def host_name(answer: str) -> str | None:
    """A resolver's answer if it can be printed as a name: letters, digits, `-`, `_` and dots; else None.

    The underscore is in no host name (RFC 1123 section 2.1) but in many answers.  A last label of
    digits alone is refused: nobody's name server shall make us print an address that is not there.
    """
    if len(answer) > LONGEST_HOST_NAME or not _HOST_NAME.fullmatch(answer):
        return None
    return answer.rstrip(".")
