import numpy as np
from numpy.typing import NDArray

NEW: int
OLD: int
IN_ORDER: int
OVERLAP: int
LATE: int
HOLE: int
FAR: int
COPY: int
OTHER: int
ESTABLISHED: int
ANSWERED: int
NOT_ACKED: int
RECORD_DTYPE: np.dtype[np.void]

class SegmentBatch:
    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    @property
    def records(self) -> NDArray[np.void]: ...
    @property
    def copies(self) -> NDArray[np.uint8]: ...
    @property
    def others(self) -> NDArray[np.void]: ...
    @property
    def span(self) -> tuple[int, int]: ...
    def locate(self, positions: NDArray[np.int64]) -> NDArray[np.int32]: ...
