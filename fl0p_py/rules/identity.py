"""`flowsig` and `actor`: what signatures say of a flow.

    flowsig: "ssh.auth.password.failed"     the signature with this id has just completed
    flowsig: "ssh.auth.*"                   one whose id fits, * ? and [...] as in a shell
    flowsig: ssh                            one of this class
    actor: human | bot                      the flow's verdict says so by now

A rule with either is evaluated at each identification and at each flow's end, where no flowsig is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache

from fl0p_py.rules.value import Value, spell
from fl0p_py.signature.pattern import ACTORS

_GLOB = re.compile(r'[^\s"\\;]{1,200}')
_CLASS = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FlowSig:
    """text : a glob for ids, or the name of a class"""

    text: str
    is_class: bool
    at: int = field(default=0, compare=False)

    keyword = "flowsig"

    def accepts(self, id: str, class_: str) -> bool:
        return class_ == self.text if self.is_class else _fits(self.text, id)

    def __str__(self) -> str:
        return f"flowsig:{self.text}" if self.is_class else f'flowsig:"{self.text}"'


@lru_cache(1 << 14)
def _fits(glob: str, id: str) -> bool:
    return fnmatchcase(id, glob)


@dataclass(frozen=True, slots=True)
class Actor:
    actor: str
    at: int = field(default=0, compare=False)

    keyword = "actor"

    def __str__(self) -> str:
        return f"actor:{self.actor}"


def parse_flowsig(value: Value, at: int) -> FlowSig:
    if value.text.startswith('"'):
        glob = value.quoted()
        if not _GLOB.fullmatch(glob.text):
            glob.fail(f"{spell(glob.text)} is no id of a signature, nor a glob for ids")
        return FlowSig(glob.text, False, at)
    if not _CLASS.fullmatch(value.text):
        value.fail(f'{spell(value.text)} is no class such as ssh; ids stand in quotes: "ssh.auth.*"')
    return FlowSig(value.text, True, at)


def parse_actor(value: Value, at: int) -> Actor:
    return Actor(value.choice(ACTORS), at)
