"""Entry: what the text forms of output say of a signature, as bytes made once per signature.

An entry of an identification is, in both forms,

    when, endpoints, [proto port]    HEAD  match  TAIL(actor)  [sequence]

so that the kernel in line.pyx only copies: `match` is "exact" or "fuzzy NN%", and TAIL comes in
three versions: with the actor that the signature itself speaks for, if it does, and with each of the
two.  A signature that speaks for the actor says its own, unless the client's rhythm knows better.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from fl0p_py.output.choice import Choice
from fl0p_py.output.escape import escape
from fl0p_py.signature.pattern import ACTORS, Signature

TAILS: tuple[str | None, ...] = (None, *ACTORS)
"""The actors by the number they have in Result.actor."""


class Form(Enum):
    """The two text forms: one line an entry (`-l`), or a block of indented lines and a blank one."""

    LINE = 0
    BLOCK = 1


@dataclass(frozen=True, slots=True)
class TextOptions:
    """What is printed, in which form, and whether the time stands before each entry (`-t`)."""

    choice: Choice = Choice()  # noqa: RUF009 - frozen
    form: Form = Form.BLOCK
    timestamps: bool = False


@dataclass(frozen=True, slots=True)
class EntryText:
    """All pieces in one buffer.

    text : uint8[size]
    at   : int64[n + 1, 4]; of signature i, HEAD is text[at[i, 0]:at[i, 1]] and the TAIL for actor a is
           text[at[i, 1 + a]:end], where end is the next entry of `at` in row-major order
    ends : uint8[n], 1 where the pattern ends with `>`
    own  : uint8[n], 1 where the signature speaks for the actor
    longest : bytes of the longest HEAD and TAIL together
    """

    text: NDArray[np.uint8]
    at: NDArray[np.int64]
    ends: NDArray[np.uint8]
    own: NDArray[np.uint8]
    longest: int


def entry_text(signatures: Iterable[Signature], form: Form) -> EntryText:
    """The pieces of all signatures, in their order."""
    pieces: list[bytes] = []
    ends, own = bytearray(), bytearray()
    head_and_tail = (_line_head, _line_tail) if form is Form.LINE else (_block_head, _block_tail)
    longest = 0
    for signature in signatures:
        head = head_and_tail[0](signature).encode()
        tails = [head_and_tail[1](signature, actor).encode() for actor in TAILS]
        pieces += (head, *tails)
        ends.append(signature.ends)
        own.append(signature.facets.actor is not None)
        longest = max(longest, len(head) + max(map(len, tails)))
    at = np.zeros(len(pieces) + len(TAILS) + 1, dtype=np.int64)
    at[1 : len(pieces) + 1] = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    at[len(pieces) + 1 :] = at[len(pieces)]
    return EntryText(
        text=np.frombuffer(b"".join(pieces) or b"\0", dtype=np.uint8),
        at=at.reshape(-1, len(TAILS) + 1),
        ends=np.frombuffer(bytes(ends) or b"\0", dtype=np.uint8),
        own=np.frombuffer(bytes(own) or b"\0", dtype=np.uint8),
        longest=longest,
    )


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
