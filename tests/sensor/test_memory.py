"""Memory that is freed goes back to the system, also in a process that was forked meanwhile."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.sensor.running import ROOT

PROGRAM = """
import ctypes, os, sys
from fl0p_py.sensor import memory
if "settled" in sys.argv:
    memory.settle()
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(8 << 20))  # as a rule, pieces of this size are put on a heap from now on
pieces = [libc.malloc(size) for size in [1 << 20, 1000] * 8]
for piece in pieces[::2]:
    ctypes.memset(piece, 1, 1 << 20)
    libc.free(piece)
pages = int(open("/proc/self/statm").read().split()[1])
for piece in pieces[1::2]:
    libc.free(piece)
print(pages * os.sysconf("SC_PAGE_SIZE") >> 20)
"""


def resident_mb(*words: str) -> int:
    run = subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=ROOT, check=True, capture_output=True)
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_holes_between_small_pieces_are_given_back() -> None:
    assert resident_mb("settled") + 6 <= resident_mb()
