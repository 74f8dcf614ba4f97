#!/usr/bin/env python3
"""The signature parser under atheris: `atheris_signatures.py [-max_total_time=600] [FOLDER ...]`.

Whatever the text, loading it gives a signature set or SignatureFileError; anything else is a find.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fl0p_py.signature", "fl0p_py.errors"]):
    from fl0p_py.errors import SignatureFileError
    from fl0p_py.signature.caret import render
    from fl0p_py.signature.loader import load


def one_input(data: bytes) -> None:
    file = Path(FOLDER.name, "input.fp")
    file.write_bytes(data)
    try:
        load([file])
    except SignatureFileError as error:
        render(error)


if __name__ == "__main__":
    FOLDER = tempfile.TemporaryDirectory()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
