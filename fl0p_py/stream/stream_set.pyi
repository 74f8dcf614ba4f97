import numpy as np

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.flow.event_batch import EventBatch
from fl0p_py.flow.table import FlowTable
from fl0p_py.stream.chunk_batch import ChunkBatch

CHUNK_DTYPE: np.dtype[np.void]
COUNTS: tuple[str, ...]

class StreamSet:
    table: FlowTable
    def __init__(
        self,
        table: FlowTable,
        *,
        policy: str = "first",
        held_bytes: int = ...,
        held_entries: int = ...,
        compare: int = 4096,
        recent_bytes: int = ...,
        want_all: bool = False,
    ) -> None: ...
    def want(self, flow: int, serial: int) -> None: ...
    def unwant(self, flow: int) -> None: ...
    def take(self, events: EventBatch, batch: PacketBatch | None = None) -> ChunkBatch: ...
    @property
    def stats(self) -> dict[str, int]: ...
