"""Files of signature lines, `*.fp`.

    line = [ sig ] | "#" text | "#:" metadata
    sig  = pattern ":" description

A `#` is a comment only as the first non-blank; `#:` speaks for the line below it.  Every fault is
reported with its place, one a line, and reading goes on at the next line.  Lines and files are
bounded.  A line of plain tokens, which is what an unknown flow prints as, takes a short way that
accepts a part of the language and hands everything else to the parser; both give the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from fl0p_py.errors import PatternError, Place, SignatureError
from fl0p_py.signature import metadata
from fl0p_py.signature.channel import SSH, unfit
from fl0p_py.signature.parser import (
    ADDRESSES,
    BLANKS,
    MAX_ITEMS,
    address_prefix,
    parse_pattern,
    parse_ports,
    parse_segment,
    spell,
)
from fl0p_py.signature.pattern import Gap, Item, Pattern, Pause, Segment, Sequence, Signature, Size

MAX_LINE = 65536
"""Characters; the longest flow that is printed (255 tokens of 9 characters) is far below."""

MAX_ERRORS = 1000
"""A file with more is no signature file; reading stops there."""

_FIELD = re.compile(r'([^ \t="]+)(?:(=)(?:"([^"]*)"|([^ \t"]*)))?')
_CHECKS: dict[str, Callable[[str], Any]] = {
    "id": metadata.identifier,
    **metadata.FACET_CHECKS,
    "threshold_ms": metadata.threshold_ms,
    "inside": lambda value: tuple(metadata.carrier(part) for part in value.split(",")),
}
_FLAGS = ("count", "no-edits")
_SIMPLE = re.compile("([cs])([1-9][0-9]{0,5})(?:-([1-9][0-9]{0,5}))?")  # six digits are below MAX_SIZE
_ODD_PAUSES = re.compile(r"< \+|\+\?? \+")


class SignatureLines(NamedTuple):
    """What a file held.  Ids are as given, "" where the slug is to be used."""

    signatures: list[Signature]
    errors: list[SignatureError]
    warnings: list[SignatureError]


def read_lines(data: bytes, source: str) -> SignatureLines:
    """All signatures of a `.fp` file's bytes, and all that is wrong with it."""
    reader = _Reader(source)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        for number, raw in enumerate(data.split(b"\n"), 1):
            reader.raw_line(number, raw)
            if reader.full(number):
                break
    else:
        reader.text(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    reader.end()
    return SignatureLines(reader.signatures, reader.errors, reader.warnings)


class _Items(dict[str, Item]):
    """Each spelling of a single token, `c40` or `s1-`, and `+`: one shared node."""

    def __missing__(self, word: str) -> Item:
        simple = _SIMPLE.fullmatch(word)
        if simple:
            low, high = int(simple[2]), int(simple[3] or simple[2])
        if simple and low <= high:
            segment: Segment | None = Segment(simple[1], Size(low, high, simple[3] is None), False)
        else:
            segment = parse_segment(word)
        if segment is None or segment.burst:
            raise KeyError(word)
        self[word] = segment
        return segment


class _Ports(dict[str, tuple[tuple[int, int], ...]]):
    def __missing__(self, word: str) -> tuple[tuple[int, int], ...]:
        try:
            self[word] = parse_ports(word)
        except PatternError:
            raise KeyError(word) from None
        return self[word]


class _Reader:
    """Reads lines in order; `fields` is what the `#:` lines above the next signature said."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.signatures: list[Signature] = []
        self.errors: list[SignatureError] = []
        self.warnings: list[SignatureError] = []
        self.fields: dict[str, Any] = {}
        self.fields_at: tuple[Place, str] | None = None
        self.inside_at: tuple[Place, str] | None = None
        self.items = _Items({"+": Pause(Gap.SOME), "+?": Pause(Gap.ANY)})
        self.ports = _Ports()

    def text(self, text: str) -> None:
        get_item, get_ports = self.items.__getitem__, self.ports.__getitem__
        for number, line in enumerate(text.split("\n"), 1):
            head, colon, name = line.partition(":")
            pattern = plain_pattern(head, get_item, get_ports) if colon else None
            name = name.strip(BLANKS)
            if pattern and len(line) <= MAX_LINE and name.isascii() and name.isprintable() and name:
                self.add(pattern, name, Place(number, 1, len(head)))
            else:
                self.line(number, line)
                if self.full(number):
                    return

    def raw_line(self, number: int, raw: bytes) -> None:
        """A line of a file that is not UTF-8 all through."""
        raw = raw.removesuffix(b"\r")
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            self.line(number, raw.decode())
        except UnicodeDecodeError as error:
            good = raw[: error.start].decode()
            text = raw.decode(errors="replace")
            self.fail(number, len(good), 1, text, f"found byte 0x{raw[error.start]:02x}, expected UTF-8")
            self.forget()

    def line(self, number: int, line: str) -> None:
        if len(line) > MAX_LINE:
            message = f"a line of {len(line):,} characters, expected at most {MAX_LINE:,}"
            self.fail(number, MAX_LINE, 1, line[: MAX_LINE + 1], message)
            self.forget()
            return
        text = line.strip(BLANKS)
        if text.startswith("#:"):
            self.metadata(number, line)
        elif text and not text.startswith("#"):
            self.signature(number, line)
        elif self.fields_at:
            self.unused()

    def full(self, number: int) -> bool:
        """Whether reading stops here."""
        if len(self.errors) < MAX_ERRORS:
            return False
        self.fail(number, 0, 1, "", "too many errors, the rest of the file was not read")
        return True

    def end(self) -> None:
        if self.fields_at:
            self.unused()

    # -- a signature ------------------------------------------------------------------------------

    def signature(self, number: int, line: str) -> None:
        head, colon, name = line.partition(":")
        warnings: list[PatternError] = []
        try:
            pattern = parse_pattern(head, number, warnings)
        except PatternError as error:
            prefix = address_prefix(line)
            if prefix:  # its ':' was not the end of a pattern
                self.fail(number, 0, prefix, line, ADDRESSES)
            else:
                self.fail(number, error.column, error.length, line, error.message)
            self.forget()
            return
        start = len(line) - len(line.lstrip(BLANKS))
        for warning in warnings:
            place = Place(number, warning.column + 1, warning.length)
            self.warnings.append(SignatureError(self.source, place, warning.message, line))
        if not colon:
            self.fail(
                number, len(line.rstrip(BLANKS)), 1, line, "no ':', expected one and then a description"
            )
        elif not name.strip(BLANKS):
            self.fail(number, len(head) + 1, 1, line, "nothing behind the ':', expected a description")
        elif (bad := metadata.forbidden(name.strip(BLANKS))) is not None:
            at = len(line.rstrip(BLANKS)) - len(name.strip(BLANKS)) + bad
            self.fail(number, at, 1, line, f"found {spell(line[at])}, expected no control character")
        else:
            length = len(head.strip(BLANKS))
            self.add(pattern, name.strip(BLANKS), Place(number, start + 1, length))
        self.forget()

    def add(self, pattern: Pattern, name: str, place: Place) -> None:
        signature = Signature("", name, pattern, source=self.source, where=place)
        self.signatures.append(signature)
        if self.fields_at:
            fields = self.fields
            signature.id = fields.get("id", "")
            signature.facets = metadata.facets(fields)
            signature.count = "count" in fields
            signature.threshold_ms = fields.get("threshold_ms")
            signature.edits = "no-edits" not in fields
            signature.inside = fields.get("inside", ())
            if self.inside_at:
                signature.inside_at, line = self.inside_at
                if SSH in signature.inside and (wanted := unfit(pattern)):
                    message = f"found inside={SSH}, expected {wanted}"
                    self.errors.append(SignatureError(self.source, signature.inside_at, message, line))
            self.forget()

    # -- `#:` -------------------------------------------------------------------------------------

    def metadata(self, number: int, line: str) -> None:
        at = line.index("#:") + 2
        self.fields_at = self.fields_at or (Place(number, at - 1, 2), line)
        while True:
            while at < len(line) and line[at] in BLANKS:
                at += 1
            if at == len(line):
                return
            match = _FIELD.match(line, at)
            if not match or (match.end() < len(line) and line[match.end()] not in BLANKS):
                end = match.end() if match else at
                message = f'found {spell(line[end])}, expected key=value, key="value" or a flag'
                self.fail(number, end, 1, line, message)
                return
            self.field(number, line, match)
            at = match.end()

    def field(self, number: int, line: str, match: re.Match[str]) -> None:
        key, equals, quoted, bare = match.groups()
        at, length = match.start(), len(key)
        if key in self.fields:
            self.fail(number, at, length, line, f"{spell(key)} stands here twice")
        elif key in _FLAGS:
            if equals:
                self.fail(number, at, len(match[0]), line, f"{spell(key)} is a flag, expected no value")
            self.fields[key] = True
        elif key not in _CHECKS:
            hint = metadata.meant(key, (*_CHECKS, *_FLAGS))
            self.fail(number, at, length, line, f"{spell(key)} is no key of '#:'{hint}")
        elif not equals:
            self.fail(number, at, length, line, f"{spell(key)} has no value, expected {key}=...")
        else:
            value = quoted if quoted is not None else bare
            try:
                self.fields[key] = _CHECKS[key](value)
                if key == "inside":
                    self.inside_at = Place(number, at + 1, length), line
            except ValueError as error:
                at, length = at + len(key) + 1, len(match[0]) - len(key) - 1
                self.fail(number, at, length, line, f"found {spell(value)}, expected {error}")

    def unused(self) -> None:
        assert self.fields_at
        place, line = self.fields_at
        message = "metadata without a signature, expected one on the line below"
        self.errors.append(SignatureError(self.source, place, message, line))
        self.forget()

    def forget(self) -> None:
        self.fields, self.fields_at, self.inside_at = {}, None, None

    def fail(self, number: int, at: int, length: int, line: str, message: str) -> None:
        place = Place(number, at + 1, max(1, length))
        self.errors.append(SignatureError(self.source, place, message, line))


def plain_pattern(
    head: str,
    get_item: Callable[[str], Item],
    get_ports: Callable[[str], tuple[tuple[int, int], ...]],
) -> Pattern | None:
    """The short way: tcp or udp, words between single blanks, tokens and pauses alone.

    None says nothing about the text but that the parser has to read it.
    """
    words = head.strip(" ").split(" ")
    try:
        proto, first = words[0], 2
        if proto not in ("tcp", "udp"):
            return None
        ports = get_ports(words[1])
        exact = words[first] == "="
        first += exact
        start = words[first] == "<"
        first += start
        end = words[-1] == ">"
        items = tuple(map(get_item, words[first : len(words) - end]))
    except (KeyError, IndexError):
        return None
    if not 0 < len(items) <= MAX_ITEMS:
        return None
    if "+" in head and (_ODD_PAUSES.search(head) or (len(items) == 1 and isinstance(items[0], Pause))):
        return None  # the parser would refuse the pauses, or where they stand asks for a closer look
    return Pattern(proto, ports, exact, start, Sequence(items), end)
