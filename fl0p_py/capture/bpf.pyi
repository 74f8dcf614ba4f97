from collections.abc import Iterable

from fl0p_py.capture.batch import PacketBatch

class FilterSet:
    expression: str
    vlan: bool
    def __init__(self, expression: str, *, vlan: bool = False) -> None: ...
    def check(self, linktypes: Iterable[int]) -> None: ...
    def apply(self, batch: PacketBatch) -> PacketBatch: ...
