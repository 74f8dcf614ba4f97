"""UnsupportedError: what is right in Suricata and not known here; `--rules-lenient` skips such rules."""

from __future__ import annotations

from fl0p_py.errors import PatternError
from fl0p_py.rules.value import Value


class UnsupportedError(PatternError):
    """value : the piece of text that is not supported"""

    def __init__(self, value: Value, message: str) -> None:
        self.what = value.text
        super().__init__(value.at, len(value.text), message)
