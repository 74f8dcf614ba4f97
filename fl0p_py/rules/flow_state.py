"""`flow:` what must be true of the flow a packet belongs to.

    flow: established | not_established | stateless, to_server | to_client, only_stream | no_stream

`from_client` is `to_server`, `from_server` is `to_client`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fl0p_py.rules.unsupported import UnsupportedError
from fl0p_py.rules.value import Value, spell

STATES = ("established", "not_established", "stateless")
DIRECTIONS = ("to_server", "to_client")
SCOPES = ("only_stream", "no_stream")
_SAME = {"from_client": "to_server", "from_server": "to_client"}
_UNSUPPORTED = ("only_frag", "no_frag")


@dataclass(frozen=True, slots=True)
class FlowState:
    """Each one of its words, or "" where nothing is asked."""

    state: str = ""
    direction: str = ""
    scope: str = ""
    at: int = field(default=0, compare=False)

    keyword = "flow"

    def __str__(self) -> str:
        return "flow:" + ",".join(word for word in (self.state, self.direction, self.scope) if word)


def parse_flow(value: Value, at: int) -> FlowState:
    chosen = {"state": "", "direction": "", "scope": ""}
    for part in value.split(","):
        word = _SAME.get(part.text, part.text)
        if word in _UNSUPPORTED:
            raise UnsupportedError(part, f"{word} is not supported")
        for kind, words in (("state", STATES), ("direction", DIRECTIONS), ("scope", SCOPES)):
            if word in words:
                if chosen[kind]:
                    part.fail(f"{part.text} does not go with {chosen[kind]}")
                chosen[kind] = word
                break
        else:
            part.fail(f"{spell(part.text)} is none of {', '.join((*STATES, *DIRECTIONS, *_SAME, *SCOPES))}")
    return FlowState(**chosen, at=at)
