from typing import Any

import numpy as np
from numpy.typing import NDArray

OPEN: int
CLOSED: int
RESET: int
IDLE: int
EOF: int
EVICTED: int
SHUTDOWN: int
REUSED: int
STATS: tuple[str, ...]
POLICIES: dict[str, int]
EVENTS: int
ROW_DTYPE: np.dtype[np.void]
EVENT_DTYPE: np.dtype[np.void]

class FlowTable:
    n_events: int
    depth: int
    capacity: int
    clock_ns: int
    rows: NDArray[np.void]
    def __init__(
        self,
        *,
        capacity: int = ...,
        depth: int = 64,
        idle_s: float | None = None,
        checksums: str = "auto",
        vlan_key: bool = True,
        events: int = ...,
    ) -> None: ...
    def process(self, packets: NDArray[Any], start: int = 0) -> int: ...
    def advance(self, now_ns: int) -> bool: ...
    def finish(self, reason: int) -> bool: ...
    def release(self) -> None: ...
    @property
    def events(self) -> NDArray[np.void]: ...
    @property
    def stats(self) -> dict[str, int]: ...
    @property
    def open_flows(self) -> int: ...
    def tokens_of(self, row: int) -> NDArray[np.int32]: ...
    def gaps_of(self, row: int) -> NDArray[np.float32]: ...
    def flow_id(self, row: int) -> int: ...
