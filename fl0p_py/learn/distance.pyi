from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOOK: int
FULL: int
OCTAVE: int

class Tokens:
    def __init__(
        self,
        log: NDArray[Any],
        kind: NDArray[Any],
        offsets: NDArray[Any],
        group: NDArray[Any],
        port: NDArray[Any],
    ) -> None: ...
    def __len__(self) -> int: ...
    def distances(self, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int32]: ...
    def leaders(
        self, order: NDArray[np.int64], limit: int, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.int64]: ...
    def place(self, one: int, other: int) -> NDArray[np.int32]: ...
