"""Signature sets that were compiled in an earlier run: `ready` reads them again instead of compiling.

    $XDG_CACHE_HOME/fl0p/KEY.set        (~/.cache/fl0p); KEY says what it was made of, see `_key`

Compiling the shipped set takes longer than all the rest of a small capture.  A file holds the CRC-32 of the
rest, a pickle of what the matcher needs, and one of each signature, unpickled when it is asked for.
Whatever is wrong with a file, or with the folder, means that the set is compiled: the cache decides nothing.

SAFETY: a pickle can run code, and the kernels trust compiled tables.  So a file is read only if it and its
folder belong to the user and nobody else may write to them, as is asked of ssh's keys; and only names of
KNOWN are looked up in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import stat
import sys
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from fl0p_py import __version__
from fl0p_py.errors import SignatureFileError
from fl0p_py.signature.compiled import compile_set
from fl0p_py.signature.pattern import Signature, SignatureSet
from fl0p_py.signature.text import SignatureText, read_texts
from fl0p_py.signature.tunnel import with_tunnels

KEPT_FILES = 16
MAX_FILE = 1 << 30
"""Bytes of a file; the largest sets make some 100 MB."""
CRC_BYTES = 4
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

KNOWN = {
    "numpy._core.numeric": ("_frombuffer",),
    "numpy.core.numeric": ("_frombuffer",),
    "numpy": ("dtype", "ndarray"),
    "fl0p_py.errors": ("Place",),
    "fl0p_py.signature.compiled": ("Compiled",),
    "fl0p_py.signature.pattern": (
        *("Choice", "Example", "Facets", "Gap", "Pattern", "Pause", "Repeat", "Segment", "Sequence"),
        *("Signature", "Size", "Unordered"),
    ),
}
"""What pickles may name, by module."""


def ready(
    paths: Iterable[str | os.PathLike[str]] = (), *, threshold_ms: int = 400, fuzzy: bool = True
) -> SignatureSet:
    """The set of `load`, with its tunnels, compiled for these options; raises SignatureFileError."""
    paths = list(paths)
    try:
        texts = read_texts(paths)
    except SignatureFileError:
        from fl0p_py.signature.loader import load

        return load(paths)  # says what else is wrong
    folder = _folder()
    file = None if folder is None else folder / f"{_key(texts, threshold_ms, fuzzy)}.set"
    signatures = None if file is None else _read(file)
    if signatures is None:
        from fl0p_py.signature.loader import parse_texts  # the parsers only where there is something to parse

        signatures = parse_texts(texts)
        compile_set(with_tunnels(signatures), threshold_ms=threshold_ms, fuzzy=fuzzy)
        if file is not None:
            _write(file, signatures)
    return signatures


def _folder() -> Path | None:
    """As the XDG base directory specification has it; None for a user without a home."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return (given if given.is_absolute() else Path.home() / ".cache") / "fl0p"
    except RuntimeError:
        return None


def _key(texts: Sequence[SignatureText], threshold_ms: int, fuzzy: bool) -> str:
    """Of the texts and all that may lead to other tables: options, versions, our own modules."""
    own = [
        (entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
        for entry in os.scandir(Path(__file__).parent)
        if entry.is_file()
    ]
    sizes = [(text.name, len(text.data)) for text in texts]
    made = (threshold_ms, fuzzy, __version__, sys.version, np.__version__, sorted(own), sizes)
    digest = hashlib.blake2b(repr(made).encode(), digest_size=16)
    for text in texts:
        digest.update(text.data)
    return digest.hexdigest()


class _Kept(Sequence[Signature]):
    """Signatures of a set from the cache; most are never asked for.

    data : their pickles, one behind the other; ends : int64[n], where each one ends
    """

    def __init__(self, data: bytes, ends: NDArray[np.int64]) -> None:
        self._data, self._ends = data, ends
        self._read: dict[int, Signature] = {}

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, at: int) -> Signature: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Signature, ...]: ...

    def __getitem__(self, at: int | slice) -> Signature | tuple[Signature, ...]:
        if isinstance(at, slice):
            return tuple(self[number] for number in range(*at.indices(len(self))))
        number = range(len(self))[at]
        if number not in self._read:
            begin = self._ends[number - 1] if number else 0
            self._read[number] = _unpickled(io.BytesIO(self._data[begin : self._ends[number]]))
        return self._read[number]

    def first(self, count: int) -> _Kept:
        """The first ones alone."""
        return _Kept(self._data, self._ends[:count])


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if name not in KNOWN.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _unpickled(stream: io.BytesIO) -> Any:
    return _Unpickler(stream).load()


def _read(file: Path) -> SignatureSet | None:
    """The set that the file holds; None if there is none, or none to be trusted."""
    try:
        if not _ours(file.parent.stat()):
            return None
        with open(file, "rb", opener=_open_itself) as stream:
            found = os.fstat(stream.fileno())
            if not _ours(found) or found.st_size > MAX_FILE:
                return None
            crc, kept = stream.read(CRC_BYTES), stream.read(MAX_FILE)
        if crc != _crc(kept):
            return None
        data = io.BytesIO(kept)
        own, warnings, ends, compiled = _unpickled(data)
        rest = data.read()
        if len(rest) != ends[-1]:
            return None
    except Exception:  # nobody knows all that a damaged pickle can raise; the set is compiled anew
        return None
    whole = _Kept(rest, ends)
    signatures = tunnelled = SignatureSet(whole.first(own), warnings)
    if own < len(whole):
        tunnelled = SignatureSet(whole, warnings)
    signatures.tunnelled.append(tunnelled)
    tunnelled.compiled.update(compiled)
    return signatures


def _crc(data: bytes) -> bytes:
    """Against damage; against others there are the rights to the file."""
    return zlib.crc32(data).to_bytes(CRC_BYTES, "little")


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _ours(found: os.stat_result) -> bool:
    kind = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return kind and found.st_uid == os.geteuid() and not found.st_mode & OTHERS_MAY_WRITE


def _write(file: Path, signatures: SignatureSet) -> None:
    """Keep the set and forget the oldest ones; where that cannot be, nothing is lost but time."""
    import tempfile  # brings much along, and is needed once

    tunnelled = with_tunnels(signatures)
    kept = [pickle.dumps(signature, 5) for signature in tunnelled.signatures]
    ends = np.cumsum([len(one) for one in kept], dtype=np.int64)
    made = (len(signatures.signatures), signatures.warnings, ends, tunnelled.compiled)
    data = b"".join([pickle.dumps(made, 5), *kept])
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(file.parent.stat()):
            return
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=file.suffix, delete=False) as stream:
            stream.write(_crc(data))
            stream.write(data)
        Path(stream.name).replace(file)
        files = sorted(file.parent.glob(f"*{file.suffix}"), key=lambda one: one.stat().st_mtime_ns)
        for old in files[:-KEPT_FILES]:
            old.unlink()
    except OSError:  # a full disk, a home that cannot be written to, another run that tidies up
        return
