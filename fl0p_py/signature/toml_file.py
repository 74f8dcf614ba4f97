"""Files of signatures with all that a line cannot carry, `*.toml`.

    title = "SSH"                                   head of the section that the file makes in fl0p.fp
    about = "..."                                   text below it

    [[signature]]
    id = "ssh.auth.password.failed"                 required, and so are name and pattern
    name = "SSH login failed (password)"
    pattern = "tcp 22 = < c41 s41 ..."              as a line has it before its ':'
    class = "ssh"                                   facets: class outcome activity actor tunnel prompt
    count = true                                    default false
    edits = false                                   default true; false: tolerance only
    threshold_ms = 500                              default: the program's -T
    inside = ["tls12", "tls13"]
    note = "..."                                    a comment that goes to fl0p.fp too
    references = ["https://..."]
    examples = ["tcp 22 < c41 s41", { text = "tcp 22 < c41 s43", source = "capture.pcap" }]
    counter_examples = ["tcp 22 < c40 s41"]

    [signature.provenance]                          any keys; values are text, numbers, dates, lists of them
    software = "OpenSSH"

All faults of a file are reported, except behind one that makes it no TOML: that one has line and
column, the others `file: ID: field` and, in patterns, the column.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import tomli

from fl0p_py.errors import PatternError, Place, SignatureError
from fl0p_py.signature import metadata
from fl0p_py.signature.channel import SSH, unfit
from fl0p_py.signature.fp_file import MAX_LINE, SignatureLines
from fl0p_py.signature.parser import parse_pattern, spell
from fl0p_py.signature.pattern import Example, Gap, Pattern, Pause, Segment, Signature

_TOP = ("title", "about", "signature")
_REQUIRED = ("id", "name", "pattern")
_LISTS = ("inside", "references", "examples", "counter_examples")
_KEYS = (*_REQUIRED, *metadata.FACET_CHECKS, "count", "edits", "threshold_ms", "note", *_LISTS, "provenance")


class Section(NamedTuple):
    """A file's own words about itself."""

    title: str
    about: str
    signatures: tuple[Signature, ...]


def read_toml(data: bytes, source: str) -> SignatureLines:
    """All signatures of a TOML file's bytes, and all that is wrong with it."""
    reader = _Reader(source)
    reader.read(data)
    return SignatureLines(reader.signatures, reader.errors, reader.warnings)


