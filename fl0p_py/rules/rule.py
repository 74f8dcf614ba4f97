"""The syntax tree of a rule: frozen, printable, comparable.

`str(rule)` is a rule that parses to an equal tree, with the options in a fixed order.  Places in the
source do not take part in comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fl0p_py.rules.content import Content, IsDataAt
from fl0p_py.rules.field import Flags, Number
from fl0p_py.rules.flow_state import FlowState
from fl0p_py.rules.flowbit import FlowBit
from fl0p_py.rules.identity import Actor, FlowSig
from fl0p_py.rules.integer import Integer
from fl0p_py.rules.pcre import Pcre
from fl0p_py.rules.term import Term
from fl0p_py.rules.text import RuleText
from fl0p_py.rules.threshold import Threshold
from fl0p_py.rules.value import Value

ACTIONS = ("pass", "drop", "reject", "alert", "log")
"""In the order in which rules with them are evaluated."""

KILLS = ("drop", "reject")
PROTOCOLS = ("tcp", "udp", "icmp", "ip", "tcp-pkt")
DEFAULT_PRIORITY = 3

HEADER_TERMS = ("source address", "source port", "destination address", "destination port")

PacketOption = Content | IsDataAt | Pcre | Number | Flags
"""What looks at one packet or piece of a stream."""

Option = PacketOption | FlowState | FlowBit | Integer | FlowSig | Actor

BYTES = (Content, IsDataAt, Pcre)


@dataclass(frozen=True, slots=True)
class Header:
    """both : `<>`, either direction"""

    action: str
    proto: str
    src: Term
    sport: Term
    dst: Term
    dport: Term
    both: bool = False

    def __str__(self) -> str:
        arrow = "<>" if self.both else "->"
        return f"{self.action} {self.proto} {self.src} {self.sport} {arrow} {self.dst} {self.dport}"


@dataclass(frozen=True, slots=True)
class Rule:
    """priority  : as written, or of the classtype; 1 is the most urgent
    options   : what must be true and what is done then, in written order
    threshold : which alerts are said; None: all
    places    : where some parts stand: HEADER_TERMS, and keywords that stand once
    """

    header: Header
    sid: int
    options: tuple[Option, ...] = ()
    rev: int = 0
    gid: int = 1
    msg: str = ""
    classtype: str = ""
    priority: int | None = None
    references: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    noalert: bool = False
    threshold: Threshold | None = None
    text: RuleText | None = field(default=None, compare=False, repr=False)
    places: Mapping[str, Value] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        return f"{self.gid}:{self.sid}:{self.rev}"

    @property
    def id(self) -> str:
        """The name without the revision."""
        return f"{self.gid}:{self.sid}"

    @property
    def of_identifications(self) -> bool:
        """Evaluated at identifications and ends of flows, not on packets."""
        return any(isinstance(option, (FlowSig, Actor)) for option in self.options)

    @property
    def of_header(self) -> bool:
        """True of whole flows: nothing but the header says when it matches."""
        return all(isinstance(option, FlowBit) and option.op == "set" for option in self.options)

    @property
    def shared(self) -> bool:
        """Has variables that belong to more than one flow."""
        return any(isinstance(option, Integer) and option.keyword != "flowint" for option in self.options)

    def __str__(self) -> str:
        parts = [f'msg:"{_escaped(self.msg)}"'] if self.msg else []
        parts += map(str, self.options)
        if self.threshold is not None:
            parts.append(str(self.threshold))
        if self.noalert:
            parts.append("noalert")
        parts += [f"reference:{reference}" for reference in self.references]
        if self.metadata:
            parts.append("metadata:" + ", ".join(self.metadata))
        if self.classtype:
            parts.append(f"classtype:{self.classtype}")
        if self.priority is not None:
            parts.append(f"priority:{self.priority}")
        if self.gid != 1:
            parts.append(f"gid:{self.gid}")
        parts += [f"sid:{self.sid}", f"rev:{self.rev}"]
        return f"{self.header} ({'; '.join(parts)};)"


def _escaped(text: str) -> str:
    for char in '\\";':
        text = text.replace(char, "\\" + char)
    return text
