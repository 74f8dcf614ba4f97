"""Signature sets that were compiled in an earlier run: `ready` reads them again instead of compiling.

    $XDG_CACHE_HOME/fl0p/CRC.set        (~/.cache/fl0p); the CRC-32 of what it was made of, see `_made_of`

Compiling the shipped set takes longer than all the rest of a small capture.  A file holds what it was made
of, a pickle of what the matcher needs, one of each signature, unpickled when it is asked for, and the arrays
of the first.  (OpenSSL's digests and pathlib both take longer to import than the shipped set to read.)
Whatever is wrong with a file, or with the folder, means that the set is compiled: the cache decides nothing.

SAFETY: a pickle can run code, and the kernels trust compiled tables.  So a file is read only if it and its
folder belong to the user and nobody else may write to them, as is asked of ssh's keys; and only names of
KNOWN are looked up in it.
"""

from __future__ import annotations

import io
import os
import pickle
import stat
import struct
import sys
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, overload

import numpy as np
from numpy.typing import NDArray

from fl0p_py import __version__
from fl0p_py.errors import SignatureFileError
from fl0p_py.signature.compiled import compile_set
from fl0p_py.signature.pattern import Signature, SignatureSet
from fl0p_py.signature.text import SignatureText, read_texts
from fl0p_py.signature.tunnel import with_tunnels

SUFFIX = ".set"
KEPT_FILES = 16
MAX_FILE = 1 << 30
"""Bytes of a file; the largest sets make some 100 MB."""
HEAD = struct.Struct("<II")
CRC_BYTES = 4
ALIGNMENT = 64
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
    made_of = _made_of(texts, threshold_ms, fuzzy)
    file = None if folder is None else os.path.join(folder, f"{zlib.crc32(made_of):08x}{SUFFIX}")
    signatures = None if file is None else _read(file, made_of)
    if signatures is None:
        from fl0p_py.signature.loader import parse_texts  # the parsers only where there is something to parse

        signatures = parse_texts(texts)
        compile_set(with_tunnels(signatures), threshold_ms=threshold_ms, fuzzy=fuzzy)
        if file is not None:
            _write(file, signatures, made_of)
    return signatures