def read_section(data: bytes, source: str) -> tuple[Section, list[SignatureError]]:
    """The same with the file's title and text, for writing it as lines."""
    reader = _Reader(source)
    reader.read(data)
    return Section(reader.title, reader.about, tuple(reader.signatures)), reader.errors


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.title = self.about = ""
        self.signatures: list[Signature] = []
        self.errors: list[SignatureError] = []
        self.warnings: list[SignatureError] = []

    def read(self, data: bytes) -> None:
        document = self.document(data)
        if document is None:
            return
        for key in document:
            if key not in _TOP:
                self.fail("", f"{spell(key)} is no key of a signature file{metadata.meant(key, _TOP)}")
        self.title = self.text(document, "title", "")
        self.about = self.text(document, "about", "")
        tables = document.get("signature", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.fail("", "'signature' is no array of tables, expected [[signature]]")
            return
        for number, table in enumerate(tables, 1):
            self.signature(table, number)

    def document(self, data: bytes) -> dict[str, Any] | None:
        try:
            text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode()
            line = before.count("\n") + 1
            column = len(before) - (before.rfind("\n") + 1) + 1
            found = f"found byte 0x{data[error.start]:02x}, expected UTF-8"
            self.errors.append(SignatureError(self.source, Place(line, column), found))
            return None
        try:
            return tomli.loads(text)
        except tomli.TOMLDecodeError as error:
            lines = text.split("\n")
            line = min(error.lineno, len(lines))
            place = Place(line, error.colno if line == error.lineno else len(lines[-1]) + 1)
            reason = error.msg[:1].lower() + error.msg[1:]
            self.errors.append(SignatureError(self.source, place, f"no TOML: {reason}", lines[line - 1]))
        except (RecursionError, ValueError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            self.fail("", f"no TOML: {reason}")
        return None

    def signature(self, table: dict[str, Any], number: int) -> None:
        before = len(self.errors)
        label = f"signature {number}"
        if isinstance(table.get("id"), str) and table["id"]:
            label = table["id"] if table["id"].isprintable() else label
        for key in table:
            if key not in _KEYS:
                self.fail(label, f"{spell(key)} is no key of a signature{metadata.meant(key, _KEYS)}")
        for key in _REQUIRED:
            if key not in table:
                self.fail(label, f"no {key}, which every signature has")
        name = self.text(table, "name", label)
        bad = metadata.forbidden(name)
        if bad is not None:
            self.fail(f"{label}: name", f"found {spell(name[bad])}, expected no control character")
        elif isinstance(table.get("name"), str) and not name.strip():
            self.fail(f"{label}: name", "it is empty, expected a description")
        pattern = self.pattern(self.text(table, "pattern", label), f"{label}: pattern")
        inside = self.inside(table, label)
        if SSH in inside and pattern and (wanted := unfit(pattern)):
            self.fail(f"{label}: inside", f"found '{SSH}', expected {wanted}")
        facets = {key: self.checked(table, key, check, label) for key, check in metadata.FACET_CHECKS.items()}
        signature = Signature(
            id=self.checked(table, "id", metadata.identifier, label) or "",
            name=name.strip(),
            pattern=pattern or _NO_PATTERN,
            facets=metadata.facets({key: value for key, value in facets.items() if value}),
            count=self.boolean(table, "count", False, label),
            threshold_ms=self.threshold(table, label),
            edits=self.boolean(table, "edits", True, label),
            inside=inside,
            examples=self.examples(table, "examples", label),
            counter_examples=self.examples(table, "counter_examples", label),
            provenance=self.provenance(table, label),
            references=tuple(value for _, value in self.strings(table, "references", label)),
            note=self.text(table, "note", label),
            source=self.source,
            where=label,
            inside_at=f"{label}: inside" if inside else "",
        )
        if len(self.errors) == before:
            self.signatures.append(signature)

    # -- fields -----------------------------------------------------------------------------------

    def text(self, table: dict[str, Any], key: str, label: str) -> str:
        value = table.get(key, "")
        if isinstance(value, str):
            return value
        self.wrong(label, key, value, "text in quotes")
        return ""

    def boolean(self, table: dict[str, Any], key: str, default: bool, label: str) -> bool:
        value = table.get(key, default)
        if isinstance(value, bool):
            return value
        self.wrong(label, key, value, "true or false")
        return default

    def checked(self, table: dict[str, Any], key: str, check: Callable[[str], str], label: str) -> str | None:
        if key not in table:
            return None
        before = len(self.errors)
        value = self.text(table, key, label)
        try:
            return check(value)
        except ValueError as error:
            if len(self.errors) == before:
                self.fail(f"{label}: {key}", f"found {spell(value)}, expected {error}")
        return None

    def threshold(self, table: dict[str, Any], label: str) -> int | None:
        value = table.get("threshold_ms")
        if value is None:
            return None
        try:
            if isinstance(value, int) and not isinstance(value, bool):
                return metadata.threshold_ms(str(value))
            self.wrong(label, "threshold_ms", value, "a whole number of milliseconds")
        except ValueError as error:
            self.fail(f"{label}: threshold_ms", f"found {value}, expected {error}")
        return None

    def inside(self, table: dict[str, Any], label: str) -> tuple[str, ...]:
        carriers = []
        for where, value in self.strings(table, "inside", label):
            try:
                carriers.append(metadata.carrier(value))
            except ValueError as error:
                self.fail(where, f"found {spell(value)}, expected {error}")
        return tuple(carriers)

    def strings(self, table: dict[str, Any], key: str, label: str) -> Iterator[tuple[str, str]]:
        """The texts of a list, each with its place for a message."""
        for where, value in self.entries(table, key, label):
            if isinstance(value, str):
                yield where, value
            else:
                self.fail(where, f"found {_kind(value)}, expected text in quotes")

    def entries(self, table: dict[str, Any], key: str, label: str) -> Iterator[tuple[str, Any]]:
        values = table.get(key, [])
        if not isinstance(values, list):
            self.wrong(label, key, values, "a list")
            return
        for number, value in enumerate(values, 1):
            yield f"{label}: {key} {number}", value

    def provenance(self, table: dict[str, Any], label: str) -> tuple[tuple[str, str], ...]:
        values = table.get("provenance", {})
        if not isinstance(values, dict):
            self.wrong(label, "provenance", values, "a table")
            return ()
        facts = []
        for key, value in values.items():
            parts = value if isinstance(value, list) else [value]
            if all(isinstance(part, str | int | float | datetime.date) for part in parts):
                facts.append((key, ", ".join(map(str, parts))))
            else:
                self.fail(
                    f"{label}: provenance.{key}", f"found {_kind(value)}, expected text, a number or a date"
                )
        return tuple(facts)

    # -- patterns ---------------------------------------------------------------------------------

    def pattern(self, text: str, where: str) -> Pattern | None:
        if not text:
            return None
        if len(text) > MAX_LINE:
            self.fail(where, f"{len(text):,} characters, expected at most {MAX_LINE:,}")
            return None
        warnings: list[PatternError] = []
        try:
            pattern = parse_pattern(text, 1, warnings)
        except PatternError as error:
            self.errors.append(self.at(where, text, error))
            return None
        self.warnings.extend(self.at(where, text, warning) for warning in warnings)
        return pattern

    def at(self, where: str, text: str, error: PatternError) -> SignatureError:
        column = error.column + 1
        mark = Place(1, column, error.length)
        return SignatureError(self.source, f"{where}, column {column}", error.message, text, mark)

    def examples(self, table: dict[str, Any], key: str, label: str) -> tuple[Example, ...]:
        examples = []
        for where, value in self.entries(table, key, label):
            source = ""
            if isinstance(value, dict):
                for extra in value.keys() - {"text", "source"}:
                    self.fail(
                        where,
                        f"{spell(extra)} is no key of an example{metadata.meant(extra, ('text', 'source'))}",
                    )
                source, value = self.text(value, "source", where), value.get("text")
            if not isinstance(value, str):
                self.fail(where, f'found {_kind(value)}, expected a line such as "tcp 22 < c41 s41"')
                continue
            pattern = self.pattern(value.partition(":")[0], where)
            if pattern is None:
                if not value:
                    self.fail(where, 'it is empty, expected a line such as "tcp 22 < c41 s41"')
                continue
            vague = vagueness(pattern)
            if vague:
                self.fail(where, f"{vague}, expected what one flow looked like")
            else:
                examples.append(Example(value, pattern, source))
        return tuple(examples)

    def wrong(self, label: str, key: str, value: object, expected: str) -> None:
        where = f"{label}: {key}" if label else key
        self.fail(where, f"found {_kind(value)}, expected {expected}")

    def fail(self, where: str, message: str) -> None:
        self.errors.append(SignatureError(self.source, where, message))


_NO_PATTERN = parse_pattern("tcp * c1")
"""Stands in a signature whose pattern is at fault, which nobody gets to see."""


def vagueness(pattern: Pattern) -> str:
    """Why the pattern is not one concrete flow; "" if it is."""
    if pattern.exact:
        return "'=' is for patterns"
    if pattern.proto != "icmp" and (len(pattern.ports) != 1 or pattern.ports[0][0] != pattern.ports[0][1]):
        return "not one port"
    for item in pattern.sequence.items:
        if isinstance(item, Pause):
            if item.gap is Gap.ANY:
                return "'+?' leaves the pause open"
        elif not isinstance(item, Segment):
            return "a group or repeat"
        elif item.burst:
            return "a burst"
        elif not item.size.exact:
            return "a range of sizes"
    return ""


def _kind(value: object) -> str:
    """What a TOML value is, for a message."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case str():
            return f"text {spell(value)}"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or time"
