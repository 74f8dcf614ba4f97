from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.flow.event_batch import EventBatch
from fl0p_py.flow.table import FlowTable
from fl0p_py.signature.compiled import Compiled
from fl0p_py.signature.pattern import SignatureSet
from fl0p_py.signature.verdict import Identification, Verdict

EVENT_DTYPE: np.dtype[np.void]
ROW_DTYPE: np.dtype[np.void]
RESULT_DTYPE: np.dtype[np.void]

class Matcher:
    signatures: SignatureSet
    compiled: Compiled
    def __init__(
        self,
        signatures: SignatureSet,
        table: FlowTable | None = None,
        *,
        threshold_ms: int = 400,
        fuzzy: bool = True,
        capacity: int = 0,
    ) -> None: ...
    @property
    def results(self) -> NDArray[Any]: ...
    @property
    def overflow(self) -> dict[str, int]: ...
    @property
    def tunnels_sought(self) -> tuple[int, int]: ...
    def feed(self, events: NDArray[Any], rows: NDArray[Any]) -> None: ...
    def take(self, batch: EventBatch) -> None: ...
    def run(self) -> bool: ...
    def advance(self, now_ns: int) -> None: ...
    def release(self) -> None: ...
    def names(self) -> list[tuple[str, str]]: ...
    def verdict(self, row: int) -> Verdict: ...
    def identifications(self, row: int) -> list[Identification]: ...
