"""What can be said of a signature beside its pattern: ids, facets and options, in one table.

The same keys stand on a `#:` line and in a TOML table; here is what each value may be.  A checker
returns the value or raises ValueError with what was expected.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from fl0p_py.signature.pattern import ACTORS, CARRIERS, OUTCOMES, Facets

_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")
_WORD = re.compile(r"[a-z0-9.-]+")
_TUNNEL = re.compile(r"[a-z0-9.]+(?:-[a-z0-9.]+)*-(?:in-[a-z0-9.]+|tunnel)")
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_NOT_SLUG = re.compile(r"[^a-z0-9.]+")

MAX_ID = 128
MAX_THRESHOLD_MS = 3_600_000
"""An hour: TCP flows are idle after it, so nothing longer can be seen."""


def identifier(value: str) -> str:
    if not _ID.fullmatch(value) or len(value) > MAX_ID:
        raise ValueError(f"an id of a-z, 0-9, '.' and '-', at most {MAX_ID} characters")
    return value


def word(value: str) -> str:
    if not _WORD.fullmatch(value):
        raise ValueError("a word of a-z, 0-9, '.' and '-'")
    return value


def outcome(value: str) -> str:
    return _one_of(value, OUTCOMES)


def actor(value: str) -> str:
    return _one_of(value, ACTORS)


def tunnel(value: str) -> str:
    if not _TUNNEL.fullmatch(value):
        raise ValueError("INNER-in-OUTER such as ssh-in-tls, or a name that ends in -tunnel")
    return value


def threshold_ms(value: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", value) or not 1 <= int(value) <= MAX_THRESHOLD_MS:
        raise ValueError(f"milliseconds from 1 to {MAX_THRESHOLD_MS}")
    return int(value)


def carrier(value: str) -> str:
    return _one_of(value, CARRIERS)


FACET_CHECKS: dict[str, Callable[[str], str]] = {
    "class": word,
    "outcome": outcome,
    "activity": word,
    "actor": actor,
    "tunnel": tunnel,
    "prompt": word,
}


def facets(values: dict[str, str]) -> Facets:
    """The facets among checked values."""
    return Facets(*(values.get(name) for name in FACET_CHECKS))


def forbidden(text: str) -> int | None:
    """Place of the first control or bidi character in a name; None if there is none."""
    if text.isascii() and text.isprintable():
        return None
    match = _FORBIDDEN.search(text)
    return match.start() if match else None


def slug(text: str) -> str:
    """An id made of a name: `SSH login failed (password)` gives `ssh-login-failed-password`."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_SLUG.sub("-", text.lower())[:MAX_ID].strip("-.") or "unnamed"


def meant(name: str, known: Iterable[str]) -> str:
    """`, did you mean ...?` if one of the known names is close; else the known ones."""
    from difflib import get_close_matches  # only errors need it

    known = tuple(known)
    close = get_close_matches(name, known, 1)
    return f", did you mean '{close[0]}'?" if close else f", expected one of {', '.join(known)}"


def _one_of(value: str, values: tuple[str, ...]) -> str:
    if value not in values:
        raise ValueError(f"one of {', '.join(values)}")
    return value
