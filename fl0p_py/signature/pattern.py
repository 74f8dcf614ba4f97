"""The syntax tree of a signature's pattern, and the records around it.

Made by the parser, read by the printer, the specificity, the compiler and the checker; nothing in
it ever changes, so nodes may be shared: lines of plain tokens are built from one `Segment` per
spelling.  Nodes that came through the full parser know their place in the source; shared ones have
none.  Places do not take part in comparisons.  The language is defined in docs/signatures.md.
"""

from __future__ import annotations

from collections.abc import Sequence as Signatures
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from fl0p_py.errors import Place

MAX_SIZE = 0xFFFFF
"""Largest size an item can name (20 bits; a TCP super-segment or a defragmented datagram fits)."""

MAX_REPEAT = 255

UNORDERED_ITEMS = 4
"""Most tokens and bursts on one side of `( a & b )`."""


class Gap(StrEnum):
    """What is asked of the pause between two items; written out only where it is not NONE."""

    NONE = ""
    SOME = "+"
    ANY = "+?"

    def and_(self, other: Gap) -> Gap:
        """The one condition where two meet: `+` if either says so, else `+?` if either does."""
        if self is Gap.SOME or other is Gap.SOME:
            return Gap.SOME
        return Gap.ANY if self is Gap.ANY or other is Gap.ANY else Gap.NONE


@dataclass(frozen=True, slots=True)
class Size:
    """Bounds of a size, both included.  `exact`: written as one number, so tolerance applies."""

    low: int
    high: int
    exact: bool

    def tolerant(self) -> Size:
        """The bounds of fuzzy matching: an exact n also takes n ± max(1, 2 %), rounded down."""
        if not self.exact:
            return self
        slack = max(1, self.low // 50)
        return Size(max(1, self.low - slack), min(MAX_SIZE, self.high + slack), True)


@dataclass(frozen=True, slots=True)
class Segment:
    """`c40`, `S100-200`: one token, or (burst) one maximal run of tokens of one direction, summed."""

    direction: str  # "c" or "s"
    size: Size
    burst: bool
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """A `+` or `+?` that stands between (or before, or after) items."""

    gap: Gap  # SOME or ANY
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """`( a | b )`; a single alternative is plain grouping.  Each alternative holds a segment."""

    alternatives: tuple[Sequence, ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unordered:
    """`( c1 & s2 )`: the sides interleave freely.

    Each side is made of 1 to 4 segments of one direction, with pauses before or between them; the
    two directions differ.
    """

    left: Sequence
    right: Sequence
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Repeat:
    """An atom with its repeat; high None means without end.  {1,1} is never wrapped, high is never 0."""

    atom: Segment | Choice | Unordered
    low: int
    high: int | None
    place: Place | None = field(default=None, compare=False)


Atom = Segment | Choice | Unordered
Item = Segment | Choice | Unordered | Repeat | Pause


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Item, ...]


class Pattern(NamedTuple):
    """proto ports [=] [<] seq [>].

    ports : pairs (low, high), both included, of the server's port; empty means `*`
    """

    proto: str  # "tcp", "udp" or "icmp"
    ports: tuple[tuple[int, int], ...]
    exact: bool  # "="
    start: bool  # "<"
    sequence: Sequence
    end: bool  # ">"


PROTOCOLS = ("tcp", "udp", "icmp")
FACETS = ("class", "outcome", "activity", "actor", "tunnel", "prompt")
OUTCOMES = ("banner-only", "auth-failed", "auth-success", "aborted")
ACTORS = ("human", "bot")
CARRIERS = ("ssh", "tls12", "tls12-cbc", "tls13")
"""What a signature can be looked for inside of."""


class Facets(NamedTuple):
    """What a signature speaks for, in the order of FACETS; None where it says nothing."""

    class_: str | None = None
    outcome: str | None = None
    activity: str | None = None
    actor: str | None = None
    tunnel: str | None = None
    prompt: str | None = None


class Example(NamedTuple):
    """A line `proto port [<] seq [>]` with concrete sizes that a signature must (not) match."""

    text: str
    pattern: Pattern
    source: str = ""


NO_FACETS = Facets()


@dataclass(slots=True)
class Signature:
    """A pattern with its name, what it speaks for, and where it comes from.

    Not to be changed once the loader has given it out (freezing it would cost 20 ms at 10,000 lines).
    """

    id: str
    name: str  # the description
    pattern: Pattern
    facets: Facets = NO_FACETS
    count: bool = False
    threshold_ms: int | None = None  # None: the program's -T
    edits: bool = True  # False: tolerance only (the pattern's "=" forbids both)
    inside: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    counter_examples: tuple[Example, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    references: tuple[str, ...] = ()
    note: str = ""  # a comment that belongs to it
    source: str = ""  # file it was read from
    where: Place | str = ""  # its place there
    inside_at: Place | str = ""  # and that of `inside`
    via: str = ""  # of a variant: the carrier inside of which it is looked for (tunnel.py)

    @property
    def location(self) -> str:
        """Its place for a message, `file:line:column` or `file: ID`."""
        if isinstance(self.where, Place):
            return f"{self.source}:{self.where.line}:{self.where.column}"
        return f"{self.source}: {self.where}"


@dataclass(frozen=True, slots=True)
class SignatureSet:
    """Signatures in file order, ids unique; what the loader gives to everybody else.

    compiled  : what the compiler has made of them, for each set of its options; its own
    tunnelled : the set with its variants for tunnels, once it has been asked for; of tunnel.py
    """

    signatures: Signatures[Signature]
    warnings: tuple[str, ...] = ()
    compiled: dict[Any, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    tunnelled: list[SignatureSet] = field(default_factory=list, init=False, compare=False, repr=False)
