"""Signature files become the set that everything else works with.

`load` takes files and folders (every `*.fp` and `*.toml` in one, by name) in the order given; with
none it takes the shipped set.  It returns a whole set or raises one SignatureFileError with all that
is wrong in all files.  An id stands for one signature: given ids must differ; ids made of names get
a number behind them where they do not.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Sequence

from fl0p_py.errors import SignatureError, SignatureFileError
from fl0p_py.signature.fp_file import SignatureLines, read_lines
from fl0p_py.signature.metadata import slug
from fl0p_py.signature.pattern import Signature, SignatureSet
from fl0p_py.signature.text import SignatureText, texts_of

MAX_SIGNATURES = 65534
"""Signatures of a set: values of a facet are numbered in 16 bits."""


def load(paths: Iterable[str | os.PathLike[str]] = ()) -> SignatureSet:
    """All signatures of the files and folders; the shipped set if there are none.

    Raises SignatureFileError.
    """
    errors: list[SignatureError] = []
    return _set(texts_of(paths, errors), errors)


def parse_texts(texts: Sequence[SignatureText]) -> SignatureSet:
    """The signatures in files that were read before; raises SignatureFileError."""
    return _set(texts, [])


def _set(texts: Iterable[SignatureText], errors: list[SignatureError]) -> SignatureSet:
    """All signatures of the files, unless something is wrong with any of them."""
    read = SignatureLines([], errors, [])
    names = []
    collecting = gc.isenabled()
    gc.disable()  # ten thousand small objects that all stay: collections would find nothing
    try:
        for text in texts:
            names.append(text.name)
            part = _parse(text)
            read.signatures.extend(part.signatures)
            read.errors.extend(part.errors)
            read.warnings.extend(part.warnings)
        _name(read)
    finally:
        if collecting:
            gc.enable()
    if not read.signatures and not read.errors:
        read.errors.append(SignatureError(", ".join(names), "", "no signature in it"))
    if len(read.signatures) > MAX_SIGNATURES:
        message = f"{len(read.signatures):,} signatures, expected at most {MAX_SIGNATURES:,}"
        read.errors.append(SignatureError(read.signatures[-1].source, "", message))
    if read.errors:
        raise SignatureFileError(read.errors)
    return SignatureSet(tuple(read.signatures), tuple(map(str, read.warnings)))


def _parse(text: SignatureText) -> SignatureLines:
    if text.name.endswith(".toml"):
        from fl0p_py.signature.toml_file import read_toml  # tomli only where it is used

        return read_toml(text.data, text.name)
    return read_lines(text.data, text.name)


def _name(read: SignatureLines) -> None:
    """Refuse ids given twice; give the others their slug, numbered where it is taken."""
    first: dict[str, Signature] = {}
    for signature in read.signatures:
        if not signature.id:
            continue
        other = first.setdefault(signature.id, signature)
        if other is not signature:
            message = f"the id '{signature.id}' stands already at {other.location}"
            read.errors.append(SignatureError(signature.source, signature.where, message))
    slugs: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for signature in read.signatures:
        if signature.id:
            continue
        name = slugs.get(signature.name)
        if name is None:
            name = slugs[signature.name] = slug(signature.name)
        signature.id = name
        if first.setdefault(name, signature) is signature:
            continue
        number = numbers.get(name, 1)
        while signature.id in first:
            number += 1
            signature.id = f"{name}-{number}"
        first[signature.id] = signature
        numbers[name] = number
    for name, number in numbers.items():
        message = f"its name is that of {first[name].location}, the id became {name}-2"
        if number > 2:
            message += f" and so on to {name}-{number}"
        again = first[f"{name}-2"]
        read.warnings.append(SignatureError(again.source, again.where, message))
