"""`flowbits: op, name[|name...]`: marks on a flow.

`set`, `unset`, `toggle` change one mark; `isset` is true if any of its names is set, `isnotset` if any is
not.  `flowbits:noalert` is `noalert`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from fl0p_py.rules.value import Value, spell

WRITES = ("set", "unset", "toggle")
READS = ("isset", "isnotset")
_NAME = re.compile(r"[\w./-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FlowBit:
    op: str
    names: tuple[str, ...]
    at: int = field(default=0, compare=False)

    keyword = "flowbits"

    @property
    def writes(self) -> bool:
        return self.op in WRITES

    def __str__(self) -> str:
        return f"flowbits:{self.op},{'|'.join(self.names)}"


def parse_flowbits(value: Value, at: int) -> FlowBit:
    op, *names = value.split(",")
    if op.text == "noalert":
        op.fail("noalert takes no name")
    op.choice(WRITES + READS)
    if len(names) != 1:
        value.fail("expected an operation and a name: flowbits:set,seen")
    listed = names[0].split("|")
    if len(listed) > 1 and op.text in WRITES:
        names[0].fail(f"{op.text} takes one name; several joined by | go with isset and isnotset")
    for name in listed:
        if not _NAME.fullmatch(name.text):
            name.fail(f"{spell(name.text)} is no name: letters, digits, _ . / and -")
    return FlowBit(op.text, tuple(name.text for name in listed), at)
