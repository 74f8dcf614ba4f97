import numpy as np

from fl0p_py.flow.table import FlowTable
from fl0p_py.stream.chunk_batch import ChunkBatch
from fl0p_py.stream.joint_batch import JointBatch

JOINT_DTYPE: np.dtype[np.void]
WIDEST: int

class Joints:
    width: int
    def __init__(self, table: FlowTable, width: int) -> None: ...
    def take(self, chunks: ChunkBatch) -> JointBatch: ...
