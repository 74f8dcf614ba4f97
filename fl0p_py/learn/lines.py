"""Lines of a stream of bytes, numbered, none longer than a bound, with nothing kept of longer ones."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from fl0p_py.capture.stream import ByteStream
from fl0p_py.errors import CaptureError

MAX_LINE = 1 << 18
"""Bytes of a line.  The longest that fl0p writes, 4,096 tokens as JSON, has 150 KB."""

PIECE = 1 << 18
"""Bytes read at a time."""


def numbered_lines(stream: ByteStream) -> Iterator[tuple[int, bytes | None]]:
    """(number from 1, line without its newline) of all lines; None for one that is longer than MAX_LINE.

    A byte order mark, which some editors put in front of UTF-8, is not part of the first line; what stands
    behind the last newline counts as a line too.  Raises CaptureError where the stream is damaged, after the
    lines before that.
    """
    piece = bytearray(PIECE)
    number, rest, too_long = 0, b"", False
    damage: CaptureError | None = None
    while damage is None:
        try:
            got = stream.readinto(memoryview(piece))
        except CaptureError as error:
            damage, got = error, 0
        if not got:
            break
        *whole, rest = (rest + piece[:got]).split(b"\n")
        for line in whole:
            number += 1
            yield number, None if too_long or len(line) > MAX_LINE else _unmarked(number, line)
            too_long = False
        if len(rest) > MAX_LINE:
            too_long, rest = True, b""
    if rest or too_long:
        yield number + 1, None if too_long else _unmarked(number + 1, rest)
    if damage is not None:
        raise damage


def _unmarked(number: int, line: bytes) -> bytes:
    return line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
