"""Tunnels: signatures as they look inside of TLS and SSH, without being learned again.

A signature with `inside` gets one *variant* for each carrier that it names.  A variant has the same id and
description; its class is the outer service, its tunnel says INNER-in-OUTER, its other facets are the inner
ones, its port that of the service over TLS.  In TLS, variants have no pattern of their own to look for: the
kernel paths.pyx follows the automaton of the inner pattern along the runs of records.

    source set ──► [ signatures | hellos | variants ]    one set, whose numbers the results count in

Variants inside of SSH come first, and do have a pattern of their own (channel.py).
The hellos are patterns (overhead.py) that tell where one in TLS may begin; they are never reported.
"""

from __future__ import annotations

from collections.abc import Sequence as Signatures
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fl0p_py.signature.channel import SSH, through
from fl0p_py.signature.overhead import CARRIERS, HELLOS, IMPLICIT_TLS, Carrier
from fl0p_py.signature.pattern import (
    Facets,
    Pattern,
    Pause,
    Segment,
    Sequence,
    Signature,
    SignatureSet,
    Size,
)

HELLO = "hello"
"""`via` of the hellos."""
VIAS = tuple(dict.fromkeys(carrier.via for carrier in CARRIERS))
INNER = {"reverse": "shell"}
"""What activities are called in the name of a tunnel, if otherwise."""
OUTER = {"tls12": "tls", "tls12-cbc": "tls", "tls13": "tls"}

MOST_CLIENT = 12
"""Columns for `Carrier.client`."""


def with_tunnels(signatures: SignatureSet) -> SignatureSet:
    """The set with its hellos and variants behind it, made once; the same set if no signature has any."""
    if signatures.tunnelled:
        return signatures.tunnelled[0]
    if not signatures.signatures or signatures.signatures[-1].via:
        return signatures
    from fl0p_py.signature.parser import parse_pattern  # not for sets from the cache

    variants = [
        variant(signature, via)
        for vias in ((SSH,), VIAS)
        for signature in signatures.signatures
        for via in vias
        if can(signature, via)
    ]
    if not variants:
        return signatures
    hellos = [
        Signature(f"tunnel.{number}", "a tunnel may begin", parse_pattern(hello.pattern), via=HELLO)
        for number, hello in enumerate(HELLOS if variants[-1].via in VIAS else ())
    ]
    whole = replace(signatures, signatures=(*signatures.signatures, *hellos, *variants))
    signatures.tunnelled.append(whole)
    return whole


def can(signature: Signature, via: str) -> bool:
    return via in signature.inside and signature.pattern.proto == "tcp" and not signature.via


def looked_for(signature: Signature) -> bool:
    """Whether it is looked for inside of tunnels, too; only what runs over TCP can be there."""
    return bool(set(signature.inside) - {SSH}) and signature.pattern.proto == "tcp" and not signature.via


def variant(signature: Signature, via: str) -> Signature:
    facets, outer = signature.facets, OUTER.get(via, via)
    inner = facets.class_ or INNER.get(facets.activity or "data", facets.activity or "data")
    said = facets._replace(class_=outer, tunnel=facets.tunnel or f"{inner}-in-{outer}")
    return replace(
        signature,
        pattern=_outside(signature.pattern, via),
        facets=Facets(*said),
        where=signature.inside_at or signature.where,
        via=via,
        inside=(),
        examples=(),
        counter_examples=(),
    )


def _outside(pattern: Pattern, via: str) -> Pattern:
    return through(pattern) if via == SSH else pattern._replace(ports=outer_ports(pattern))


def outer_ports(pattern: Pattern) -> tuple[tuple[int, int], ...]:
    """Where a tunnel to a service on these ports listens: on its port with TLS, or on the same."""
    ports = dict.fromkeys(pattern.ports)
    for plain, secure in IMPLICIT_TLS.items():
        if any(low <= plain <= high for low, high in pattern.ports):
            ports[secure, secure] = None
    return tuple(ports)


def encapsulated(example: Pattern, carrier: Carrier) -> Pattern:
    """What an example looks like inside of the carrier: a record for each token, an alert before the end."""
    size = carrier.client[-1]
    tokens: list[Segment | Pause] = [token("c", 517), token("s", 1400), token("c", size)]
    if carrier.server or carrier.tickets[1]:
        tokens.append(token("s", carrier.server or carrier.tickets[0]))
    for item in example.sequence.items:
        if isinstance(item, Segment):
            item = token(item.direction, carrier.record(item.size.low))
        if isinstance(item, Segment | Pause):
            tokens.append(item)
    if example.end:
        tokens.append(token("c", carrier.alert))
    ports = outer_ports(example)[-1:]
    return example._replace(ports=ports, start=True, sequence=Sequence(tuple(tokens)))


def token(direction: str, size: int) -> Segment:
    return Segment(direction, Size(size, size, True), burst=False)


def variant_table(signatures: Signatures[Signature]) -> NDArray[np.int32]:
    """int32[signatures, vias]: the number of each one's variant; -1: none."""
    table = np.full((len(signatures), len(VIAS)), -1, np.int32)
    numbers = {signature.id: number for number, signature in enumerate(signatures) if not signature.via}
    for number, signature in enumerate(signatures):
        if signature.via in VIAS:
            table[numbers[signature.id], VIAS.index(signature.via)] = number
    return table


def carrier_table() -> NDArray[np.int32]:
    """int32[carriers, 10 + MOST_CLIENT], a row as in place.pxd."""
    rows = [
        (
            sum(1 << number for number, hello in enumerate(HELLOS) if carrier in hello.carriers),
            *(carrier.overhead, carrier.slack, carrier.alert, VIAS.index(carrier.via)),
            *(carrier.alone, carrier.server),
            *carrier.tickets,
            len(carrier.client),
            *carrier.client,
            *[0] * (MOST_CLIENT - len(carrier.client)),
        )
        for carrier in CARRIERS
    ]
    return np.array(rows, np.int32)
