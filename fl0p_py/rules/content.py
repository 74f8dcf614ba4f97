"""`content` with its modifiers, and `isdataat`: bytes that the payload must, or must not, have.

    content:[!]"text|0d 0a|text"; nocase; offset:N; depth:N; distance:N; within:N; startswith; endswith;
    isdataat:[!]N[,relative];

In the quotes `\\` stands before `"`, `;`, `:` and itself; bytes are hex between bars.  `offset` and
`depth` count from the start of the payload, `depth` from the offset on; `distance` and `within` from
the end of the match before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from fl0p_py.errors import PatternError
from fl0p_py.rules.value import Value, spell

MOST = 1 << 20
"""Largest number of a modifier, as in Suricata."""

LONGEST = 4096
"""Bytes of one content."""

MODIFIERS = ("nocase", "offset", "depth", "distance", "within", "startswith", "endswith")
SWITCHES = ("nocase", "startswith", "endswith")

_ESCAPED = '"\\;:'
_HEX = re.compile(r"[ ]*[0-9A-Fa-f]{2}(?:[ ]*[0-9A-Fa-f]{2})*[ ]*")
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\;:|')


@dataclass(frozen=True, slots=True)
class Content:
    """One content; at : characters before it in the rule"""

    pattern: bytes
    negated: bool = False
    nocase: bool = False
    offset: int | None = None
    depth: int | None = None
    distance: int | None = None
    within: int | None = None
    startswith: bool = False
    endswith: bool = False
    at: int = field(default=0, compare=False)

    keyword = "content"

    @property
    def relative(self) -> bool:
        return self.distance is not None or self.within is not None

    def __str__(self) -> str:
        parts = [f'content:{"!" if self.negated else ""}"{written(self.pattern)}"']
        for name in MODIFIERS:
            value = getattr(self, name)
            if value is True:
                parts.append(name)
            elif value is not None and value is not False:
                parts.append(f"{name}:{value}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class IsDataAt:
    """Bytes up to this place, from the start or (relative) from the end of the match before."""

    offset: int
    relative: bool = False
    negated: bool = False
    at: int = field(default=0, compare=False)

    keyword = "isdataat"

    def __str__(self) -> str:
        sign, end = "!" if self.negated else "", ",relative" if self.relative else ""
        return f"isdataat:{sign}{self.offset}{end}"


def written(pattern: bytes) -> str:
    """Bytes as the text between the quotes of a content."""
    parts: list[str] = []
    raw: list[str] = []
    for byte in pattern:
        if byte in _PLAIN:
            if raw:
                parts.append(f"|{' '.join(raw)}|")
                raw = []
            parts.append(chr(byte))
        else:
            raw.append(f"{byte:02x}")
    if raw:
        parts.append(f"|{' '.join(raw)}|")
    return "".join(parts)


def parse_content(value: Value, at: int) -> Content:
    negated = value.text.startswith("!")
    quoted = (value.rest(1) if negated else value).quoted()
    pattern = _bytes(quoted)
    if not pattern:
        value.fail("an empty content is in every payload")
    if len(pattern) > LONGEST:
        value.fail(f"{len(pattern)} bytes are too many, a content has at most {LONGEST}")
    return Content(pattern, negated, at=at)


def _bytes(quoted: Value) -> bytes:
    """The bytes that the text between the quotes means."""
    out = bytearray()
    text, i = quoted.text, 0
    while i < len(text):
        char = text[i]
        if char == "|":
            end = text.find("|", i + 1)
            inner = text[i + 1 : end] if end >= 0 else text[i + 1 :]
            if end < 0 or not _HEX.fullmatch(inner):
                raise PatternError(
                    quoted.at + i, len(inner) + 1, "expected bytes such as |0d 0a|: two hex digits each"
                )
            out += bytes.fromhex(inner)
            i = end + 1
        elif char == "\\":
            if i + 1 == len(text) or text[i + 1] not in _ESCAPED:
                raise PatternError(quoted.at + i, 2, f"\\ stands only before one of {_ESCAPED}")
            out += text[i + 1].encode()
            i += 2
        elif char == '"':
            raise PatternError(quoted.at + i, 1, 'a " in a content is written \\"')
        else:
            out += char.encode(errors="surrogatepass")
            i += 1
    return bytes(out)


def modified(content: Content, keyword: str, value: Value | None, name: Value) -> Content:
    """`content` with one more modifier; raises PatternError."""
    if getattr(content, keyword) not in (None, False):
        name.fail("stands twice after one content")
    if keyword in SWITCHES:
        content = replace(content, **{keyword: True})  # type: ignore[arg-type]
    else:
        assert value is not None
        low = -MOST if keyword == "distance" else 0
        number = value.number(low, MOST, "bytes")
        content = replace(content, **{keyword: number})  # type: ignore[arg-type]
        if keyword in ("depth", "within") and number < len(content.pattern):
            value.fail(f"the content's {len(content.pattern)} bytes do not fit into {number}")
    absolute = content.offset is not None or content.depth is not None or content.startswith
    if content.relative and absolute:
        name.fail("a content is placed by offset, depth and startswith, or by distance and within: not both")
    if content.startswith and (content.offset is not None or content.depth is not None):
        name.fail("startswith means offset:0 and the depth of the content's length: leave these out")
    return content


def parse_isdataat(value: Value, at: int) -> IsDataAt:
    negated = value.text.startswith("!")
    first, *others = (value.rest(1) if negated else value).split(",")
    for other in others:
        if other.text not in ("relative", "rawbytes"):
            other.fail(f"{spell(other.text)} is not relative")
    relative = any(other.text == "relative" for other in others)
    return IsDataAt(first.number(0, 65535, "bytes"), relative, negated, at)
