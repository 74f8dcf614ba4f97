"""The syntax tree of a signature's pattern.

Made by the parser, read by the printer, the specificity, the compiler and the checker; it never
changes.  Every node knows its place in the source so that later stages can point at it too.
The language is defined in docs/signatures.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from fl0p_py.errors import Place

MAX_SIZE = 0xFFFFF
"""Largest size an item can name (20 bits; a TCP super-segment or a defragmented datagram fits)."""

MAX_REPEAT = 255


class Gap(Enum):
    """What is asked of the pause between two items; written out only where it is not NONE."""

    NONE = ""
    SOME = "+"
    ANY = "+?"


@dataclass(frozen=True, slots=True)
class Size:
    """Bounds of a size, both included.  `exact`: written as one number, so tolerance applies."""

    low: int
    high: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """`c40`, `S100-200`: one token, or (burst) one maximal run of tokens of one direction, summed."""

    direction: str  # "c" or "s"
    size: Size
    burst: bool
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """A `+` or `+?` that stands between (or before, or after) items."""

    gap: Gap  # SOME or ANY
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """`( a | b )`; a single alternative is plain grouping."""

    alternatives: tuple[Sequence, ...]
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unordered:
    """`( c1 & s2 )`: each side of one direction, at most 4 items, in any interleaving."""

    left: Sequence
    right: Sequence
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class Repeat:
    """An atom with its repeat; high None means without end.  {1,1} is never wrapped."""

    atom: Segment | Choice | Unordered
    low: int
    high: int | None
    place: Place = field(compare=False)


Item = Segment | Choice | Unordered | Repeat | Pause


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """proto ports [=] [<] seq [>].

    ports : pairs (low, high), both included, of the server's port; empty means `*`
    """

    proto: str  # "tcp", "udp" or "icmp"
    ports: tuple[tuple[int, int], ...]
    exact: bool  # "="
    start: bool  # "<"
    sequence: Sequence
    end: bool  # ">"


@dataclass(frozen=True, slots=True)
class Facets:
    """What a signature speaks for; None where it says nothing."""

    class_: str | None = None
    outcome: str | None = None
    activity: str | None = None
    actor: str | None = None
    tunnel: str | None = None
    prompt: str | None = None


FACETS = ("class", "outcome", "activity", "actor", "tunnel", "prompt")
OUTCOMES = ("banner-only", "auth-failed", "auth-success", "aborted")
ACTORS = ("human", "bot")


@dataclass(frozen=True, slots=True)
class Example:
    """A line `proto port [<] seq [>]` with concrete sizes that a signature must (not) match."""

    text: str
    pattern: Pattern
    source: str = ""


@dataclass(frozen=True, slots=True)
class Signature:
    """A pattern with its name, what it speaks for, and where it comes from."""

    id: str
    name: str  # the description
    pattern: Pattern
    facets: Facets = Facets()
    count: bool = False
    threshold_ms: int | None = None  # None: the program's -T
    edits: bool = True  # False: tolerance only (the pattern's "=" forbids both)
    inside: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    counter_examples: tuple[Example, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    references: tuple[str, ...] = ()
    source: str = ""  # file it was read from
    where: Place | str = ""  # its place there


@dataclass(frozen=True, slots=True)
class SignatureSet:
    """Signatures in file order, ids unique; what the loader gives to everybody else."""

    signatures: tuple[Signature, ...]
    warnings: tuple[str, ...] = ()
