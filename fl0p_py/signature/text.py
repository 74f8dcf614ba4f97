"""Signature files as they are read, not yet looked into.

Files and folders (every `*.fp` and `*.toml` in one, by name) in the order given; the shipped set if there are
none.  Paths are text here: pathlib takes longer to import than the shipped set to read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fl0p_py.errors import SignatureError, SignatureFileError

MAX_FILE = 64 << 20
"""Bytes of one signature file."""

_SHIPPED = os.path.join(os.path.dirname(__file__), "shipped")


def default_paths() -> list[str]:
    """The shipped set, as lines: one file, quick to read."""
    return [os.path.join(_SHIPPED, "fl0p.fp")]


def source_paths() -> list[str]:
    """The shipped set, as the TOML files with examples and provenance."""
    return [os.path.join(_SHIPPED, "signatures")]


class SignatureText(NamedTuple):
    """The content of a signature file, by the name that messages give it."""

    name: str
    data: bytes


def read_texts(paths: Iterable[str | os.PathLike[str]] = (), *, at_once: bool = False) -> list[SignatureText]:
    """The same files as `load`, not yet looked into; raises SignatureFileError if one cannot be read.

    at_once : whoever reads must not wait: a pipe, which may have no writer, counts as unreadable
    """
    errors: list[SignatureError] = []
    texts = list(texts_of(paths, errors, at_once))
    if errors:
        raise SignatureFileError(errors)
    return texts


def texts_of(
    paths: Iterable[str | os.PathLike[str]], errors: list[SignatureError], at_once: bool = False
) -> Iterator[SignatureText]:
    """One by one, so that what is wrong with them is told in their order."""
    for path in list(paths) or default_paths():
        for file in _files(os.fspath(path), errors):
            text = _read(file, errors, at_once)
            if text is not None:
                yield text


def _files(path: str, errors: list[SignatureError]) -> list[str]:
    """The file, or the signature files of the folder."""
    if not os.path.isdir(path):
        return [path]
    try:
        names = sorted(name for name in os.listdir(path) if os.path.splitext(name)[1] in (".fp", ".toml"))
    except OSError as error:
        errors.append(SignatureError(path, "", _words(error)))
        return []
    if not names:
        errors.append(SignatureError(path, "", "no *.fp or *.toml file in this folder"))
    return [os.path.join(path, name) for name in names]


def _read(name: str, errors: list[SignatureError], at_once: bool) -> SignatureText | None:
    try:
        with open(name, "rb", opener=_open_at_once if at_once else None) as stream:
            data = stream.read(MAX_FILE + 1)
    except OSError as error:
        errors.append(SignatureError(name, "", _words(error)))
        return None
    if len(data) > MAX_FILE:
        errors.append(SignatureError(name, "", f"more than {MAX_FILE >> 20} MiB, which no signature file is"))
        return None
    return SignatureText(name, data)


def _open_at_once(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind) or stat.S_ISDIR(kind):  # a folder's own message comes from whoever opens it
        return descriptor
    os.close(descriptor)
    raise OSError("not a file that can be read again")


def _words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