def _folder() -> str | None:
    """As the XDG base directory specification has it; None for a user without a home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    caches = given if os.path.isabs(given) else os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(caches, "fl0p") if os.path.isabs(caches) else None


def _made_of(texts: Sequence[SignatureText], threshold_ms: int, fuzzy: bool) -> bytes:
    """The texts and all that may lead to other tables: options, versions, our own modules."""
    own = [
        (entry.name, entry.stat().st_size, entry.stat().st_mtime_ns)
        for entry in os.scandir(os.path.dirname(__file__))
        if entry.is_file()
    ]
    sizes = [(text.name, len(text.data)) for text in texts]
    made = (threshold_ms, fuzzy, __version__, sys.version, np.__version__, sorted(own), sizes)
    return b"\n".join([repr(made).encode(), *(text.data for text in texts)])


class _Kept(Sequence[Signature]):
    """Signatures of a set from the cache; most are never asked for.

    data : their pickles, one behind the other; ends : int64[n], where each one ends
    """

    def __init__(self, data: memoryview, ends: NDArray[np.int64]) -> None:
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
            self._read[number] = _unpickled(self._data[begin : self._ends[number]])
        return self._read[number]

    def first(self, count: int) -> _Kept:
        """The first ones alone."""
        return _Kept(self._data, self._ends[:count])


class _Unpickler(pickle.Unpickler):
    found: ClassVar[dict[tuple[str, str], Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.found:
            if name not in KNOWN.get(module, ()):
                raise pickle.UnpicklingError(f"{module}.{name}")
            self.found[module, name] = super().find_class(module, name)
        return self.found[module, name]


class _Pickler(pickle.Pickler):
    """Writes dataclasses as calls, which are read in a fraction of the time that their states take."""

    def reducer_override(self, value: Any) -> Any:
        names = getattr(type(value), "__match_args__", None)
        if names is None or isinstance(value, tuple):
            return NotImplemented
        return type(value), tuple([getattr(value, name) for name in names])


def _pickled(signature: Signature) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, 5).dump(signature)
    return stream.getvalue()


def _unpickled(data: memoryview, arrays: Iterable[memoryview] = ()) -> Any:
    return _Unpickler(io.BytesIO(data), buffers=arrays).load()


def _read(file: str, made_of: bytes) -> SignatureSet | None:
    """The set that the file holds; None if there is none, or none to be trusted."""
    try:
        if not _ours(os.stat(os.path.dirname(file))):
            return None
        with open(file, "rb", opener=_open_itself) as stream:
            found = os.fstat(stream.fileno())
            if not _ours(found) or found.st_size > MAX_FILE:
                return None
            data = np.empty(found.st_size, np.uint8).data
            if stream.readinto(data) != len(data):
                return None
        made, tables, kept, *arrays = _parts(data)
        if made != made_of:
            return None
        own, warnings, ends, compiled = _unpickled(tables, arrays)
        if len(kept) != ends[-1]:
            return None
    except Exception:  # nobody knows all that a damaged file can raise; the set is compiled anew
        return None
    whole = _Kept(kept, ends)
    signatures = tunnelled = SignatureSet(whole.first(own), warnings)
    if own < len(whole):
        tunnelled = SignatureSet(whole, warnings)
    signatures.tunnelled.append(tunnelled)
    tunnelled.compiled.update(compiled)
    return signatures


def _parts(data: memoryview) -> list[memoryview]:
    """What `_joined` has put together; raises ValueError if it is damaged."""
    crc, count = HEAD.unpack_from(data)
    if crc != zlib.crc32(data[CRC_BYTES:]):
        raise ValueError("the checksum is wrong")
    ends = struct.unpack_from(f"<{count}q", data, HEAD.size)
    starts = [_aligned(end) for end in (HEAD.size + 8 * count, *ends)]
    return [data[start:end] for start, end in zip(starts, ends, strict=False)]


def _joined(parts: Sequence[bytes | memoryview]) -> bytes:
    """The parts behind their CRC-32, their number and where each one ends; arrays are used where they lie."""
    at = HEAD.size + 8 * len(parts)
    ends: list[int] = []
    pieces: list[bytes | memoryview] = []
    for part in parts:
        pieces += [bytes(_aligned(at) - at), part]
        at = _aligned(at) + len(part)
        ends.append(at)
    rest = b"".join([struct.pack(f"<I{len(ends)}q", len(ends), *ends), *pieces])
    return zlib.crc32(rest).to_bytes(CRC_BYTES, "little") + rest


def _aligned(at: int) -> int:
    return -(-at // ALIGNMENT) * ALIGNMENT


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _ours(found: os.stat_result) -> bool:
    kind = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
    return kind and found.st_uid == os.geteuid() and not found.st_mode & OTHERS_MAY_WRITE


def _write(file: str, signatures: SignatureSet, made_of: bytes) -> None:
    """Keep the set and forget the oldest ones; where that cannot be, nothing is lost but time."""
    import tempfile  # bring much along, and are needed once
    from pathlib import Path

    tunnelled = with_tunnels(signatures)
    kept = [_pickled(signature) for signature in tunnelled.signatures]
    ends = np.cumsum([len(one) for one in kept], dtype=np.int64)
    made = (len(signatures.signatures), signatures.warnings, ends, tunnelled.compiled)
    arrays: list[pickle.PickleBuffer] = []
    tables = pickle.dumps(made, 5, buffer_callback=arrays.append)
    folder = Path(file).parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _ours(folder.stat()):
            return
        with tempfile.NamedTemporaryFile(dir=folder, suffix=SUFFIX, delete=False) as stream:
            stream.write(_joined([made_of, tables, b"".join(kept), *(array.raw() for array in arrays)]))
        Path(stream.name).replace(file)
        files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda one: one.stat().st_mtime_ns)
        for old in files[:-KEPT_FILES]:
            old.unlink()
    except OSError:  # a full disk, a home that cannot be written to, another run that tidies up
        return
