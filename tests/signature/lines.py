"""Sets of signatures and trial flows, written as lines."""

from __future__ import annotations

from fl0p_py.signature.fp_file import read_lines
from fl0p_py.signature.parser import parse_pattern
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.trial import TrialFlow, TrialResult, flow_of, run


def signature_set(text: str) -> SignatureSet:
    """The signatures of the lines of a `.fp` file; ids are their descriptions."""
    read = read_lines(text.encode(), "test.fp")
    assert not read.errors, read.errors
    for signature in read.signatures:
        signature.id = signature.id or signature.name
    return SignatureSet(tuple(read.signatures))


def trial(text: str, flow: str | TrialFlow, *, fuzzy: bool = True) -> TrialResult:
    """What the lines say of a flow, which may be written as an example."""
    chosen = flow_of(parse_pattern(flow)) if isinstance(flow, str) else flow
    (result,) = run(signature_set(text), [chosen], fuzzy=fuzzy)
    return result


def said(text: str, flow: str | TrialFlow, *, fuzzy: bool = True) -> list[str]:
    """Its identifications as text: `name@token`, with the score if it is fuzzy and `lost` if it is."""
    names = [signature.name for signature in signature_set(text).signatures]
    return [
        f"{names[i.signature]}@{i.token}" + (f" {i.score}%" if i.fuzzy else "") + (" lost" if i.lost else "")
        for i in trial(text, flow, fuzzy=fuzzy).identifications
    ]
