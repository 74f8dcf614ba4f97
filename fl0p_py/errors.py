"""The errors of fl0p, one tree.

    Fl0pError                 whatever a user should read as one line
    ├── CaptureError          a capture could not be opened, or is damaged from some offset on
    │   └── FilterError       libpcap refused a filter expression; its own words
    ├── PatternError          one fault in the text of a pattern that comes from no file
    ├── SignatureError        one fault in a signature file, with its place
    │   └── RuleError         one fault in a rule file, with its place
    ├── SignatureFileError    all faults of the signature files read, together
    │   └── RuleFileError     all faults of the rule files read, together
    ├── UsageError            options that do not go together
    └── OutputError           the log or standard output could not be written

Bad packets are not errors: the decoder counts them in a status column.  `exit_status` is what a
command ends with when the error ends it: 1 something could not be read or written, 2 usage or a
broken signature file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Fl0pError(Exception):
    """Base of all errors meant for a user; `str()` is one clear line."""

    exit_status = 1


class CaptureError(Fl0pError):
    """A capture cannot be read (at all, or beyond `offset`).

    source : the file's name as the user gave it ("-" for standard input)
    reason : what was found, and what was expected or can be done
    offset : bytes from the start of the (decompressed) data to the damage; None if it is not inside the file
    """

    def __init__(self, source: str, reason: str, offset: int | None = None) -> None:
        self.source, self.reason, self.offset = source, reason, offset
        where = "" if offset is None else f" offset {offset}:"
        super().__init__(f"{source}:{where} {reason}")


class FilterError(CaptureError):
    """A pcap filter expression that libpcap does not accept."""

    exit_status = 2

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(f"filter '{expression}'", reason)


class PatternError(Fl0pError):
    """What is wrong with a pattern, and where.

    column : characters before it, from the start of the text; length : characters to underline
    """

    exit_status = 2

    def __init__(self, column: int, length: int, message: str) -> None:
        self.column, self.length, self.message = column, max(1, length), message
        super().__init__(f"column {column + 1}: {message}")


class Place(NamedTuple):
    """A position in a file: line and column count from 1; `length` characters are underlined."""

    line: int
    column: int
    length: int = 1


class SignatureError(Fl0pError):
    """One fault in a signature.

    source : the file's name; where : `Place` in a text file, or words such as
    "ssh.auth.failed: pattern, column 7" for TOML, "" for the whole file; text : the offending line, for
    the caret; mark : the part of `text` to underline, by default `where` if that is a place
    """

    exit_status = 2

    def __init__(
        self, source: str, where: Place | str, message: str, text: str = "", mark: Place | None = None
    ) -> None:
        self.source, self.where, self.message, self.text = source, where, message, text
        self.mark = where if mark is None and isinstance(where, Place) else mark
        at = f":{where.line}:{where.column}" if isinstance(where, Place) else where and f": {where}"
        super().__init__(f"{source}{at}: {message}")


class SignatureFileError(Fl0pError):
    """All faults found while reading the signature files, in file order."""

    exit_status = 2

    def __init__(self, errors: Sequence[SignatureError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


class RuleError(SignatureError):
    """One fault in a rule.

    unsupported : what of Suricata's language we do not have, if that is the fault; else ""
    """

    def __init__(
        self, source: str, where: Place | str, message: str, text: str = "", unsupported: str = ""
    ) -> None:
        self.unsupported = unsupported
        super().__init__(source, where, message, text)


class RuleFileError(SignatureFileError):
    """All faults found while reading the rule files, in file order."""


class UsageError(Fl0pError):
    """The options given do not make sense together."""

    exit_status = 2


class OutputError(Fl0pError):
    """Standard output or the log file could not be written."""
