from typing import Any

import numpy as np
from numpy.typing import NDArray

from fl0p_py.flow.table import FlowTable
from fl0p_py.output.entry import TextOptions
from fl0p_py.output.resolve import Names
from fl0p_py.signature.pattern import SignatureSet

class LineFormatter:
    options: TextOptions
    def __init__(self, signatures: SignatureSet, table: FlowTable, options: TextOptions) -> None: ...
    def format(self, results: NDArray[Any], names: Names | None = None) -> bytes: ...

def address_text(octets: bytes, version: int) -> str: ...
def sequence_text(table: FlowTable, flow: int, threshold_ms: int) -> str: ...
def result_dtype() -> np.dtype[np.void]: ...
