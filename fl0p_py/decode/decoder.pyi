import numpy as np
from numpy.typing import NDArray

from fl0p_py.capture.batch import PacketBatch
from fl0p_py.decode.limits import FragmentLimits

DECODED_DTYPE: np.dtype[np.void]

class DecodedBatch:
    batch: PacketBatch
    packets: NDArray[np.void]
    reassembled: NDArray[np.uint8]
    counts: NDArray[np.uint64]
    def __init__(self, packets: int = 32768) -> None: ...
    def __len__(self) -> int: ...

class Decoder:
    counts: NDArray[np.uint64]
    @property
    def fragment_counts(self) -> NDArray[np.uint64]: ...
    def __init__(
        self,
        *,
        key: bytes,
        vlan: bool = False,
        checksums: str = "auto",
        vlan_key: bool = True,
        fragments: FragmentLimits | None = None,
    ) -> None: ...
    def decode(self, batch: PacketBatch, into: DecodedBatch) -> None: ...
