"""What is known of one flow, as Python sees it: its verdict and its identifications."""

from __future__ import annotations

from dataclasses import dataclass

from fl0p_py.signature.pattern import Facets


@dataclass(frozen=True, slots=True)
class Verdict:
    """The current value of each facet, and the rejected credentials counted so far.

    why : in words, if the client's rhythm says who the actor is; else empty
    """

    facets: Facets
    attempts: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Identification:
    """A signature that completed on a flow.

    signature : index into the signature set
    token     : tokens of the flow when it became known; ts_ns : packet time then
    score     : 0-100, 100 exact; fuzzy : tolerance or edits were needed; edits : how many of these
    lost      : a more specific signature had already said, or said at that moment, all that this one says
    """

    signature: int
    token: int
    ts_ns: int
    score: int
    fuzzy: bool
    edits: int
    lost: bool
