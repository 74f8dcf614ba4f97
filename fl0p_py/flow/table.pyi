from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.decode.decoder import DecodedBatch
from fl0p_py.flow.event_batch import EventBatch
from fl0p_py.flow.segment_batch import SegmentBatch

OPEN: int
CLOSED: int
RESET: int
IDLE: int
EOF: int
EVICTED: int
SHUTDOWN: int
REUSED: int
POLICIES: dict[str, int]
EVENTS: int
ROW_DTYPE: np.dtype[np.void]

def stored_token(token: int) -> int: ...
def stored_gap(gap_ns: int, threshold_ms: int) -> int: ...

class FlowTable:
    n_events: int
    steady: Lock
    depth: int
    capacity: int
    clock_ns: int
    rows: NDArray[np.void]
    segments: SegmentBatch | None
    def __init__(
        self,
        *,
        capacity: int = ...,
        depth: int = 64,
        idle_s: float | None = None,
        checksums: str = "auto",
        vlan_key: bool = True,
        threshold_ms: int = 400,
        events: int = ...,
        batches: int = 1,
        records: str = "",
    ) -> None: ...
    def process(self, packets: NDArray[Any], start: int = 0) -> int: ...
    def track(self, decoded: DecodedBatch) -> bool: ...
    def advance(self, now_ns: int) -> bool: ...
    def finish(self, reason: int) -> bool: ...
    def doubt_resets(self, row: int) -> None: ...
    def hand_over(self) -> EventBatch: ...
    def release(self, batch: EventBatch | None = None) -> None: ...
    @property
    def events(self) -> NDArray[np.void]: ...
    @property
    def stats(self) -> dict[str, int]: ...
    @property
    def open_flows(self) -> int: ...
    def tokens_of(self, row: int) -> NDArray[np.int32]: ...
    def gaps_of(self, row: int) -> NDArray[np.float32]: ...
    def flow_id(self, row: int) -> int: ...
