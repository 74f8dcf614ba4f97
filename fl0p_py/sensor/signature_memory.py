"""Signature files handed from the monitor to an engine: a sealed piece of memory with a descriptor.

    u32 length of the list | list of [name, size] as JSON | the files' bytes, one after the other

The engine can open no file; what it is given cannot be changed any more by either side.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Sequence

import orjson

from fl0p_py.signature.text import SignatureText

LENGTH = struct.Struct("!I")
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def store(texts: Sequence[SignatureText]) -> int:
    """A new descriptor of memory that holds the texts; the caller closes it."""
    index = orjson.dumps([[os.fsencode(text.name).decode("latin-1"), len(text.data)] for text in texts])
    descriptor = os.memfd_create("signatures", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "wb", closefd=False) as memory:
        memory.write(LENGTH.pack(len(index)) + index)
        for text in texts:
            memory.write(text.data)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
    return descriptor


def fetch(descriptor: int) -> list[SignatureText]:
    """The texts; the descriptor is closed."""
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        data = os.pread(descriptor, size, 0)
    finally:
        os.close(descriptor)
    (length,) = LENGTH.unpack_from(data)
    at = LENGTH.size + length
    texts = []
    for name, size in orjson.loads(data[LENGTH.size : at]):
        texts.append(SignatureText(os.fsdecode(name.encode("latin-1")), data[at : at + size]))
        at += size
    return texts
