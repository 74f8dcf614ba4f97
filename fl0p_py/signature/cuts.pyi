from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

def tables(
    positions: Array, edges: Array, entries: Array, variants: Array, carriers: Array
) -> tuple[Array, ...]: ...
