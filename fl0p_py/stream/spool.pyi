from fl0p_py.flow.table import FlowTable
from fl0p_py.stream.chunk_batch import ChunkBatch
from fl0p_py.stream.history import History

LIMIT: int
TOTAL: int

class Spool:
    blocks_left: int
    evicted: int
    cut: int
    def __init__(self, table: FlowTable, *, limit: int = ..., total: int = ...) -> None: ...
    def add(self, chunks: ChunkBatch) -> None: ...
    def sweep(self, chunks: ChunkBatch) -> None: ...
    def take(self, flow: int, serial: int) -> History: ...
