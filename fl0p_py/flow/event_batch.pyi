from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fl0p_py.flow.segment_batch import SegmentBatch

EVENT_DTYPE: np.dtype[np.void]

def aligned(n: int, dtype: DTypeLike, columns: int = 1) -> NDArray[Any]: ...

class EventBatch:
    segments: SegmentBatch | None
    def __init__(self, size: int, segments: SegmentBatch | None = None) -> None: ...
    def __len__(self) -> int: ...
    @property
    def events(self) -> NDArray[np.void]: ...
