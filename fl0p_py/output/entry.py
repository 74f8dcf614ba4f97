"""Entry: what the text forms of output say of a signature, as bytes made once per signature.

An entry of an identification is, in both forms,

    when, endpoints, [proto port]    HEAD  match  TAIL(actor)  [sequence]

so that the kernel in line.pyx only copies: `match` is "exact" or "fuzzy NN%", and TAIL comes in
three versions: with the actor that the signature itself speaks for, if it does, and with each of the
two.  A signature that speaks for the actor says its own, unless the client's rhythm knows better.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from fl0p_py.output.choice import Choice
from fl0p_py.output.escape import escape
from fl0p_py.signature.pattern import ACTORS, Signature

TAILS: tuple[str | None, ...] = (None, *ACTORS)
"""The actors by the number they have in Result.actor."""


FIRST_ROOM = 1 << 16


class Form(Enum):
    """The two text forms: one line an entry (`-l`), or a block of indented lines and a blank one."""

    LINE = 0
    BLOCK = 1


class TextOptions(NamedTuple):
    """What is printed, in which form, and whether the time stands before each entry (`-t`)."""

    choice: Choice = Choice()
    form: Form = Form.BLOCK
    timestamps: bool = False


class EntryTexts:
    """The pieces of signatures in one buffer, made when they are needed first.

    text : uint8[size]
    at   : int64[n, 5]; of signature i, HEAD is text[at[i, 0]:at[i, 1]] and the TAIL for actor a is
           text[at[i, 1 + a]:at[i, 2 + a]]; all 0 as long as they are not made
    ends : uint8[n], 1 where the pattern ends with `>`
    own  : uint8[n], 1 where the signature speaks for the actor
    longest : bytes of the longest HEAD and TAIL together
    """

    def __init__(self, signatures: Sequence[Signature], form: Form) -> None:
        self._signatures = signatures
        self._head, self._tail = (_line_head, _line_tail) if form is Form.LINE else (_block_head, _block_tail)
        self._used = 0
        self.text = np.zeros(FIRST_ROOM, np.uint8)
        self.at = np.zeros((len(signatures), len(TAILS) + 2), np.int64)
        self.ends = np.zeros(len(signatures), np.uint8)
        self.own = np.zeros(len(signatures), np.uint8)
        self.longest = 0

    def make(self, number: int) -> None:
        """Make the pieces of this signature; `text` may be another buffer afterwards."""
        signature = self._signatures[number]
        head = self._head(signature).encode()
        tails = [self._tail(signature, actor).encode() for actor in TAILS]
        pieces = b"".join((head, *tails))
        if self._used + len(pieces) > len(self.text):
            self.text = np.concatenate([self.text, np.zeros(len(self.text) + len(pieces), np.uint8)])
        self.text[self._used : self._used + len(pieces)] = np.frombuffer(pieces, np.uint8)
        self.at[number] = list(accumulate(map(len, (head, *tails)), initial=self._used))
        self.ends[number] = signature.pattern.end
        self.own[number] = signature.facets.actor is not None
        self._used += len(pieces)
        self.longest = max(self.longest, len(head) + max(map(len, tails)))


def _line_head(signature: Signature) -> str:
    return f" : {escape(signature.name)} [{escape(signature.id)}, "


def _via(signature: Signature) -> str:
    return f", via {escape(signature.via)}" if signature.via else ""


def _line_tail(signature: Signature, actor: str | None) -> str:
    facets = signature.facets
    said = (facets.outcome, facets.activity, actor or facets.actor, facets.tunnel, facets.prompt)
    return _via(signature) + "".join(f", {escape(word)}" for word in said if word) + "]\n"


def _block_head(signature: Signature) -> str:
    return f"\n    name       {escape(signature.name)}\n    signature  {escape(signature.id)}, "


def _block_tail(signature: Signature, actor: str | None) -> str:
    facets = signature.facets
    said = (
        ("class", facets.class_),
        ("outcome", facets.outcome),
        ("activity", facets.activity),
        ("actor", actor or facets.actor),
        ("tunnel", facets.tunnel),
        ("prompt", facets.prompt),
    )
    verdict = ", ".join(f"{facet} {escape(word)}" for facet, word in said if word)
    return _via(signature) + (f"\n    verdict    {verdict}" if verdict else "") + "\n    sequence   "
