# The few hundred packets that FlowTable.track is about.

cimport cython

from fl0p_py.decode.decoder cimport DecodedBatch

cdef enum:
    WINDOW = 512            # packets that are decoded before they are taken


@cython.final
cdef class Window:
    cdef DecodedBatch decoded
    cdef Py_ssize_t filled, taken           # records there, and of those taken
