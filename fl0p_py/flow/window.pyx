# cython: language_level=3
"""Window: the few hundred packets that FlowTable.track is about."""

from fl0p_py.decode.decoder cimport DecodedBatch
from fl0p_py.flow.window cimport WINDOW


cdef class Window:
    """Decoded packets between the decoder and the table; small enough to stay in the processor's cache."""

    def __init__(self):
        self.decoded = DecodedBatch(WINDOW)
