"""Picture: a sequence drawn in two rows of text, the client's sizes upwards, the server's downwards.

A column a token, on a log scale; a pause leaves a column free.  Characters are from Unicode's block elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

MOST_TOKENS = 32

UP = "▁▂▃▄▅▆▇█"
DOWN = "▔▀█"
"""There are no others that hang from the top."""

LARGEST = 11.5
"""log2 of the size that is drawn full: about 2,900 bytes, two full segments."""


def picture(tokens: Sequence[int], paused: Sequence[bool]) -> tuple[str, str]:
    """(upper row, lower row), equally wide.  tokens : sizes, negative from the server"""
    upper, lower = [], []
    for token, pause in zip(tokens[:MOST_TOKENS], paused[:MOST_TOKENS], strict=True):
        if pause:
            upper.append(" ")
            lower.append(" ")
        upper.append(_height(token, UP) if token > 0 else " ")
        lower.append(_height(-token, DOWN) if token < 0 else " ")
    return "".join(upper), "".join(lower)


def _height(size: int, levels: str) -> str:
    return levels[min(len(levels) - 1, int(log2(size + 1) / LARGEST * len(levels)))]
