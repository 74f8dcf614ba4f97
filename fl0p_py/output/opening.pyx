# cython: language_level=3
"""Opening: Python hears of each socket that c-ares has opened before anything leaves from it.

ares_set_socket_callback(3) takes a C function.  cffi makes one of a Python function at run time, but only in
memory that can be written and executed, which a service with MemoryDenyWriteExecute does not get.
SAFETY: c-ares hands back a number, not an object, so that whoever is gone is not called; it does so within
its calls that Python makes, and the GIL is taken here.
"""

from itertools import count
from weakref import WeakValueDictionary

_NUMBERS = count(1)
_HEARERS = WeakValueDictionary()


cdef int _opened(int descriptor, int kind, void *number) noexcept with gil:
    hearer = _HEARERS.get(<size_t>number)
    if hearer is not None:
        hearer.socket_opened(descriptor)
    return 0


def function():
    """The address of the C function, an `ares_sock_create_callback`."""
    return <size_t>&_opened


def hear(hearer):
    """The number to give c-ares with the function, so that `hearer` is called as long as it lives."""
    number = next(_NUMBERS)
    _HEARERS[number] = hearer
    return number
